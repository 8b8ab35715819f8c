// The characters as chips, left and right: added by Enter, moved by dragging or Shift and an arrow, removed by Delete.

import { $, h, patchList, setAttr, setText } from "../dom.js";
import { t } from "../texts.js";
import { SIDES, added, moved, onSide, placed, without } from "./cast.js";
import { Face } from "./face.js";

const DRAGGED = 8; // pixels before a press counts as a drag

export class Chips {
  /** `onChange()` after every change, `onChoose(character)` when one is to be looked at, `onTwins(names)` for names that are there. */
  constructor({ onChange, onChoose, onTwins }) {
    Object.assign(this, { cast: [], chosen: null, onChange, onChoose, onTwins });
    for (const side of SIDES) this.listen(side);
  }

  list(side) {
    return $(`.side[data-side="${side}"] .chips`);
  }

  input(side) {
    return $(`.side[data-side="${side}"] input`);
  }

  listen(side) {
    const input = this.input(side);
    input.addEventListener("keydown", (event) => this.typed(event, side));
    input.addEventListener("blur", () => this.add(side)); // a name that was typed is meant
    this.list(side).addEventListener("keydown", (event) => this.key(event));
    this.list(side).addEventListener("click", (event) => this.click(event));
    this.list(side).addEventListener("pointerdown", (event) => this.press(event));
  }

  write(cast) {
    this.cast = cast;
    this.draw();
  }

  set(cast) {
    this.write(cast);
    this.onChange();
  }

  change(key, values) {
    this.set(this.cast.map((character) => (character.key === key ? { ...character, ...values } : character)));
  }

  choose(key) {
    this.chosen = key;
    this.draw();
    this.onChoose(this.cast.find((character) => character.key === key) || null);
  }

  draw() {
    const update = (node, character) => this.update(node, character);
    for (const side of SIDES) patchList(this.list(side), onSide(this.cast, side), (character) => character.key, makeChip, update);
  }

  update(node, character) {
    setText(node.querySelector(".name"), character.name);
    setAttr(node.querySelector(".chip"), "aria-expanded", String(character.key === this.chosen));
    setAttr(node.querySelector(".remove"), "aria-label", t("chips.remove", { name: character.name }));
    node.face.draw(character);
  }

  add(side) {
    const input = this.input(side);
    const { cast, twins } = added(this.cast, input.value, side);
    input.value = "";
    if (cast.length > this.cast.length) this.set(cast);
    if (twins.length) this.onTwins(twins);
  }

  typed(event, side) {
    if (event.isComposing || event.keyCode === 229) return;
    if (["Enter", ",", "，", "、"].includes(event.key)) {
      if (event.key !== "Enter" || event.currentTarget.value) event.preventDefault();
      this.add(side);
    } else if (event.key === "Backspace" && event.currentTarget.value === "") {
      const last = onSide(this.cast, side).pop();
      if (last) this.focus(last.key);
    }
  }

  focus(key) {
    const chip = $(`.chips [data-key="${key}"] .chip`);
    if (chip) chip.focus();
  }

  key(event) {
    const key = keyAt(event.target);
    if (!key) return;
    const ways = { ArrowLeft: "back", ArrowRight: "on", ArrowUp: "over", ArrowDown: "over" };
    if (event.key in ways && event.shiftKey) this.move(key, ways[event.key]);
    else if (event.key === "ArrowLeft" || event.key === "ArrowRight") this.step(key, event.key === "ArrowRight" ? 1 : -1);
    else if (event.key === "Delete" || event.key === "Backspace") this.remove(key);
    else return;
    event.preventDefault();
  }

  step(key, by) {
    const all = SIDES.flatMap((side) => onSide(this.cast, side));
    const next = all[all.findIndex((character) => character.key === key) + by];
    if (next) this.focus(next.key);
  }

  move(key, way) {
    this.set(moved(this.cast, key, way));
    this.focus(key);
  }

  remove(key) {
    const { side } = this.cast.find((character) => character.key === key);
    const there = onSide(this.cast, side);
    const at = there.findIndex((character) => character.key === key);
    const next = there[at + 1] || there[at - 1];
    if (this.chosen === key) this.choose(null);
    this.set(without(this.cast, key));
    if (next) this.focus(next.key);
    else this.input(side).focus();
  }

  click(event) {
    const key = keyAt(event.target);
    if (!key || this.dragged) return;
    if (event.target.closest(".remove")) this.remove(key);
    else this.choose(this.chosen === key ? null : key);
  }

  // A dragged chip is put at its new place while it moves, so the page listens and not the chip, which may lose the capture.

  press(event) {
    const key = keyAt(event.target);
    this.dragged = false;
    const byFinger = event.pointerType === "touch" && !event.target.closest(".grip"); // a finger on the name scrolls
    if (!key || event.button !== 0 || byFinger || event.target.closest(".remove")) return;
    const ends = new AbortController();
    const on = (name, what) => document.addEventListener(name, what, { signal: ends.signal });
    const { clientX, clientY, pointerId } = event;
    on("pointermove", (now) => {
      if (now.pointerId !== pointerId) return;
      if (Math.hypot(now.clientX - clientX, now.clientY - clientY) > DRAGGED) this.dragged = true;
      if (this.dragged) this.drag(key, now);
    });
    on("pointerup", () => ends.abort());
    on("pointercancel", () => ends.abort());
  }

  drag(key, { clientX, clientY }) {
    const under = document.elementFromPoint(clientX, clientY);
    const side = under && under.closest(".side");
    if (!side) return;
    const chips = [...side.querySelectorAll(".chips > li")].filter((node) => node.dataset.key !== key);
    const at = chips.filter((node) => isBefore(node.getBoundingClientRect(), clientX, clientY)).length;
    const cast = placed(this.cast, key, side.dataset.side, at);
    const order = (list) => list.map((character) => character.key + character.side).join();
    if (order(cast) !== order(this.cast)) this.set(cast);
  }
}

const keyAt = (node) => {
  const chip = node.closest("li[data-key]");
  return chip ? chip.dataset.key : null;
};

/** Whether a chip stands before that point, as one reads: line by line, from the left. */
const isBefore = (box, x, y) => box.bottom < y || (box.top <= y && box.left + box.width / 2 < x);

function makeChip() {
  const face = new Face();
  const grip = h("span", { class: "grip", "aria-hidden": "true" }, "⠿");
  const chip = h("button", { type: "button", class: "chip" }, grip, face.node, h("span", { class: "name" }));
  const remove = h("button", { type: "button", class: "quiet remove", tabindex: "-1" }, "×");
  const node = h("li", {}, chip, remove);
  node.face = face;
  return node;
}
