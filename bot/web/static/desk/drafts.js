// What the model proposes, side by side. A draft grows in its own column, below its number and its button, so that nothing
// moves under the cursor; its number stays the same however many more come.

import { $, h, patchFlagged, patchList, setAttr, setText, show } from "../dom.js";
import { t } from "../texts.js";
import { shownName } from "./people.js";

/** All drafts on the page in order, each { ask, index, id, character, continues, text, done, running }. */
export function draftsOf(asks) {
  return asks.flatMap(({ ask, character, running, drafts, continue: continues }) =>
    drafts.map((draft, index) => ({ ...draft, ask, index, character, running, continues })),
  );
}

export class DraftsView {
  constructor(root) {
    this.root = root;
    this.shown = [];
    root.addEventListener("scroll", () => this.drawDots(), { passive: true });
  }

  draw(asks) {
    this.shown = draftsOf(asks).filter((draft) => draft.text || draft.running);
    const several = new Set(this.shown.map((draft) => draft.character)).size > 1;
    patchList(this.root, this.shown, (draft) => `${draft.ask} ${draft.index}`, makeDraft, (node, draft) => drawDraft(node, draft, this.shown, several));
    this.drawBar(asks);
    this.drawDots();
  }

  drawBar(asks) {
    const last = asks[asks.length - 1];
    show($("#drafts-box"), asks.length > 0);
    if (last === undefined) return;
    setText($("#drafts-head"), last.continue ? t("drafts.goon") : t("drafts.of", { name: shownName(last.character) }));
    const error = asks.map((ask) => ask.error).find(Boolean);
    setText($("#drafts-error"), error ? t("drafts.failed", { error }) : "");
  }

  /** On the phone: which one is in view. */
  drawDots() {
    const width = this.root.firstElementChild ? this.root.firstElementChild.offsetWidth : 0;
    const at = width ? Math.min(this.shown.length, Math.round(this.root.scrollLeft / width) + 1) : 0;
    setText($("#dots"), this.shown.length > 1 ? `${at} / ${this.shown.length}` : "");
  }

  /** The draft with that number, from 1, and its element. */
  numbered(n) {
    return { draft: this.shown[n - 1], node: this.root.children[n - 1] };
  }

  find(draft) {
    return this.root.querySelector(`:scope > [data-key="${CSS.escape(`${draft.ask} ${draft.index}`)}"]`);
  }

  /** The one that has the focus, from 1; 0 for none. */
  get focused() {
    const node = document.activeElement ? document.activeElement.closest(".draft") : null;
    return node ? [...this.root.children].indexOf(node) + 1 : 0;
  }
}

function makeDraft() {
  const edit = h("button", { type: "button", class: "quiet", data: { command: "edit-draft" } });
  const head = h("div", { class: "head" }, h("kbd"), h("b"), h("span", { class: "minor" }), edit);
  return h("li", { class: "draft" }, head, h("div", { class: "words", role: "button", tabindex: "0", data: { command: "take" } }));
}

function drawDraft(node, draft, all, several) {
  const [head, words] = node.children;
  const [number, name, state, edit] = head.children;
  const n = all.indexOf(draft) + 1;
  const twin = draft.done ? all.findIndex((other) => other.done && other.text === draft.text) + 1 : n;
  node.dataset.n = n;
  setAttr(node, "data-done", draft.done);
  setAttr(node, "data-twin", twin < n);
  setText(number, String(n));
  setText(name, several ? shownName(draft.character) : "");
  setText(state, stateOf(draft, twin, n));
  setText(edit, t("drafts.edit"));
  show(edit, draft.done);
  patchFlagged(words, draft.text, []);
  setAttr(words, "aria-label", draft.done ? `${t("drafts.take", { n })}：${draft.text}` : null);
  setAttr(words, "aria-disabled", draft.done ? null : "true");
}

function stateOf(draft, twin, n) {
  if (twin < n) return t("drafts.twin", { n: twin });
  if (draft.done) return "";
  return draft.running ? (draft.text ? "" : t("drafts.soon")) : t("drafts.cut");
}
