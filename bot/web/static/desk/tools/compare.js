// Two branches side by side: what they share is folded, what differs is marked.

import { h, setText } from "../../dom.js";
import { t } from "../../texts.js";
import { shownName } from "../people.js";
import { openBox, say, why } from "./dialogs.js";
import { align, cut, isSame } from "./differences.js";

/** `branches`: of the tree. `row`: the one that was chosen; the other is the present one, or where that is chosen, another. */
export function openCompare(store, branches, row) {
  const present = branches.find((branch) => branch.current);
  const other = row.id === present.id ? branches.find((branch) => branch.id !== row.id) : row;
  const [a, b] = [chooser("tools.compare.a", branches, present.id), chooser("tools.compare.b", branches, other.id)];
  const wrong = h("p", { class: "wrong", role: "alert" });
  const body = h("div", { class: "compared" });
  const close = h("button", { type: "button" }, t("tools.done"));
  const heads = h("div", { class: "pair heads" }, a, b);
  const box = openBox(t("tools.compare.title"), h("h2", {}, t("tools.compare.title")), heads, wrong, body, h("div", { class: "row ends" }, close));
  box.classList.add("wide");
  close.addEventListener("click", () => box.close());
  const read = async () => {
    const asked = [a.value, b.value];
    const { ok, answer, ...refusal } = await store.read("compare", { a: a.value, b: b.value });
    if (asked[0] !== a.value || asked[1] !== b.value) return;
    say(wrong, ok ? "" : why(refusal));
    if (ok) drawCompared(body, answer, beginning(store, present, asked, answer.common));
  };
  a.addEventListener("change", read);
  b.addEventListener("change", read);
  b.focus();
  read();
}

function chooser(label, branches, chosen) {
  const options = branches.map(({ id, name }) => h("option", { value: id, ...(id === chosen ? { selected: "" } : {}) }, name));
  return h("select", { "aria-label": t(label) }, ...options);
}

/** The common lines, where they are on this page already: one of the two is the present branch. */
const beginning = (store, present, asked, common) => (asked.includes(present.id) ? store.snapshot.lines.slice(0, common) : []);

function drawCompared(body, { common, a, b }, lines) {
  const rows = align(a, b);
  const changed = rows.filter((row) => !isSame(row.a, row.b)).length;
  const summary = h("p", { class: "hint", role: "status" });
  setText(summary, changed ? t("tools.compare.found", { common, n: changed }) : t("tools.compare.same"));
  body.replaceChildren(summary, ...folded(common, lines), h("ol", { class: "pairs" }, ...rows.map(drawPair)));
}

function folded(common, lines) {
  if (common === 0) return [];
  const text = t("tools.compare.common", { n: common });
  if (lines.length === 0) return [h("p", { class: "common" }, text)];
  const fold = h("details", { class: "common" }, h("summary", {}, text));
  const fill = () => fold.append(h("ol", {}, ...lines.map((line) => h("li", {}, drawWords(line, null)))));
  fold.addEventListener("toggle", fill, { once: true });
  return [fold];
}

function drawPair({ a, b }) {
  const same = isSame(a, b);
  const side = (line, other, name) => h("div", { class: line ? "side" : "side none", data: { side: name } }, line ? drawWords(line, same ? line : other) : "");
  return h("li", { class: same ? "pair same" : "pair" }, side(a, b, "A"), side(b, a, "B"));
}

/** `other`: what it stands beside. Within the words something is marked only where at least half is the same. */
function drawWords(line, other) {
  const parts = other ? cut(line.text, other.text) : [line.text, "", ""];
  const alike = other && 2 * (parts[0].length + parts[2].length) >= Math.max(line.text.length, other.text.length);
  const [head, middle, tail] = alike ? parts : [line.text, "", ""];
  const words = h("p", { class: "words" }, head, ...(middle ? [h("mark", {}, middle)] : []), tail);
  const name = shownName(line.character);
  const renamed = alike && other.character !== line.character;
  return h("div", {}, h("p", { class: "by" }, renamed ? h("mark", {}, name) : name), words);
}
