// All the stories there are to read, and search in all of them.

import { get } from "../api.js";
import { $, h, setText } from "../dom.js";
import { refused } from "../page.js";
import { language, t } from "../texts.js";
import { addressOf, searchedHere } from "./place.js";

const PAUSE = 250;

const kind = ({ place }) => (place.scene ? "scene" : place.show ? "show" : "log");
const counted = (key, n, more = {}) => t(n === 1 && language() === "en" ? `${key}.one` : key, { n, ...more });

export class Shelf {
  constructor() {
    this.stories = [];
    this.answer = null;
    this.asked = 0;
    $("#everywhere").addEventListener("input", () => this.typed());
    $("#everywhere").addEventListener("keydown", (event) => event.key === "Escape" && this.clear());
  }

  async open() {
    $("#everywhere").value = searchedHere();
    const answer = await get("/api/reading");
    if (!answer.ok) return refused(answer);
    this.stories = answer.answer.stories;
    this.draw();
    if (searchedHere()) this.search();
  }

  clear() {
    $("#everywhere").value = "";
    this.search();
  }

  typed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.search(), PAUSE);
  }

  /** Answers that were overtaken by later questions are not shown. */
  async search() {
    clearTimeout(this.timer);
    const words = $("#everywhere").value;
    const asked = (this.asked += 1);
    history.replaceState(null, "", addressOf(null, words.trim() ? words : ""));
    this.answer = null;
    if (!words.trim()) return this.draw();
    setText($("#searched"), t("shelf.searching"));
    const answer = await get(`/api/reading/search?${new URLSearchParams({ q: words })}`);
    if (asked !== this.asked) return;
    if (!answer.ok) return refused(answer);
    this.answer = answer.answer;
    this.draw();
  }

  draw() {
    const stories = this.answer ? this.answer.stories : this.stories;
    const words = this.answer ? this.answer.query : "";
    setText($("#searched"), this.said());
    $("#stories").replaceChildren(...stories.map((story) => drawStory(story, words)));
  }

  said() {
    if (!this.answer) return this.stories.length ? "" : t("shelf.none");
    const { query, stories, complete } = this.answer;
    const found = stories.length ? counted("shelf.found", stories.length, { q: query }) : t("shelf.nothing", { q: query });
    return complete ? found : `${found} ${t("shelf.partly")}`;
  }
}

function drawStory(story, words) {
  const where = [story.series, story.name].filter((part) => part && part !== story.title).join(" / ");
  const size = words ? counted("shelf.hits", story.count) : t(story.place.show ? "shelf.aired" : "shelf.lines", { n: story.lines });
  const facts = [where, size, when(story)].filter(Boolean).join(" · ");
  const link = h("a", { href: addressOf(story.place, words) }, h("b", { dir: "auto" }, story.title), h("span", { class: "minor" }, facts));
  const hits = (story.hits || []).map(drawHit);
  return h("li", {}, h("span", { class: "chip" }, t(`shelf.${kind(story)}`)), link, hits.length ? h("ul", {}, ...hits) : null);
}

function drawHit({ name, before, match, after }) {
  const speaker = name ? h("b", {}, h("bdi", {}, name), " ") : null;
  return h("li", {}, speaker, h("span", { dir: "auto" }, before, h("mark", {}, match), after));
}

/** A log says in its name when it was saved. */
function when({ place, changed }) {
  const saved = /^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)/.exec(place.log || "");
  const at = saved ? new Date(saved[1], saved[2] - 1, saved[3], saved[4], saved[5]) : new Date(changed * 1000);
  return at.toLocaleString(language() === "zh" ? "zh-CN" : "en", { dateStyle: "medium", timeStyle: "short" });
}
