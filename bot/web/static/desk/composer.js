// Where the writer writes. Quick: one box, Enter sends. Advanced: a line as anybody, and drafts as anybody. It gives what
// was typed and never loses it: a box is emptied only when the server has taken its words.

import { $, setAttr, setText, show } from "../dom.js";
import { t } from "../texts.js";
import { groupsOf, NameBox } from "./names.js";
import { split } from "./paste.js";
import { shownName } from "./people.js";

export const QUICK = "quick";
export const ADVANCED = "advanced";

const touch = matchMedia("(pointer: coarse)");

export class Composer {
  /** `send()`: Enter or Ctrl+Enter in the box. `ask()`: in the box below it. `changed()`: anything was typed or chosen. */
  constructor({ send, ask, changed }) {
    this.mode = QUICK;
    this.me = ""; // who speaks in quick mode, and who answers
    this.them = "";
    this.text = $("#text");
    this.start = $("#start");
    this.changed = () => {
      this.drawText();
      changed();
    };
    this.speaker = new NameBox($("#speaker"), this.changed);
    this.writer = new NameBox($("#writer"), () => {
      this.chosen = true;
      this.changed();
    });
    this.chosen = false; // a person has chosen who writes next, so turns do not
    this.place = null; // the last line's id: after it the next one is chosen anew
    this.text.addEventListener("keydown", (event) => this.press(event, send));
    this.start.addEventListener("keydown", (event) => isEnter(event) && !event.altKey && act(event, ask));
    for (const box of [this.text, this.start]) box.addEventListener("input", this.changed);
    this.text.addEventListener("selectionchange", changed);
    $("#composer").addEventListener("submit", (event) => event.preventDefault());
  }

  /** Enter sends in quick mode and breaks the line in advanced mode; with Shift it always does; with Ctrl it sends. */
  press(event, send) {
    if (!isEnter(event) || event.altKey || event.shiftKey) return;
    if (this.mode === QUICK || event.ctrlKey || event.metaKey) act(event, send);
  }

  /** `next`: who may speak next, best first. `hand`: the writer is chosen by hand. */
  offer(people, told, { next, turns }) {
    const [me] = people.of("User");
    const theirs = people.of("AI");
    const first = this.me === "" && this.them === "";
    this.me = me || this.me || t("desk.name.me");
    this.them = next.find((name) => theirs.includes(name)) || theirs[0] || "";
    const place = told.length ? told[told.length - 1].id : "";
    if (place !== this.place) Object.assign(this, { place, chosen: false });
    const groups = groupsOf(people, told);
    this.speaker.offer(groups);
    this.writer.offer(groups);
    this.known = [...new Set(groups.flatMap(([, names]) => names))].filter(Boolean);
    if (first) [this.speaker.name, this.writer.name] = [this.me, this.them];
    else if (turns !== "hand" && !this.chosen && next.length) this.writer.name = next[0];
    this.draw();
  }

  use(mode) {
    this.mode = mode === ADVANCED ? ADVANCED : QUICK;
    this.changed();
    this.draw();
  }

  draw() {
    const quick = this.mode === QUICK;
    setAttr($("#composer"), "data-mode", this.mode);
    for (const mode of [QUICK, ADVANCED]) setAttr($(`[data-command=${mode}]`), "aria-pressed", String(mode === this.mode));
    show($("#me"), quick);
    show($("#speaker"), !quick);
    show($("#write"), quick);
    show($("#ask"), !quick);
    setText($("#me"), shownName(this.me));
    setText($("#send-text"), t(quick ? "desk.cmd.send" : "desk.cmd.add"));
    setText($("#send-key"), quick ? "⏎" : "Ctrl ⏎");
    setAttr(this.text, "placeholder", this.hint);
    setAttr(this.text, "enterkeyhint", quick ? "send" : "enter");
    this.drawText();
  }

  get hint() {
    if (this.mode === ADVANCED) return t("desk.say.advanced");
    const who = t(this.them ? "desk.say.quick" : "desk.say.alone", { me: this.me, them: this.them });
    return touch.matches ? who : t("desk.say.keys", { who });
  }

  drawText() {
    const rows = this.text.value.split("\n").length;
    if (this.text.rows !== Math.min(8, rows)) this.text.rows = Math.min(8, rows); // where CSS cannot grow a box
    const lines = this.mode === ADVANCED ? this.lines : [];
    const names = [...new Set(lines.map((line) => shownName(line.character)))].join("、");
    setText($("#split"), lines.length > 1 ? t("desk.say.split", { n: lines.length, names }) : "");
  }

  /** What is in the box, as lines: [{ character, text }], several when they were pasted as `名: 话`. */
  get lines() {
    const text = this.text.value;
    if (!text.trim()) return [];
    if (this.mode === QUICK) return [{ character: this.me, text }];
    return split(text, this.known) || [{ character: this.speaker.name, text }];
  }

  /** What a reload or a crash must not lose. */
  get state() {
    const { text, start, mode } = this;
    return { text: text.value, cursor: text.selectionStart, character: this.speaker.name, mode, writer: this.writer.name, start: start.value };
  }

  restore({ text, cursor, character, mode, writer, start }) {
    this.text.value = text;
    this.start.value = start;
    this.speaker.name = character;
    this.writer.name = writer;
    this.use(mode);
    this.text.setSelectionRange(cursor, cursor);
  }

  /** Empties the box whose words the server has taken, unless something else stands in it by now. */
  clear(box, text) {
    if (box.value !== text) return;
    box.value = "";
    this.changed();
  }

  /** Puts words after those that are there. */
  insert(text) {
    this.text.value = this.text.value.trim() ? `${this.text.value.trimEnd()}\n${text}` : text;
    this.focus();
    this.changed();
  }

  focus() {
    this.text.focus({ preventScroll: true });
  }

  /** Where the writer goes on. On the phone only a touch opens the keyboard, which hides half of the story. */
  goOn() {
    if (!touch.matches) this.focus();
  }
}

/** Enter that ends the composition of an input method is the input method's own. */
const isEnter = (event) => event.key === "Enter" && !event.isComposing && event.keyCode !== 229;

function act(event, action) {
  if (event.shiftKey && (event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  if (!event.repeat) action();
}
