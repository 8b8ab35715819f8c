// Who is in the scene, in what order they speak, and who comes next. Characters themselves are edited at /scenarios.

import { h, patchList, setAttr, setText, show } from "../../dom.js";
import { notice } from "../../page.js";
import { t } from "../../texts.js";
import { drawFace, makeFace, shownName } from "../people.js";
import { scenarioOf } from "./addresses.js";
import { give } from "./dialogs.js";

const TURNS = ["hand", "turn", "mention"];

export class CastTool {
  constructor(root, store) {
    this.store = store;
    this.next = h("p", { class: "next", "aria-live": "polite" });
    this.turns = h("fieldset", { class: "choices" }, h("legend", { data: { t: "tools.cast.turns" } }), ...TURNS.map(makeChoice));
    this.people = h("ol", { class: "people" });
    this.input = h("input", { type: "text", maxlength: "60", autocomplete: "off", data: { tLabel: "tools.cast.free", tPlaceholder: "tools.cast.free" } });
    const add = h("button", { type: "submit", data: { t: "tools.cast.add" } });
    const form = h("form", { class: "row one-line" }, this.input, add);
    this.edit = h("a", { data: { t: "tools.cast.edit" } });
    root.append(this.turns, this.next, h("h2", { data: { t: "tools.cast.present" } }), this.people, form, h("p", { class: "hint" }, this.edit));
    this.turns.addEventListener("change", (event) => this.order(this.present, event.target.value));
    this.people.addEventListener("change", (event) => this.toggle(event.target.dataset.name, event.target.checked));
    this.people.addEventListener("click", (event) => this.move(event.target.closest("[data-by]")));
    form.addEventListener("submit", (event) => this.add(event));
  }

  open() {}

  draw() {
    const { cast, characters } = this.store.snapshot;
    this.present = cast.present;
    this.edit.href = scenarioOf(this.store.snapshot);
    setText(this.next, cast.next.length ? t("tools.cast.next", { names: cast.next.slice(0, 3).map(shownName).join(t("tools.cast.then")) }) : "");
    for (const input of this.turns.querySelectorAll("input")) {
      input.checked = input.value === cast.turns;
      setText(input.nextSibling, t(`tools.cast.${input.value}`));
      setText(input.parentElement.lastChild, t(`tools.cast.${input.value}.note`));
    }
    const absent = characters.map((one) => one.name).filter((name) => !cast.present.includes(name));
    const focused = document.activeElement;
    const known = new Map(characters.map((one) => [one.name, one]));
    const people = [...cast.present, ...absent].map((name, i) => ({ name, i, is: known.get(name) || null }));
    patchList(this.people, people, ({ name }) => name, makePerson, (row, person) => this.drawPerson(row, person));
    if (this.people.contains(focused)) focused.focus(); // a row that has moved has lost it
  }

  drawPerson(row, { name, i, is }) {
    const { present } = this;
    const here = i < present.length;
    const [label, face, words, up, down] = row.children;
    const [about, note] = words.children;
    const box = label.firstChild;
    box.checked = here;
    setText(label.lastChild, shownName(name));
    drawFace(face, name, is ? is.avatar : null);
    setText(about, [is ? t(`tools.cast.side.${is.side}`) : t("tools.cast.guest"), is && is.preset ? t("tools.cast.preset", { name: is.preset }) : ""].filter(Boolean).join(" · "));
    setText(note, is ? is.note : "");
    for (const [button, key, can] of [[up, "tools.cast.up", i > 0], [down, "tools.cast.down", i < present.length - 1]]) {
      show(button, here && present.length > 1);
      setAttr(button, "aria-disabled", can ? null : "true"); // it keeps the focus at the end of its way
      setAttr(button, "aria-label", t(key, { name }));
    }
  }

  // -- orders --------------------------------------------------------------------------------------------------------

  async order(present, turns = this.store.snapshot.cast.turns) {
    const answer = await give(this.store, "cast", { present, turns });
    if (!answer.ok) this.draw(); // the boxes say again what is so
    return answer;
  }

  toggle(name, here) {
    const present = here ? [...this.present, name] : this.present.filter((one) => one !== name);
    if (present.length > 0) return this.order(present);
    notice(t("tools.cast.nobody"), "refused");
    this.draw();
  }

  move(button) {
    if (!button || button.getAttribute("aria-disabled")) return;
    const present = [...this.present];
    const from = present.indexOf(button.dataset.name);
    const [name] = present.splice(from, 1);
    present.splice(from + Number(button.dataset.by), 0, name);
    this.order(present);
  }

  async add(event) {
    event.preventDefault();
    const name = this.input.value.trim();
    if (!name || this.present.includes(name)) return;
    const { ok } = await this.order([...this.present, name]);
    if (ok && this.input.value.trim() === name) this.input.value = "";
  }
}

function makeChoice(value) {
  const input = h("input", { type: "radio", name: "turns", value });
  return h("label", { class: "choice" }, input, h("span"), h("span", { class: "minor" }));
}

function makePerson({ name }) {
  const box = h("input", { type: "checkbox", data: { name } });
  const step = (by, sign) => h("button", { type: "button", class: "quiet", data: { by, name } }, sign);
  const words = h("div", { class: "words" }, h("p", { class: "minor" }), h("p", { class: "minor note" }));
  return h("li", {}, h("label", {}, box, h("b")), makeFace(), words, step("-1", "↑"), step("1", "↓"));
}
