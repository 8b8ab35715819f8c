// What a writer does at the desk, each as the orders that it takes. A box is emptied, and the cursor goes on, only when the
// server has said yes; its no is said in words, and what was typed stays.

import { $ } from "../dom.js";
import { notice, refused } from "../page.js";
import { t } from "../texts.js";
import { QUICK } from "./composer.js";

export class Deeds {
  /** `parts`: { store, composer, options, pending, drafts, editor }. `awaitDrafts(ask)`: its drafts get the focus. */
  constructor(parts, awaitDrafts) {
    Object.assign(this, parts);
    this.awaitDrafts = awaitDrafts;
    this.busy = new Set(); // what waits for the server: a second press does nothing
    this.begun = new Map(); // ask -> the beginning that it was asked with, for "more"
  }

  get quick() {
    return this.composer.mode === QUICK;
  }

  /** Runs `action` unless the same is under way. */
  async once(name, action) {
    if (this.busy.has(name)) return;
    this.busy.add(name);
    try {
      await action();
    } finally {
      this.busy.delete(name);
    }
  }

  /** An order; its no is said. A promise of the answer. `stale`: what to say where the scene has changed meanwhile. */
  async give(kind, fields = {}, stale = undefined) {
    return this.said(await this.store.order(kind, fields), stale);
  }

  said(answer, stale = "desk.note.stale") {
    if (answer.ok) return answer;
    if (answer.error === "stale_revision") notice(t(stale), "refused");
    else refused(answer);
    return answer;
  }

  // -- writing -------------------------------------------------------------------------------------------------------

  /** The line in the box. Quick: then the other one answers; with nothing in the box, it just answers. */
  send() {
    return this.once("send", async () => {
      const { composer } = this;
      const { lines } = composer;
      const typed = composer.text.value;
      if (!lines.length && !this.quick) return notice(t("desk.note.empty"), "refused");
      if (lines.length && !(await this.give("add", { lines })).ok) return;
      composer.clear(composer.text, typed);
      if (this.quick) await this.askFor(composer.them);
      else composer.focus();
    });
  }

  /** Drafts for whoever was chosen, beginning as the box says. Quick: for the one who answers. */
  ask() {
    const { composer } = this;
    if (this.quick) return this.once("ask", () => this.askFor(composer.them));
    return this.once("ask", () => this.askFor(composer.writer.name, { start_with: composer.start.value.trim() }));
  }

  /** The model writes the line of whoever speaks in quick mode, beginning with what stands in the box. */
  write() {
    const { composer } = this;
    const who = this.quick ? composer.me : composer.speaker.name;
    return this.once("ask", () => this.askFor(who, { start_with: composer.text.value.trim() }));
  }

  async askFor(character, more = {}) {
    if (this.quick && !character) return notice(t("desk.note.nobody"), "refused");
    const answer = this.said(await this.store.ask({ character, start_with: "", ...this.options.fields, ...more }));
    if (!answer.ok) return;
    if (more.start_with) this.begun.set(answer.answer.ask, more.start_with);
    this.awaitDrafts(answer.answer.ask);
  }

  /** More of the same, drawn as the settings say now. */
  more() {
    const { asks } = this.store.snapshot;
    const last = asks[asks.length - 1];
    if (last === undefined) return;
    return this.once("ask", () => this.askFor(last.character, { ask: last.ask, start_with: this.startOf(last) }));
  }

  /** After a reload only the box still knows it. */
  startOf({ ask, character }) {
    const { writer, start } = this.composer;
    const inBox = !this.quick && character === writer.name ? start.value.trim() : "";
    return this.begun.get(ask) || inBox;
  }

  /** Drafts that begin with this line's words and would take its place. */
  goOn(line) {
    return this.once("ask", () => this.askFor(line.character, { continue: line.id }));
  }

  stop() {
    for (const { ask, running } of this.store.snapshot.asks) if (running) this.store.send("drafts/stop", { ask }).then((answer) => this.said(answer));
  }

  // -- taking and deciding -------------------------------------------------------------------------------------------

  take(n) {
    const draft = this.drafts.numbered(n);
    if (draft === undefined) return notice(t("desk.note.nodraft", { n }));
    if (!draft.done) return notice(t("desk.note.unfinished", { n }));
    return this.once("take", () => this.takeAs(draft, draft.text));
  }

  /** A draft in these words, which a person may have changed. Quick: the answer ends the round, which is confirmed. */
  async takeAs(draft, text) {
    const before = this.pending.shown;
    const { continues, character, id } = draft;
    const answer = continues
      ? await this.give("edit", { line: continues, text, draft: id })
      : await this.give("add", { lines: [{ character, text, draft: id }] });
    if (!answer.ok) return false;
    this.tookStart(draft);
    this.composer.goOn();
    if (!this.quick || continues) return true;
    if (character === this.composer.me) await this.askFor(this.composer.them);
    else await this.confirmRound([...before, { text }], answer.revision);
    return true;
  }

  /** The beginning is in the line now, and in no box any more. */
  tookStart({ ask }) {
    const start = this.begun.get(ask);
    const { composer } = this;
    for (const box of start ? [composer.start, composer.text] : []) if (box.value.trim() === start) composer.clear(box, box.value);
  }

  /** What was on the screen and the line just taken, nothing that came in between. */
  async confirmRound(lines, revision) {
    const seen = await this.store.reached(revision);
    const { pending } = this.store.snapshot;
    const same = seen && pending.length === lines.length && lines.every((line, i) => isSame(line, pending[i]));
    if (same) await this.confirmLines(pending, "desk.note.kept");
    else notice(t("desk.note.kept"), "refused");
  }

  confirm() {
    if (this.editor.open) return notice(t("desk.note.editing"), "refused");
    if (!this.pending.shown.length) return notice(t("desk.note.nothing"));
    return this.once("confirm", () => this.confirmLines(this.pending.shown));
  }

  /** Exactly these words: the server compares them with its own. */
  async confirmLines(lines, stale) {
    const answer = await this.give("confirm", { lines: lines.map(({ id, text }) => ({ id, text })) }, stale);
    if (!answer.ok) return;
    notice(t("desk.note.confirmed", { n: lines.length }));
    this.composer.goOn();
  }

  // -- the pending lines ---------------------------------------------------------------------------------------------

  async back() {
    const { shown } = this.pending;
    if (!shown.length) return notice(t("desk.note.nothing"));
    await this.give("delete", { line: shown[shown.length - 1].id });
  }

  async discard() {
    const n = this.pending.shown.length;
    if (!n) return notice(t("desk.note.nothing"));
    if ((await this.give("discard")).ok) notice(t("desk.note.discarded", { n }));
  }

  remove(id) {
    return this.give("delete", { line: id });
  }

  /** One place up (-1) or down (1). */
  async shift(id, by) {
    const to = this.pending.indexOf(id) + by;
    if (to >= 0 && to < this.pending.shown.length) await this.give("move", { line: id, to });
  }

  // -- the scene -----------------------------------------------------------------------------------------------------

  async undo() {
    const what = this.store.snapshot.undo;
    if ((await this.give("undo")).ok && what) notice(t("desk.note.undone", { what: t(`desk.step.${what}`) }));
  }

  async redo() {
    const what = this.store.snapshot.redo;
    if ((await this.give("redo")).ok && what) notice(t("desk.note.redone", { what: t(`desk.step.${what}`) }));
  }

  save() {
    return this.once("save", async () => {
      const answer = this.said(await this.store.send("save"));
      if (answer.ok) notice(t("desk.note.saved", { file: answer.answer.file }));
    });
  }

  async rename() {
    const title = $("#title").value.trim();
    if (!title || title === this.store.snapshot.title) return;
    await this.give("title", { title });
  }
}

/** A line that was just taken has no id on this page yet, and the server has tidied its spaces. */
const isSame = (seen, { id, text }) => (seen.id === undefined ? bare(seen.text) === bare(text) : seen.id === id && seen.text === text);
const bare = (text) => text.replace(/[\s\p{C}]/gu, "");
