// A field of a form that is not lost: what was typed and not yet sent survives every redraw, a refusal, and a reload.

import { forget, remember, remembered } from "../../settings.js";

export class Typed {
  /** `changed()` is called when a person types. */
  constructor(store, name, field, changed = () => {}) {
    Object.assign(this, { field, key: `desk.typed.${store.scene}.${name}`, base: null });
    const kept = remembered(this.key, null);
    this.kept = kept !== null;
    if (kept) {
      this.base = kept.base;
      field.value = kept.text;
    }
    field.addEventListener("input", () => {
      this.keep();
      changed();
    });
  }

  get value() {
    return this.field.value;
  }

  get dirty() {
    return this.base !== null && this.value !== this.base;
  }

  /** Shows the server's words, unless others were typed here. True when both have changed: the person must choose. */
  draw(words) {
    const untouched = !this.dirty || words === this.value;
    if (untouched) this.take(words);
    return !untouched && words !== this.base;
  }

  /** The server's words in the field, whatever was typed. */
  take(words) {
    if (this.value !== words) this.field.value = words;
    this.base = words;
    this.keep();
  }

  keep() {
    if (this.dirty) remember(this.key, { base: this.base, text: this.value });
    else if (this.kept) forget(this.key);
    this.kept = this.dirty;
  }
}
