// How somebody likes to read: remembered on this device, and said to the server when a story is taken away.

import { $, setText } from "../dom.js";
import { remember, remembered } from "../settings.js";

const CHOSEN = { font: "serif", size: 19, quotes: "corner" };
const SHOWN = { names: true, avatars: true, opening: true, headings: true };
const QUOTES = { corner: "「」", curly: "“”" };

export class Look {
  /** `changed()` is called after each change, and has been seen on the page by then. */
  constructor(form, changed) {
    this.fields = form.elements;
    this.changed = changed;
    this.fill({ ...CHOSEN, ...SHOWN, ...remembered("reading", {}) });
    form.addEventListener("input", () => this.choose());
    form.addEventListener("submit", (event) => event.preventDefault());
  }

  /** What the form cannot hold falls back to the usual. */
  fill(wanted) {
    for (const name of Object.keys(CHOSEN)) this.fields[name].value = String(wanted[name]);
    for (const name of Object.keys(SHOWN)) this.fields[name].checked = wanted[name] === true;
    for (const name of ["font", "quotes"]) this.fields[name].value = this.fields[name].value || CHOSEN[name];
  }

  get opening() {
    return this.fields.opening.checked;
  }

  choose() {
    const chosen = Object.keys(CHOSEN).map((name) => [name, this.fields[name].value]);
    const shown = Object.keys(SHOWN).map((name) => [name, this.fields[name].checked]);
    remember("reading", Object.fromEntries([...chosen, ...shown]));
    this.apply();
    this.changed();
  }

  apply() {
    const { font, size, quotes } = this.fields;
    const story = $("#story");
    story.dataset.font = font.value;
    story.style.setProperty("--size", `${size.value}px`);
    setText($("#size-shown"), size.value);
    for (const name of Object.keys(SHOWN)) story.classList.toggle(`no-${name}`, !this.fields[name].checked);
    for (const mark of story.querySelectorAll(".mark")) setText(mark, QUOTES[quotes.value][Number(mark.dataset.side)]);
  }

  /** As the server's export asks for it. */
  query() {
    const shown = Object.keys(SHOWN).map((name) => [name, this.fields[name].checked ? "1" : "0"]);
    return { ...Object.fromEntries(shown), quotes: this.fields.quotes.value };
  }
}
