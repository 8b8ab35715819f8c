// Search in the story as one types. What is found is painted by the browser's own highlights: the story's nodes stay as they are.

import { $, setAttr, setText, show } from "../dom.js";
import { t } from "../texts.js";

const escaped = (words) => words.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");

/** Every place in these lines: {line, start, end}. Case does not count. */
export function places(lines, words) {
  if (!words.trim()) return [];
  const pattern = new RegExp(escaped(words), "giu");
  const found = [];
  for (const line of lines) {
    for (const match of line.words.data.matchAll(pattern)) found.push({ line, start: match.index, end: match.index + match[0].length });
  }
  return found;
}

/** A browser without highlights marks the paragraph of the present place and no words. */
function paint(name, found) {
  if (!("highlights" in CSS)) return;
  const ranges = found.map(({ line, start, end }) => {
    return new StaticRange({ startContainer: line.words, startOffset: start, endContainer: line.words, endOffset: end });
  });
  CSS.highlights.set(name, new Highlight(...ranges));
}

export class Finder {
  /** `lines()`: those that can be seen. `changed(words)`, and `deskAddress(line)` or null where a line is not at the desk. */
  constructor(lines, changed, deskAddress) {
    Object.assign(this, { lines, changed, deskAddress });
    this.found = [];
    this.at = 0;
    $("#find").addEventListener("input", () => this.search());
    $("#find").addEventListener("keydown", (event) => this.key(event));
    $("#previous").addEventListener("click", () => this.go(-1));
    $("#next").addEventListener("click", () => this.go(1));
  }

  get words() {
    return $("#find").value;
  }

  set words(words) {
    $("#find").value = words;
  }

  key(event) {
    if (event.isComposing) return;
    if (event.key === "Enter") this.go(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape") this.leave();
    else return;
    event.preventDefault();
  }

  leave() {
    this.words = "";
    this.search();
    $("#story").focus({ preventScroll: true });
  }

  /** Goes to the first place that is not above what is being read. */
  search() {
    this.find();
    this.changed(this.words);
    if (this.found.length) this.show();
  }

  /** Finds the same words again, in lines that may be others now, and moves nothing. */
  find() {
    this.found = places(this.lines(), this.words);
    const top = $("#bar").getBoundingClientRect().bottom;
    this.at = Math.max(0, this.found.findIndex(({ line }) => line.paragraph.getBoundingClientRect().bottom > top));
    paint("found", this.found);
    this.tell();
  }

  go(step) {
    if (!this.found.length) return;
    this.at = (this.at + step + this.found.length) % this.found.length;
    this.show();
  }

  show() {
    this.found[this.at].line.paragraph.scrollIntoView({ block: "center" });
    this.tell();
  }

  tell() {
    const here = this.found[this.at];
    paint("here", here ? [here] : []);
    if (this.marked) this.marked.classList.remove("here");
    this.marked = here ? here.line.paragraph : null;
    if (this.marked) this.marked.classList.add("here");
    show($("#found"), this.words.trim() !== "");
    setText($("#count"), here ? t("find.count", { at: this.at + 1, n: this.found.length }) : t("find.none"));
    for (const button of [$("#previous"), $("#next")]) button.disabled = !here;
    const address = here ? this.deskAddress(here.line) : null;
    show($("#line-at-desk"), address !== null);
    setAttr($("#line-at-desk"), "href", address);
  }
}
