// The reading page: one story, or all there are. Joins the parts; the server says what is read.

import { get } from "../api.js";
import { $, setText, show } from "../dom.js";
import { openPage, refused } from "../page.js";
import { t, translatePage } from "../texts.js";
import { Finder } from "./find.js";
import { Look } from "./look.js";
import { addressOf, fromServer, placeHere, searchedHere } from "./place.js";
import { Shelf } from "./shelf.js";
import { drawContents, drawStory } from "./story.js";
import { Taking } from "./take.js";
import "./texts.js";

const place = placeHere();
let redraw = () => {};

/** The story of this address; where there is none, why not, and all the others. */
async function read() {
  const answer = await get(fromServer("/api/reading", place));
  if (!answer.ok) {
    refused(answer);
    return openShelf();
  }
  const story = answer.answer;
  document.title = story.title;
  const lines = drawStory(story);
  drawContents(story.sections);
  const look = new Look($("#look"), () => {
    taking.update();
    finder.find();
    tell();
  });
  const taking = new Taking(place, () => look.query());
  const seen = () => (look.opening ? lines : lines.filter((line) => line.told));
  const tell = () => setText($("#nothing"), seen().length ? "" : t(lines.length ? "story.hidden" : "story.empty"));
  const finder = new Finder(seen, (words) => history.replaceState(null, "", addressOf(place, words)), deskAddress);
  look.apply();
  taking.update();
  translatePage();
  show($("#reader"), true);
  redraw = () => {
    finder.tell();
    tell();
  };
  redraw();
  finder.words = searchedHere();
  if (finder.words) finder.search();
}

/** The way to a line at the desk; null where the story is not a scene. */
function deskAddress(line) {
  return place.scene && line.id ? `/desk?${new URLSearchParams({ scene: place.scene, line: line.id })}` : null;
}

function openShelf() {
  const shelf = new Shelf();
  show($("#shelf"), true);
  redraw = () => shelf.draw();
  return shelf.open();
}

/** `/` goes to the search box, wherever one is but in a box. */
function toSearch(event) {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea")) return;
  event.preventDefault();
  const box = $("#reader").hidden ? $("#everywhere") : $("#find");
  box.focus();
  box.select();
}

document.addEventListener("keydown", toSearch);
$("#contents").addEventListener("click", (event) => event.target.closest("a") && $("#contents").hidePopover());
openPage(() => redraw());
if (place) read();
else openShelf();
