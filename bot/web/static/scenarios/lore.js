// The lorebook's entries as they are written. Which of them the model reads, and when, is decided at the desk.

import { $, h, setAttr, setText, show } from "../dom.js";
import { t } from "../texts.js";
import { freshEntry } from "./sheet.js";

const SEPARATORS = /[,，\n]/;

export class Lore {
  constructor(onChange) {
    this.onChange = onChange;
    this.list = $("#lore-entries");
    this.isKept = false;
    this.list.addEventListener("input", (event) => this.changed(event.target.closest("li")));
    this.list.addEventListener("click", (event) => this.click(event));
    $("#lore-add").addEventListener("click", () => this.add());
  }

  /** `entries` null: the file has something else there, which stays as it is until somebody adds an entry. */
  write(entries) {
    this.isKept = entries === null;
    this.list.replaceChildren(...(entries || []).map(makeEntry));
    this.count();
  }

  read() {
    const entries = [...this.list.children].map((node) => node.read());
    return this.isKept && entries.length === 0 ? null : entries;
  }

  /** Opens the entry that the server found fault with. */
  open(at) {
    const node = this.list.children[at];
    if (node) node.open();
  }

  add() {
    const node = makeEntry(freshEntry());
    this.list.append(node);
    node.open();
    node.querySelector("[data-field=keys]").focus();
    this.count();
    this.onChange();
  }

  changed(node) {
    node.summarise();
    this.count();
    this.onChange();
  }

  click(event) {
    if (!event.target.closest(".remove")) return;
    const node = event.target.closest("li");
    const next = node.nextElementSibling || node.previousElementSibling;
    node.remove();
    (next ? next.querySelector("summary") : $("#lore-add")).focus();
    this.count();
    this.onChange();
  }

  count() {
    setText($("#lore-count"), this.list.children.length || "");
    show($("#lore-kept"), this.isKept && this.list.children.length === 0);
  }
}

/** A long book is a list of names; an entry's boxes are made when it is opened. */
function makeEntry(entry) {
  const title = h("span", { class: "name" });
  const details = h("details", {}, h("summary", {}, title));
  const node = h("li", {}, details);
  let boxes = null;
  const fill = () => {
    if (boxes !== null) return;
    boxes = boxesOf(entry);
    details.append(...laidOut(boxes));
  };
  details.addEventListener("toggle", fill);
  node.open = () => {
    fill();
    details.open = true;
  };
  node.read = () => (boxes === null ? entry : { ...entry, ...valuesOf(boxes) });
  node.summarise = () => summarise(node, title, node.read());
  node.summarise();
  return node;
}

function boxesOf(entry) {
  const boxes = {
    name: text(entry.name),
    keys: words(entry.keys),
    secondary: words(entry.secondary),
    text: h("textarea", { rows: "3" }),
    priority: h("input", { type: "number", step: "1", inputmode: "numeric", value: String(entry.priority) }),
    enabled: check(entry.enabled),
    constant: check(entry.constant),
    case: check(entry.case),
  };
  boxes.text.value = entry.text;
  for (const [name, box] of Object.entries(boxes)) box.dataset.field = name;
  return boxes;
}

function laidOut(boxes) {
  const labels = (...names) => names.map((name) => label(name, boxes[name]));
  const remove = h("button", { type: "button", class: "quiet remove", data: { t: "lore.remove" } }, t("lore.remove"));
  return [
    ...labels("keys", "secondary", "text"),
    h("div", { class: "row" }, ...labels("constant", "enabled", "case", "priority"), h("span", { class: "spring" }), remove),
    ...labels("name"),
  ];
}

function valuesOf(boxes) {
  const value = (box) => {
    if (box.words) return box.words();
    if (box.type === "checkbox") return box.checked;
    return box.type === "number" ? Math.trunc(Number(box.value)) || 0 : box.value;
  };
  return Object.fromEntries(Object.entries(boxes).map(([name, box]) => [name, value(box)]));
}

function summarise(node, title, { name, keys, text: told, enabled, constant }) {
  setText(title, name || keys.join("，") || told.slice(0, 40) || t("lore.empty"));
  setAttr(title, "data-constant", constant ? t("lore.constant") : null);
  setAttr(node, "data-off", !enabled);
}

const text = (value) => h("input", { value });

const check = (on) => h("input", { type: "checkbox", ...(on ? { checked: "" } : {}) });

/** Words with commas between. Words that themselves hold a comma stay whole as long as nobody touches the box. */
function words(list) {
  const box = text(list.join("，"));
  const written = box.value;
  box.words = () => (box.value === written ? list : box.value.split(SEPARATORS).map((word) => word.trim()).filter(Boolean));
  return box;
}

function label(name, box) {
  const said = h("span", { data: { t: `lore.${name}` } }, t(`lore.${name}`));
  const line = box.type === "checkbox" ? [box, said] : [said, box];
  return h("label", { class: box.type === "checkbox" ? "check" : box.type === "number" ? "field line" : "field" }, ...line);
}
