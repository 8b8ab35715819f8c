// The story on the page. Names, avatars, opening and headings are always drawn; the look hides what is not wanted.

import { $, h, setAttr, setText, show } from "../dom.js";

/** The lines in order, as the page needs them later: {paragraph, words (a text node), told, id}. */
export function drawStory(story) {
  setText($("#story h1"), story.title);
  setText($("#story .series"), story.series);
  setAttr($("#story"), "lang", story.language);
  const faces = new Map(story.people.filter((one) => one.avatar).map((one) => [one.name, one.avatar]));
  $("#story").classList.toggle("faces", faces.size > 0);
  const lines = [];
  $("#sections").replaceChildren(...story.sections.map((section, number) => drawSection(section, number, story, faces, lines)));
  return lines;
}

function drawSection(section, number, story, faces, lines) {
  const title = section.title ? h("h2", { id: `section-${number}`, dir: "auto", tabindex: "-1" }, section.title) : null;
  const drawn = section.lines.map((line) => drawLine(line, story.colon, faces));
  lines.push(...drawn);
  const told = section.lines.some((line) => line.told);
  return h("section", { class: told ? "" : "opening" }, title, ...drawn.map((line) => line.paragraph));
}

function drawLine(line, colon, faces) {
  const words = document.createTextNode(line.text);
  const text = h("span", { class: "words", dir: "auto" }, words);
  const parts = line.name ? [...speaker(line.name, colon, faces), mark(line, 0), text, mark(line, 1)] : [text];
  const kind = line.name ? "said" : "told";
  const paragraph = h("p", { class: line.told ? kind : `${kind} opening` }, ...parts);
  return { paragraph, words, told: line.told, id: line.id };
}

function speaker(name, colon, faces) {
  const avatar = faces.get(name);
  const face = avatar ? h("img", { class: "face", src: avatar, alt: "", width: "36", height: "36", loading: "lazy" }) : null;
  return [face, h("b", { class: "name" }, h("bdi", {}, name), colon)];
}

/** Where a quotation mark stands when there are no names. The look writes it. */
const mark = (line, side) => (line.quoted ? h("span", { class: "mark", data: { side: String(side) } }) : null);

/** Entries that lead to the headings. */
export function drawContents(sections) {
  const titled = sections.map((section, number) => ({ title: section.title, number })).filter((one) => one.title);
  const entries = titled.map(({ title, number }) => h("li", {}, h("a", { href: `#section-${number}`, dir: "auto" }, title)));
  $("#contents ol").replaceChildren(...entries);
  show($("#contents-open"), entries.length > 0);
  $("#reader").classList.toggle("titled", entries.length > 0);
}
