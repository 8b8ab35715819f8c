// A list that never moves under the cursor. While a person is in it, arrivals collect behind "N new", and what has gone
// stays in its place, dimmed, until the person leaves or asks for the new ones.

import { patchList, setAttr, setText, show } from "./dom.js";
import { t } from "./texts.js";

export class QuietList {
  /** `make(entry)` builds a row, `update(node, entry)` patches it, `key(entry)` names it, `more` is the "N new" button. */
  constructor(root, more, { key, make, update, empty }) {
    Object.assign(this, { root, more, key, make, update, empty });
    this.entries = [];
    this.shown = new Map();
    this.inside = false;
    // The whole box counts, so that the way to the "N new" button does not lead out of it.
    root.parentElement.addEventListener("pointerenter", (event) => this.enter(event.pointerType !== "touch"));
    root.parentElement.addEventListener("pointerleave", () => this.enter(false));
    root.addEventListener("focusout", () => setTimeout(() => this.render()));
    root.addEventListener("scroll", () => this.held || this.render(), { passive: true });
    more.addEventListener("click", () => this.release());
  }

  get held() {
    return this.inside || this.root.scrollTop > 4 || this.root.querySelector(":focus-visible") !== null;
  }

  enter(inside) {
    this.inside = inside;
    this.render();
  }

  release() {
    this.root.scrollTop = 0;
    this.apply();
  }

  set(entries) {
    this.entries = entries;
    this.render();
  }

  render() {
    if (this.held && this.shown.size > 0) this.hold();
    else this.apply();
  }

  /** The rows as they stand, each with its newest content; what is new is only counted. */
  hold() {
    const wanted = new Map(this.entries.map((entry) => [String(this.key(entry)), entry]));
    const rows = Array.from(this.shown, ([name, entry]) => wanted.get(name) || entry);
    this.draw(rows, (entry) => !wanted.has(String(this.key(entry))));
    this.count(this.entries.filter((entry) => !this.shown.has(String(this.key(entry)))).length);
  }

  apply() {
    this.draw(this.entries, () => false);
    this.count(0);
  }

  draw(rows, gone) {
    this.shown = new Map(rows.map((entry) => [String(this.key(entry)), entry]));
    patchList(this.root, rows, this.key, this.make, (node, entry) => {
      setAttr(node, "data-gone", gone(entry));
      this.update(node, entry);
      for (const button of node.querySelectorAll("button")) setAttr(button, "data-gone", gone(entry));
    });
    if (this.empty) show(this.empty, rows.length === 0);
    show(this.root, rows.length > 0);
  }

  count(n) {
    show(this.more, n > 0);
    if (n > 0) setText(this.more, t("list.more", { n }));
  }
}
