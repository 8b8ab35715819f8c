// What the model was fed, part by part, how long the story has become, and the refresh that shortens what it reads.

import { h, patchFlagged, patchList, setText, show } from "../../dom.js";
import { notice } from "../../page.js";
import { named, t } from "../../texts.js";
import { NARRATOR, shownName } from "../people.js";
import { say, why } from "./dialogs.js";
import { many } from "./figures.js";
import { Refresh } from "./refresh.js";

const FOLDED_FROM = 120; // characters: longer parts are folded

export class FedTool {
  constructor(root, store) {
    Object.assign(this, { store, fed: null, asked: 0, seen: null, chosen: false });
    this.who = h("select", { data: { tLabel: "tools.fed.who" } });
    this.total = h("p", { class: "total" });
    this.bar = h("div", { class: "shares", "aria-hidden": "true" });
    this.parts = h("ol", { class: "parts" });
    this.wrong = h("p", { class: "wrong", role: "alert" });
    this.copy = h("button", { type: "button", class: "quiet", data: { t: "tools.fed.copy" } });
    const head = h("h2", {}, h("span", { data: { t: "tools.fed.title" } }), this.copy);
    this.refresh = new Refresh(store);
    root.append(this.refresh.root, head, h("div", { class: "row" }, h("span", { class: "minor", data: { t: "tools.fed.for" } }), this.who), this.total, this.bar, this.wrong, this.parts);
    this.who.addEventListener("change", () => {
      this.chosen = true; // until then it is whoever speaks next
      this.read();
    });
    this.copy.addEventListener("click", () => this.fed && copy(this.fed.parts.map((part) => part.text).join("")));
  }

  open() {
    if (this.store.snapshot) this.draw(true);
  }

  draw(front) {
    this.refresh.draw();
    if (!front) return;
    this.drawWho();
    if (this.seen !== this.now) this.read();
    if (this.fed) this.drawFed();
  }

  /** For whom it is put together: whoever speaks next, unless somebody was chosen. */
  drawWho() {
    const { cast } = this.store.snapshot;
    const names = [...new Set([...cast.next, ...cast.present, NARRATOR])];
    const chosen = this.chosen && names.includes(this.who.value) ? this.who.value : names[0];
    patchList(this.who, names, (name) => name, (name) => h("option", { value: name }), (node, name) => setText(node, shownName(name)));
    this.who.value = chosen;
  }

  /** What it depends on. Figures come a moment after the change that they are of. */
  get now() {
    const { revision, tokens_counted } = this.store.snapshot;
    return `${revision} ${tokens_counted}`;
  }

  async read() {
    const asked = (this.asked += 1);
    this.seen = this.now;
    const answer = await this.store.read("fed", { character: this.who.value });
    if (asked !== this.asked) return;
    say(this.wrong, answer.ok ? "" : why(answer));
    if (!answer.ok) this.seen = null;
    else this.fed = answer.answer;
    if (this.fed) this.drawFed();
  }

  drawFed() {
    const { parts, total, form, tokens_counted } = this.fed;
    const figures = { n: many(total), form: named("tools.fed.form", form) };
    setText(this.total, t(tokens_counted ? "tools.fed.total" : "tools.fed.about", figures));
    const shares = parts.map((part, i) => ({ ...part, i, share: total ? part.tokens / total : 0 }));
    patchList(this.bar, shares, (part) => part.i, () => h("i"), drawShare);
    patchList(this.parts, shares, (part) => `${part.i} ${part.label}`, makePart, drawPart);
  }
}

/** Two shades by turns, with a gap: parts are told apart without colours that mean nothing. */
function drawShare(node, { share }) {
  node.style.flexGrow = String(share);
  show(node, share > 0);
}

function makePart({ text }) {
  const summary = h("summary", {}, h("b"), h("span", { class: "minor" }), h("span", { class: "count" }));
  const button = h("button", { type: "button", class: "quiet", data: { t: "tools.fed.copy" } }, t("tools.fed.copy"));
  const fold = h("details", {}, summary, h("pre", { tabindex: "0" }), button);
  fold.open = text.length < FOLDED_FROM;
  return h("li", {}, fold);
}

function drawPart(row, { label, name, text, tokens, share }) {
  const fold = row.firstChild;
  const [summary, words, button] = fold.children;
  setText(summary.children[0], named("tools.fed.part", label));
  setText(summary.children[1], name);
  setText(summary.children[2], `${t("tools.fed.tokens", { n: many(tokens) })} · ${(share * 100).toFixed(share < 0.1 ? 1 : 0)}%`);
  const fill = () => fold.open && patchFlagged(words, text.trim(), []); // what cannot be seen is written out
  fold.ontoggle = fill; // a long story is put on the page when somebody looks at it
  fill();
  show(button, text.length >= FOLDED_FROM);
  button.onclick = () => copy(text);
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    notice(t("tools.fed.copied"));
  } catch (error) {
    notice(t("tools.fed.nocopy"), "refused"); // plain http from another machine, or a browser that asks and was told no
  }
}
