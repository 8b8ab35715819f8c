// What is done to one line or one draft where it stands: shown, edited, gone on with, moved, deleted.

import { $ } from "../dom.js";
import { notice } from "../page.js";
import { t } from "../texts.js";
import { currentLine, findLine } from "./line.js";
import { groupsOf } from "./names.js";

export class Hand {
  /** `parts`: { store, editor, composer, drafts, deeds }; `people()`: who is who now. */
  constructor(parts, people) {
    Object.assign(this, parts, { people });
  }

  get lines() {
    const { lines, pending } = this.store.snapshot;
    return [...lines, ...pending];
  }

  /** The line that the keyboard is in, else the last one; null in an empty story. */
  get here() {
    const current = currentLine();
    const last = this.lines.pop();
    return current ? current.dataset.key : last ? last.id : null;
  }

  reveal(id) {
    const node = findLine(id);
    if (node === null) return;
    node.scrollIntoView({ block: "center" });
    node.focus({ preventScroll: true });
  }

  edit(id) {
    const line = this.lines.find((one) => one.id === id);
    if (line === undefined) return;
    const send = async (text, character) => {
      const same = text === line.text && character === line.character;
      const done = same || (await this.deeds.give("edit", { line: id, text, character })).ok;
      if (done) this.composer.goOn();
      return done;
    };
    this.open({ ...line, find: () => findLine(id), send });
  }

  /** The draft with that number, from 1, before it is taken. */
  editDraft(n) {
    const draft = this.drafts.numbered(n);
    if (!draft || !draft.done) return notice(t(draft ? "desk.note.unfinished" : "desk.note.nodraft", { n }));
    this.open({ ...draft, take: true, find: () => this.drafts.find(draft), send: (text) => this.deeds.takeAs(draft, text) });
  }

  /** Goes on with an edit that a crash or a reload has cut off; at the foot of the page when its place has gone meanwhile. */
  resume(edit) {
    const { id } = edit;
    const draft = this.drafts.shown.find((one) => one.done && one.id === id);
    if (this.lines.some((line) => line.id === id)) this.edit(id);
    else if (draft) this.editDraft(draft.n);
    else this.open({ ...edit, find: () => null, send: async () => false });
    this.editor.restore(edit);
  }

  open(target) {
    this.editor.edit(target, groupsOf(this.people(), this.lines));
  }

  goOn(id) {
    const line = this.lines.find((one) => one.id === id);
    if (line) this.deeds.goOn(line);
  }

  openMenu(id) {
    const node = findLine(id);
    if (node) node.querySelector("[data-line-menu]").click();
  }

  /** By its button or by its key; the next line has the focus afterwards. */
  remove({ pressed }) {
    const node = pressed ? pressed.closest(".line") : currentLine();
    if (node === null || node.parentElement !== $("#pending")) return;
    const next = node.nextElementSibling || node.previousElementSibling;
    this.deeds.remove(node.dataset.key);
    if (next) next.focus({ preventScroll: true });
    else this.composer.goOn();
  }

  /** The pending line that the keyboard is in, one place up (-1) or down (1). */
  shift(by) {
    const node = currentLine();
    if (node !== null && node.parentElement === $("#pending")) this.deeds.shift(node.dataset.key, by);
  }

  /** A click into the words of a line of that list edits them, unless it has selected some. */
  pressWords({ target }, list) {
    const words = target.closest(".words");
    const line = words && words.closest(".line");
    if (line && line.parentElement === list && !String(getSelection()).trim()) this.edit(line.dataset.key);
  }
}
