// How somebody likes to read: remembered on this device, and said to the server when a story is taken away.

import { $, setText } from "../dom.js";
import { remember, remembered } from "../settings.js";

const USUAL = { font: "serif", size: 19, names: true, avatars: true, opening: true, headings: true, quotes: "corner" };
const SHOWN = ["names", "avatars", "opening", "headings"];
const QUOTES = { corner: "「」", curly: "“”" };

export class Look {
  /** `changed()` is called after each change, and has been seen on the page by then. */
  constructor(form, changed) {
    this.form = form;
    this.changed = changed;
    this.chosen = { ...USUAL, ...remembered("reading", {}) };
    this.fill();
    form.addEventListener("input", () => this.choose());
    form.addEventListener("submit", (event) => event.preventDefault());
  }

  fill() {
    const { font, size, quotes } = this.chosen;
    for (const [name, value] of Object.entries({ font, size, quotes })) this.form.elements[name].value = String(value);
    for (const name of SHOWN) this.form.elements[name].checked = this.chosen[name];
  }

  choose() {
    const { font, size, quotes } = this.form.elements;
    this.chosen = { font: font.value, size: Number(size.value), quotes: quotes.value };
    for (const name of SHOWN) this.chosen[name] = this.form.elements[name].checked;
    remember("reading", this.chosen);
    this.apply();
    this.changed();
  }

  apply() {
    const { font, size, quotes } = this.chosen;
    const story = $("#story");
    story.dataset.font = font;
    story.style.setProperty("--size", `${size}px`);
    setText($("#size"), String(size));
    for (const name of SHOWN) story.classList.toggle(`no-${name}`, !this.chosen[name]);
    for (const mark of story.querySelectorAll(".mark")) setText(mark, (QUOTES[quotes] || QUOTES.corner)[Number(mark.dataset.side)]);
  }

  /** As the server's export asks for it. */
  query() {
    const shown = SHOWN.map((name) => [name, this.chosen[name] ? "1" : "0"]);
    return { ...Object.fromEntries(shown), quotes: this.chosen.quotes };
  }
}
