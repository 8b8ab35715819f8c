// What a person does about the checks: sees what they find in words being written, lets words through with a reason,
// and lists a word. The server decides; nothing here knows what is allowed.

import { post } from "./api.js";
import { drawReasons } from "./card.js";
import { $, patchFlagged, setText, show, shut } from "./dom.js";
import { refused } from "./notices.js";
import { t } from "./texts.js";

const PAUSE = 250;
const LEAST_WORD = 2;

/** What the checks say of a text: its flags, or null when the server has not said. */
export async function flagsOf(text) {
  const answer = await post("/api/check", { text });
  return answer.ok ? answer.answer.flags : null;
}

export const isBlocked = (flags) => flags.some((flag) => flag.level === "block");
export const isFirm = (flags) => flags.some((flag) => flag.firm);

/** Not modal: the emergency stop stays within reach. */
function openBeside(dialog) {
  if (!dialog.open) dialog.show();
}

/** The words that lists have found, as they stand in the lists. */
function listedWords(flags) {
  const rules = flags.map((flag) => flag.rule).filter((rule) => rule.startsWith("word:"));
  return [...new Set(rules.map((rule) => rule.slice("word:".length)))];
}

/** Shows under the edit box what the checks find in it, a moment after the last letter. */
export class Preview {
  constructor() {
    this.text = null;
    this.timer = null;
  }

  look(text) {
    if (text === this.text) return;
    this.text = text;
    clearTimeout(this.timer);
    if (text.trim() === "") this.draw(text, []);
    else this.timer = setTimeout(() => this.ask(text), PAUSE);
  }

  async ask(text) {
    const flags = await flagsOf(text);
    if (text === this.text && flags !== null) this.draw(text, flags);
  }

  draw(text, flags) {
    show($("#edit-found"), flags.length > 0);
    patchFlagged($("#edit-marked"), text, flags);
    drawReasons($("#edit-reasons"), flags);
  }

  forget() {
    clearTimeout(this.timer);
    this.text = null;
    this.draw("", []);
  }
}

/** Asks why blocked words may go out. `done(words, reason)` when the person has said so. */
export class LetThrough {
  constructor() {
    this.words = null; // { id, revision, text }
  }

  ask(words, flags) {
    this.words = words;
    patchFlagged($("#let-words"), words.text, flags);
    drawReasons($("#let-reasons"), flags);
    $("#let-reason").value = "";
    const [listed] = listedWords(flags);
    show($("#let-allow"), listed !== undefined);
    $("#let-allow").dataset.word = listed || "";
    setText($("#let-allow"), t("let.allow", { word: listed || "" }));
    setText($("#let-notice"), "");
    openBeside($("#let"));
    $("#let-reason").focus();
  }

  /** The words and the reason, or null while there is none. */
  answer() {
    const reason = $("#let-reason").value.trim();
    if (!this.words) return null;
    if (!reason) {
      setText($("#let-notice"), t("let.empty"));
      $("#let-reason").focus();
      return null;
    }
    return { ...this.words, override: reason };
  }

  close() {
    this.words = null;
    if ($("#let").open) shut($("#let"));
  }
}

/** What is probably meant by "this word": what is selected, else what a list has found in the card. */
export function likelyWord(item, draft) {
  const selected = String(getSelection()).trim();
  if (selected && !selected.includes("\n")) return selected;
  const flags = [...((draft && draft.flags) || []), ...((item && item.findings) || [])];
  return listedWords(flags)[0] || "";
}

export function openWord(word) {
  $("#word-text").value = word;
  setText($("#word-notice"), "");
  openBeside($("#word"));
  $("#word-text").focus();
  $("#word-text").select();
}

/** `rule`: "block", "allow" or "forget". True when the list has changed. */
export async function listWord(rule, send) {
  const word = $("#word-text").value.trim();
  if (Array.from(word).length < LEAST_WORD) {
    setText($("#word-notice"), t("word.short"));
    return null;
  }
  const body = { word, rule, category: $("#word-category").value, severity: Number($("#word-severity").value) };
  setText($("#word-notice"), t("note.sending"));
  const answer = await send("list-word ", "/api/words", body);
  if (answer === null) return null;
  if (!answer.ok) {
    setText($("#word-notice"), refused(answer));
    return null;
  }
  shut($("#word"));
  return word;
}
