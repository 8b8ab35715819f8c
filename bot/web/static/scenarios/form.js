// The form of one scenario: filled from the server, kept on this device while it is written, saved by whoever presses.

import { $, setAttr, setText, show } from "../dom.js";
import { notice, refused } from "../page.js";
import { ago, t } from "../texts.js";
import { confirmed } from "./ask.js";
import { readBoxes, writeBoxes } from "./boxes.js";
import * as calls from "./calls.js";
import { settle } from "./clash.js";
import { Chips } from "./chips.js";
import { Lore } from "./lore.js";
import { Opening } from "./opening.js";
import { Person } from "./person.js";
import { drawPresets, presetOf } from "./presets.js";
import { save } from "./saving.js";
import { blank, fromServer, sameAs } from "./sheet.js";
import { forget, keep, kept } from "./unsaved.js";
import { clearWrong, showWrong } from "./wrong.js";

const KEPT_AFTER = 400; // ms without a change

export class Form {
  /** `onSaved(place)`: where it now lies. */
  constructor(onSaved) {
    this.onSaved = onSaved;
    this.base = blank(); // what the server has
    this.since = this.base; // what the server had when the writing began
    this.sheet = this.base; // place, digest and what else has no box of its own
    this.presets = [];
    this.isOpen = this.isKept = this.saving = false;
    this.boxes = $("#form").elements;
    this.opening = new Opening();
    this.lore = new Lore(() => this.changed());
    this.chips = new Chips({
      onChange: () => this.castChanged(),
      onChoose: (character) => this.person.draw(character, this.presets),
      onTwins: (names) => notice(t("chips.twins", { names: names.join("、") }), "refused"),
    });
    this.person = new Person(this.chips, (from, to) => this.renamed(from, to));
    this.listen();
  }

  listen() {
    $("#form").addEventListener("input", (event) => this.typed(event.target));
    $("#form").addEventListener("change", () => this.changed());
    $("#form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
    $("#kept-drop").addEventListener("click", () => this.drop());
    window.addEventListener("beforeunload", (event) => this.isDirty && event.preventDefault());
    window.addEventListener("pagehide", () => this.isOpen && this.keep());
  }

  // -- filling -----------------------------------------------------------------------------------------------------

  get name() {
    const { place } = this.base;
    return place ? calls.titleOf(place) : "";
  }

  /** `place` null: a new one, in `series`. Resolves to whether it could be opened. */
  async open(place, presets, series) {
    this.presets = presets;
    const answer = place && (await calls.scenario(place));
    if (answer && !answer.ok) {
      refused(answer);
      return false;
    }
    this.base = answer ? fromServer(answer.answer) : blank(series);
    this.chips.choose(null);
    this.isOpen = true;
    await this.takeKept();
    return true;
  }

  /** What was written here and not saved comes back by itself; what is saved is one press away. */
  async takeKept() {
    const found = await kept(this.name);
    const worth = found !== undefined && !sameAs(found.form.sheet, this.base);
    if (worth) setText($("#kept-text"), t("kept.text", { age: ago((Date.now() - found.at) / 1000) }));
    show($("#form-kept"), worth);
    this.since = worth ? found.form.base : this.base;
    this.write(worth ? found.form.sheet : this.base);
  }

  async drop() {
    if (!(await confirmed(t("kept.drop.title"), t("kept.drop.text"), t("kept.drop.yes")))) return;
    forget(this.name);
    show($("#form-kept"), false);
    this.since = this.base;
    this.write(this.base);
  }

  write(sheet) {
    this.sheet = sheet;
    writeBoxes(this.boxes, sheet, this.presets);
    this.writeCast(sheet.characters);
    this.lore.write(sheet.lore);
    clearWrong();
    this.draw();
  }

  /** Whoever was open stays open. */
  writeCast(characters) {
    const open = this.person.shown;
    const same = open && characters.find((character) => character.name === open.name);
    this.chips.write(characters);
    this.chips.choose(same ? same.key : null);
  }

  read() {
    return { ...this.sheet, ...readBoxes(this.boxes), characters: this.chips.cast, lore: this.lore.read() };
  }

  // -- writing -----------------------------------------------------------------------------------------------------

  get isDirty() {
    return this.isOpen && !sameAs(this.read(), this.base);
  }

  typed(box) {
    setAttr(box, "aria-invalid", null);
    this.changed();
  }

  changed() {
    this.draw();
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => this.keep(), KEPT_AFTER);
  }

  castChanged() {
    this.person.draw(this.person.shown, this.presets);
    this.changed();
  }

  /** The lines of a character who got another name stay theirs. */
  renamed(from, to) {
    const { text, count } = this.opening.renamed(this.boxes.opening.value, from, to);
    this.boxes.opening.value = text;
    if (count) notice(t("character.renamed", { n: count }));
    this.changed();
  }

  async keep() {
    clearTimeout(this.keeping);
    const { name } = this;
    if (!this.isDirty) await forget(name);
    else this.isKept = await keep(name, { sheet: this.read(), base: this.since });
    this.draw();
  }

  draw() {
    const { place } = this.base;
    const dirty = this.isDirty;
    setText($("#form-title"), place ? this.boxes.name.value || place.name : t("form.new"));
    setText($("#form-state"), this.saving ? t("form.saving") : dirty ? t(this.isKept ? "form.unsaved" : "form.unkept") : "");
    setText($("#form-open span"), t(dirty || !place ? "form.open" : "form.open.only"));
    this.opening.draw(this.boxes.opening.value, this.chips.cast);
    $("#form-open").disabled = this.saving;
    $('#form [type="submit"]').disabled = this.saving;
  }

  /** In the other language. */
  redraw() {
    if (!this.isOpen) return;
    drawPresets(this.boxes.preset, this.presets, presetOf(this.boxes.preset));
    this.person.draw(this.person.shown, this.presets);
    this.chips.draw();
    this.draw();
  }

  // -- saving ------------------------------------------------------------------------------------------------------

  /** Resolves to the place where it now lies, or null: then it says why, and nothing that was written is lost. */
  async save() {
    if (this.saving) return null;
    clearWrong();
    this.saving = true;
    this.draw();
    const before = this.name;
    const sent = this.read();
    const outcome = await save(sent);
    this.saving = false;
    if (outcome.sheet) this.halfSaved(outcome.sheet);
    if (this.name !== before) await forget(before);
    return outcome.refusal ? this.notSaved(outcome) : this.saved(before, outcome.place, sent);
  }

  /** The words are on the server, the new name or a picture is not: the next try goes on from there. */
  halfSaved(by) {
    this.sheet = this.base = this.since = { ...this.base, ...by };
    this.chips.write(this.chips.cast.map((character) => ({ ...character, was: character.name })));
  }

  /** `sent`: what was on the form then. Whoever has typed on meanwhile goes on typing. */
  async saved(before, place, sent) {
    const answer = await calls.scenario(place);
    await forget(before);
    show($("#form-kept"), false);
    if (!answer.ok) refused(answer);
    else this.follow(fromServer(answer.answer), sameAs(this.read(), sent));
    notice(t("form.saved"));
    this.onSaved(place);
    return place;
  }

  follow(saved, isSame) {
    this.base = this.since = saved;
    if (isSame) this.write(saved);
    else this.halfSaved({ place: saved.place, was: saved.was, digest: saved.digest });
  }

  async notSaved({ refusal, field }) {
    await this.keep();
    if (refusal.error === "stale_revision") return this.clash();
    if (refusal.error === "not_found") return this.gone();
    if (!showWrong(refusal, field, this.lore)) refused(refusal);
    return null;
  }

  /** Somebody else has saved meanwhile: both stand side by side until a person has chosen. */
  async clash() {
    const answer = await calls.scenario(this.base.place);
    if (!answer.ok) return refused(answer) || null;
    const theirs = fromServer(answer.answer);
    const chosen = await settle(this.read(), theirs, this.since);
    if (chosen === null) return null;
    if (chosen.copied) return this.copied(theirs, chosen.copied);
    this.base = this.since = theirs;
    this.write(chosen.sheet);
    return this.save();
  }

  /** It was renamed or deleted elsewhere: what is on the form can still become a scenario. */
  async gone() {
    if (!(await confirmed(t("gone.title"), t("gone.text"), t("gone.yes")))) return null;
    await forget(this.name);
    this.sheet = { ...this.read(), place: null, was: null, digest: "" };
    this.base = this.since = blank();
    return this.save();
  }

  /** Mine has become a scenario of its own, and the form is that one's. */
  async copied(theirs, place) {
    await forget(this.name);
    this.base = theirs;
    return this.saved("", place, this.read());
  }

  close() {
    if (this.isDirty) this.keep();
    this.isOpen = false;
    this.chips.choose(null);
  }
}
