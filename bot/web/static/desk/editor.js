// The box in which words are changed in their place: a pending line's, a confirmed line's, a draft's before it is taken.
// There is one. When its place goes, in this window or another, it moves to the foot of the page with what was typed.

import { h, setAttr, show } from "../dom.js";
import { translatePage } from "../texts.js";
import { NameBox } from "./names.js";

export class Editor {
  /** `stray`: where it stands when its place has gone. `toText(text)` takes the words that have lost their place. `changed()`
   * after every change of what a crash must not lose. */
  constructor(stray, { toText, changed }) {
    Object.assign(this, { stray, toText, changed });
    this.target = null; // { id, character, text, find(), send(text, character), take } while it is open
    this.kept = new Map(); // id -> words of an edit that was cancelled
    this.build();
  }

  build() {
    this.box = h("textarea", { rows: "2", spellcheck: "false", data: { tLabel: "desk.editor.label" } });
    const input = h("input", { type: "text", maxlength: "60", autocomplete: "off", data: { tLabel: "desk.name.label", tPlaceholder: "desk.name.placeholder" } });
    this.who = h("span", { class: "names" }, h("select", { data: { tLabel: "desk.name.label" } }), input);
    this.names = new NameBox(this.who);
    this.save = h("button", { type: "submit", class: "approve", data: { server: "" } }, h("span"), h("kbd", {}, "Ctrl ⏎"));
    const cancel = h("button", { type: "button", class: "quiet" }, h("span", { data: { t: "desk.editor.cancel" } }), h("kbd", {}, "Esc"));
    this.use = h("button", { type: "button", data: { t: "desk.editor.use" } });
    this.gone = h("p", { class: "wrong", role: "alert", data: { t: "desk.editor.stray" } });
    this.form = h("form", { class: "editor" }, this.gone, this.box, h("div", { class: "row" }, this.who, this.use, this.save, cancel));
    this.form.addEventListener("submit", (event) => event.preventDefault() || this.submit());
    this.form.addEventListener("keydown", (event) => this.press(event));
    for (const name of ["input", "change"]) this.form.addEventListener(name, () => this.changed());
    cancel.addEventListener("click", () => this.cancel());
    this.use.addEventListener("click", () => this.moveToText());
  }

  get open() {
    return this.target !== null;
  }

  /** `find()`: the element that it stands in, or null. `send(text, character)`: a promise of true when it was done. */
  edit(target, groups) {
    if (this.open) this.cancel();
    this.target = target;
    this.names.offer(groups);
    this.names.name = target.character;
    this.save.firstChild.dataset.t = target.take ? "desk.editor.take" : "desk.editor.save";
    translatePage(this.form);
    this.box.value = this.kept.has(target.id) ? this.kept.get(target.id) : target.text;
    this.place();
    this.box.focus({ preventScroll: true });
    this.box.setSelectionRange(this.box.value.length, this.box.value.length);
    this.form.scrollIntoView({ block: "nearest" });
    this.changed();
  }

  /** What a reload or a crash must not lose; null while it is closed. */
  get state() {
    if (!this.open) return null;
    return { id: this.target.id, character: this.names.name, text: this.box.value, cursor: this.box.selectionStart };
  }

  /** The words that were being typed, into the box that stands in their place again. */
  restore({ character, text, cursor }) {
    this.names.name = character;
    this.box.value = text;
    this.box.setSelectionRange(cursor, cursor);
    this.changed();
  }

  /** After each drawing: into its place, or to the foot of the page. */
  place() {
    if (!this.open) return;
    const place = this.target.find() || this.stray;
    const lost = place === this.stray;
    if (this.form.parentElement !== place) {
      this.leave();
      place.append(this.form);
      setAttr(place, "data-editing", true);
    }
    for (const node of [this.stray, this.gone, this.use]) show(node, lost);
    show(this.save, !lost);
    show(this.who, !lost && !this.target.take);
  }

  leave() {
    if (this.form.parentElement) setAttr(this.form.parentElement, "data-editing", null);
    this.form.remove();
  }

  press(event) {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Escape") this.cancel();
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.shiftKey) this.submit();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  async submit() {
    const { target } = this;
    const text = this.box.value;
    if (target === null || this.save.disabled || this.form.parentElement === this.stray) return;
    this.save.disabled = true;
    const done = await target.send(text, target.take ? target.character : this.names.name);
    this.save.disabled = false;
    if (!done || this.target !== target) return;
    this.kept.delete(target.id);
    this.close();
  }

  /** What was typed is there again when the same words are edited again. */
  cancel() {
    if (!this.open) return;
    const { id, text } = this.target;
    if (this.box.value !== text) this.kept.set(id, this.box.value);
    const place = this.form.closest("li");
    this.close();
    if (place) place.focus({ preventScroll: true });
  }

  moveToText() {
    const text = this.box.value;
    this.close();
    this.toText(text);
  }

  close() {
    this.target = null;
    this.leave();
    show(this.stray, false);
    this.changed();
  }
}
