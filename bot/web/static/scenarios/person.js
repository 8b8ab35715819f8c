// The character that is looked at: name, face, note, preset, and moving without a mouse.

import { $, setAttr, setText, show } from "../dom.js";
import { notice } from "../page.js";
import { t } from "../texts.js";
import { moved, tidyName } from "./cast.js";
import { cut } from "./crop.js";
import { Face } from "./face.js";
import { drawPresets, presetOf } from "./presets.js";

const isPicture = (file) => Boolean(file) && file.type.startsWith("image/");

export class Person {
  /** `onRename(from, to)` after a name has changed. */
  constructor(chips, onRename) {
    Object.assign(this, { chips, onRename, key: null, face: new Face(96) });
    $("#face").append(this.face.node);
    this.listen();
  }

  listen() {
    for (const id of ["#face", "#face-choose"]) $(id).addEventListener("click", () => $("#face-file").click());
    $("#face-file").addEventListener("change", () => this.take($("#face-file").files[0]));
    $("#face-drop").addEventListener("click", () => this.chips.change(this.key, { picture: null }));
    $("#character-note").addEventListener("input", () => this.chips.change(this.key, { note: $("#character-note").value }));
    $("#character-preset").addEventListener("change", () => this.chips.change(this.key, { preset: presetOf($("#character-preset")) }));
    $("#character-name").addEventListener("change", () => this.rename());
    $("#character").addEventListener("dragover", (event) => isPicture(event.dataTransfer.items[0]) && event.preventDefault());
    $("#character").addEventListener("drop", (event) => this.received(event, event.dataTransfer.files[0]));
    $("#form").addEventListener("paste", (event) => this.received(event, event.clipboardData.files[0]));
    for (const button of document.querySelectorAll("#character [data-move]")) {
      button.addEventListener("click", () => this.move(button.dataset.move));
    }
  }

  get shown() {
    return this.chips.cast.find((character) => character.key === this.key) || null;
  }

  draw(character, presets) {
    const other = this.key !== (character ? character.key : null);
    this.key = character ? character.key : null;
    show($("#character"), character !== null);
    if (character === null) return;
    this.face.draw(character);
    show($("#face-drop"), Boolean(character.picture || (character.avatar && character.picture !== null)));
    drawPresets($("#character-preset"), presets, character.preset);
    if (other) this.wrong("");
    if (other || document.activeElement !== $("#character-note")) $("#character-note").value = character.note;
    if (other || document.activeElement !== $("#character-name")) $("#character-name").value = character.name;
  }

  move(way) {
    const { key } = this;
    if (way === "remove") this.chips.remove(key);
    else this.chips.set(moved(this.chips.cast, key, way));
  }

  rename() {
    const { name: from } = this.shown;
    const to = tidyName($("#character-name").value);
    const taken = this.chips.cast.some((character) => character.name === to && character.key !== this.key);
    this.wrong(taken ? t("character.taken") : to ? "" : t("form.needed"));
    if (taken || !to || to === from) return;
    $("#character-name").value = to;
    this.chips.change(this.key, { name: to });
    this.onRename(from, to);
  }

  wrong(words) {
    setText($('[data-of="character"]'), words);
    setAttr($("#character-name"), "aria-invalid", words ? "true" : null);
  }

  /** Pasted or dropped while a character is open: a picture is their face, anything else is for importing. */
  received(event, file) {
    if (this.key === null || !isPicture(file)) return;
    event.preventDefault();
    this.take(file);
  }

  async take(file) {
    $("#face-file").value = "";
    const { key } = this;
    if (!file || key === null) return;
    try {
      const picture = await cut(file);
      if (picture) this.chips.change(key, { picture });
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      notice(t("face.bad", { name: file.name }), "refused");
    }
  }
}
