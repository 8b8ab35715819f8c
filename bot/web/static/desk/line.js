// The lines of the story, confirmed or pending: who, which words, where they come from.

import { $, h, patchFlagged, patchList, setAttr, setText } from "../dom.js";
import { t } from "../texts.js";
import { drawFace, makeFace, shownName } from "./people.js";
import { lineMenu } from "./tools/tools.js";

const ORIGINS = { 用户输入: "person", 模型生成: "model", "模型生成(人工编辑)": "edited", 初始对话: "opening", 系统提示: "system" };
const MARKS = { model: "✦", edited: "✦✎" };

/** `buttons` stand beside the line's menu. A line is reached by its own keys, not by a hundred stops of Tab. */
export function makeLine(line, ...buttons) {
  const menu = lineMenu(line);
  for (const button of [...buttons, menu]) button.tabIndex = -1;
  const by = h("p", { class: "by" }, h("b"), h("span", { class: "mark" }));
  const words = h("p", { class: "words" });
  return h("li", { class: "line", tabindex: "-1" }, makeFace(), h("div", { class: "said" }, by, words), h("div", { class: "handles" }, ...buttons, menu));
}

export function updateLine(node, { character, text, origin }, people) {
  const [face, said] = node.children;
  const [by, words] = said.children;
  const [name, mark] = by.children;
  const from = ORIGINS[origin] || "person";
  setAttr(node, "data-side", from === "system" ? "told" : people.sideOf(character));
  setAttr(node, "data-origin", from);
  drawFace(face, character, people.avatarOf(character));
  setText(name, shownName(character));
  setText(mark, MARKS[from] || "");
  setAttr(mark, "title", MARKS[from] ? t(`desk.origin.${from}`) : null);
  setAttr(mark, "role", MARKS[from] ? "img" : null);
  setAttr(mark, "aria-label", MARKS[from] ? t(`desk.origin.${from}`) : null);
  patchFlagged(words, text, []); // what cannot be seen is written out: a person confirms what is on the screen
}

/**
 * The confirmed story. Two thousand lines stay fast: only those after the first `kept` are looked at, and the browser lays
 * out only what is near the screen (line.css).
 */
export function drawStory(root, lines, people, kept) {
  const from = Math.min(kept, root.children.length);
  const update = (node, line) => updateLine(node, line, people);
  patchList(root, lines.slice(from), (line) => line.id, (line) => makeLine(line), update, from);
}

/** The element of a line, confirmed or pending; null when it is not on the page. */
export const findLine = (id) => $(`.line[data-key="${CSS.escape(id)}"]`);

/** The line that the keyboard is in, or null. */
export const currentLine = () => (document.activeElement ? document.activeElement.closest(".line") : null);

/** The next line down (1) or up (-1), across the confirmed and the pending ones; from outside, the last one. */
export function stepLine(by) {
  const lines = [...document.querySelectorAll("#story > .line, #pending > .line")];
  const here = lines.indexOf(currentLine());
  const to = here < 0 ? lines.length - 1 : Math.min(lines.length - 1, Math.max(0, here + by));
  if (lines[to]) lines[to].focus();
}
