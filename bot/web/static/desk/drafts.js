// What the model proposes, side by side. A draft grows in its own column, below its number and its button, so that nothing
// moves under the cursor; its number stays the same however many more come.

import { $, h, patchFlagged, patchList, setAttr, setText, show } from "../dom.js";
import { ours, t } from "../texts.js";
import { shownName } from "./people.js";

/** The drafts to show, each { n, ask, index, id, character, continues, text, done, running }. Those that came to nothing
 * are left out, and their numbers with them. */
function draftsOf(asks) {
  const all = asks.flatMap(({ ask, character, running, drafts, continue: continues }) =>
    drafts.map((draft, index) => ({ ...draft, ask, index, character, running, continues })),
  );
  return all.map((draft, i) => ({ ...draft, n: i + 1 })).filter((draft) => draft.text || draft.running);
}

export class DraftsView {
  constructor(root) {
    this.root = root;
    this.shown = [];
    root.addEventListener("scroll", () => this.drawDots(), { passive: true });
  }

  draw(asks) {
    const before = this.shown.length;
    this.shown = draftsOf(asks);
    const several = new Set(this.shown.map((draft) => draft.character)).size > 1;
    patchList(this.root, this.shown, (draft) => `${draft.ask} ${draft.index}`, makeDraft, (node, draft) => drawDraft(node, draft, this.shown, several));
    this.drawBar(asks);
    this.drawDots();
    if (this.shown.length !== before) setAttr(this.root, "data-rows", this.shown.length > columnsOf(this.root));
  }

  drawBar(asks) {
    const last = asks[asks.length - 1];
    show($("#drafts-box"), asks.length > 0);
    if (last === undefined) return;
    setText($("#drafts-head"), last.continue ? t("desk.drafts.goon") : t("desk.drafts.of", { name: shownName(last.character) }));
    const error = asks.map((ask) => ask.error).find(Boolean);
    setText($("#drafts-error"), error ? t("desk.drafts.failed", { error: ours(error) }) : "");
  }

  /** On the phone: which one is in view. */
  drawDots() {
    const width = this.root.firstElementChild ? this.root.firstElementChild.offsetWidth : 0;
    const at = width ? Math.min(this.shown.length, Math.round(this.root.scrollLeft / width) + 1) : 0;
    setText($("#dots"), this.shown.length > 1 ? `${at} / ${this.shown.length}` : "");
  }

  /** The draft with that number, from 1; undefined for none. */
  numbered(n) {
    return this.shown.find((draft) => draft.n === n);
  }

  find(draft) {
    return this.root.querySelector(`:scope > [data-key="${CSS.escape(`${draft.ask} ${draft.index}`)}"]`);
  }

  /** The one that has the focus, from 1; 0 for none. */
  get focused() {
    const node = document.activeElement ? document.activeElement.closest(".draft") : null;
    return node ? Number(node.dataset.n) : 0;
  }
}

const columnsOf = (grid) => getComputedStyle(grid).gridTemplateColumns.split(" ").length;

function makeDraft() {
  const edit = h("button", { type: "button", class: "quiet", data: { command: "edit-draft" } });
  const head = h("div", { class: "head" }, h("kbd"), h("b"), h("span", { class: "minor" }), edit);
  return h("li", { class: "draft" }, head, h("div", { class: "words", role: "button", tabindex: "0", data: { command: "take" } }));
}

function drawDraft(node, draft, all, several) {
  const [head, words] = node.children;
  const [number, name, state, edit] = head.children;
  const { n } = draft;
  const twin = draft.done ? all.find((other) => other.done && other.text === draft.text).n : n;
  node.dataset.n = n;
  setAttr(node, "data-done", draft.done);
  setAttr(node, "data-twin", twin < n);
  setText(number, String(n));
  setText(name, several ? shownName(draft.character) : "");
  setText(state, stateOf(draft, twin, n));
  setText(edit, t("desk.drafts.edit"));
  show(edit, draft.done);
  patchFlagged(words, draft.text, []);
  setAttr(words, "aria-label", draft.done ? `${t("desk.drafts.take", { n })}：${draft.text}` : null);
  setAttr(words, "aria-disabled", draft.done ? null : "true");
}

function stateOf(draft, twin, n) {
  if (twin < n) return t("desk.drafts.twin", { n: twin });
  if (draft.done) return "";
  return draft.running ? (draft.text ? "" : t("desk.drafts.soon")) : t("desk.drafts.cut");
}
