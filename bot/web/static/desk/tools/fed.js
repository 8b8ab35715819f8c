// What the model was fed, part by part, how long the story has become, and the refresh that shortens what it reads.

import { h, patchFlagged, patchList, setText, show } from "../../dom.js";
import { notice } from "../../page.js";
import { named, t } from "../../texts.js";
import { say, why } from "./dialogs.js";
import { many } from "./figures.js";
import { Refresh } from "./refresh.js";

const FOLDED_FROM = 120; // characters: longer parts are folded
const LINES = new Set(["opening", "story", "pending"]); // a part for each line: those side by side are shown as one

export class FedTool {
  constructor(root, store) {
    Object.assign(this, { store, fed: null, asked: 0, seen: null });
    this.who = h("select", { data: { tLabel: "fed.who" } });
    this.total = h("p", { class: "total" });
    this.bar = h("div", { class: "shares", "aria-hidden": "true" });
    this.parts = h("ol", { class: "parts" });
    this.wrong = h("p", { class: "wrong", role: "alert" });
    this.copy = h("button", { type: "button", class: "quiet", data: { t: "fed.copy" } });
    const head = h("h2", {}, h("span", { data: { t: "fed.title" } }), this.copy);
    this.refresh = new Refresh(store);
    root.append(this.refresh.root, head, h("div", { class: "row" }, h("span", { class: "minor", data: { t: "fed.for" } }), this.who), this.total, this.bar, this.wrong, this.parts);
    this.who.addEventListener("change", () => this.read());
    this.copy.addEventListener("click", () => this.fed && copy(this.fed.parts.map((part) => part.text).join("")));
  }

  open() {
    if (this.store.snapshot) this.draw(true);
  }

  draw(front) {
    this.refresh.draw();
    this.drawWho();
    if (front && this.seen !== this.store.snapshot.revision) this.read();
    if (this.fed) this.drawFed();
  }

  /** For whom it is put together: whoever speaks next, unless somebody was chosen. */
  drawWho() {
    const { cast } = this.store.snapshot;
    const names = [...new Set([...cast.next, ...cast.present])];
    patchList(this.who, names, (name) => name, (name) => h("option", { value: name }), (node, name) => setText(node, name));
  }

  async read() {
    const asked = (this.asked += 1);
    this.seen = this.store.snapshot.revision;
    const answer = await this.store.read("fed", { character: this.who.value });
    if (asked !== this.asked) return;
    say(this.wrong, answer.ok ? "" : why(answer));
    if (!answer.ok) this.seen = null;
    else this.fed = answer.answer;
    if (this.fed) this.drawFed();
  }

  drawFed() {
    const { parts, total, form } = this.fed;
    const groups = grouped(parts).map((group, i) => ({ ...group, i, share: total ? group.tokens / total : 0 }));
    setText(this.total, t("fed.total", { n: total === null ? "?" : many(total), form: named("fed.form", form) }));
    patchList(this.bar, groups, (group) => group.i, () => h("i"), drawShare);
    patchList(this.parts, groups, (group) => `${group.i} ${group.label}`, makeGroup, drawGroup);
  }
}

/** Parts with the same label one after another, where they are lines; every other part stands alone. */
function grouped(parts) {
  const groups = [];
  for (const part of parts) {
    const last = groups[groups.length - 1];
    if (last && last.label === part.label && LINES.has(part.label)) last.parts.push(part);
    else groups.push({ label: part.label, parts: [part] });
  }
  const sum = (tokens, part) => (part.tokens === null ? null : tokens + part.tokens);
  return groups.map((group) => ({ ...group, tokens: group.parts.reduce(sum, 0) }));
}

/** Two shades by turns, with a gap: parts are told apart without colours that mean nothing. */
function drawShare(node, { share }) {
  node.style.flexGrow = String(share);
  show(node, share > 0);
}

function makeGroup({ parts }) {
  const summary = h("summary", {}, h("b"), h("span", { class: "minor" }), h("span", { class: "count" }));
  const button = h("button", { type: "button", class: "quiet", data: { t: "fed.copy" } }, t("fed.copy"));
  const fold = h("details", {}, summary, h("div", { class: "fed-text", tabindex: "0" }), button);
  fold.open = lengthOf(parts) < FOLDED_FROM;
  return h("li", {}, fold);
}

function drawGroup(row, group) {
  const { label, parts, tokens, share } = group;
  const fold = row.firstChild;
  const [summary, words, button] = fold.children;
  setText(summary.children[0], named("fed.part", label));
  setText(summary.children[1], LINES.has(label) ? t("tree.lines", { n: parts.length }) : parts[0].name);
  setText(summary.children[2], tokens === null ? "" : `${t("fed.tokens", { n: many(tokens) })} · ${(share * 100).toFixed(share < 0.1 ? 1 : 0)}%`);
  const fill = () => fold.open && patchList(words, parts.map((part, i) => ({ ...part, i, alone: parts.length === 1 })), (part) => part.i, makeText, drawText);
  fold.ontoggle = fill; // thousands of lines are put on the page when somebody looks at them
  fill();
  show(button, lengthOf(parts) >= FOLDED_FROM);
  button.onclick = () => copy(parts.map((part) => part.text).join(""));
}

const lengthOf = (parts) => parts.reduce((sum, part) => sum + part.text.length, 0);

const makeText = () => h("p", {}, h("span"), h("span", { class: "minor" }));

function drawText(row, { text, tokens, alone }) {
  patchFlagged(row.children[0], text.trim(), []); // what cannot be seen is written out
  setText(row.children[1], tokens === null || alone ? "" : String(tokens));
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    notice(t("fed.copied"));
  } catch (error) {
    notice(t("fed.nocopy"), "refused"); // plain http from another machine, or a browser that asks and was told no
  }
}
