// The lorebook's entries as they are written. Which of them the model reads, and when, is decided at the desk.

import { $, h, setAttr, setText } from "../dom.js";
import { t } from "../texts.js";

const SEPARATORS = /[,，\n]/;

const fresh = () => ({ name: "", keys: [], secondary: [], text: "", priority: 0, enabled: true, constant: false, case: false });

export class Lore {
  constructor(onChange) {
    this.onChange = onChange;
    this.list = $("#lore-entries");
    this.list.addEventListener("input", (event) => this.changed(event.target.closest("li")));
    this.list.addEventListener("click", (event) => this.click(event));
    $("#lore-add").addEventListener("click", () => this.add());
  }

  write(entries) {
    this.list.replaceChildren(...entries.map(makeEntry));
    this.count();
  }

  read() {
    return [...this.list.children].map((node) => node.read());
  }

  /** Opens the entry that the server found fault with. */
  open(at) {
    const node = this.list.children[at];
    if (node) node.querySelector("details").open = true;
  }

  add() {
    const node = makeEntry(fresh());
    this.list.append(node);
    node.querySelector("details").open = true;
    node.querySelector("input[data-field=keys]").focus();
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
  }
}

function makeEntry(entry) {
  const boxes = {
    name: text(entry.name || ""),
    keys: words(entry.keys || []),
    secondary: words(entry.secondary || []),
    text: h("textarea", { rows: "3", data: { field: "text" } }),
    priority: h("input", { type: "number", step: "1", inputmode: "numeric", value: String(entry.priority || 0) }),
    enabled: check(entry.enabled !== false),
    constant: check(entry.constant === true),
    case: check(entry.case === true),
  };
  boxes.text.value = entry.text || "";
  for (const [name, box] of Object.entries(boxes)) box.dataset.field = name;
  const labels = (...names) => names.map((name) => label(name, boxes[name]));
  const title = h("span", { class: "name" });
  const remove = h("button", { type: "button", class: "quiet remove", data: { t: "lore.remove" } }, t("lore.remove"));
  const node = h("li", {},
    h("details", {},
      h("summary", {}, title),
      ...labels("keys", "secondary", "text"),
      h("div", { class: "row" }, ...labels("constant", "enabled", "case", "priority"), h("span", { class: "spring" }), remove),
      ...labels("name"),
    ),
  );
  const valueOf = (box) => (box.type === "checkbox" ? box.checked : box.type === "number" ? Math.trunc(Number(box.value)) || 0 : box.words ? box.words() : box.value);
  node.read = () => ({ ...entry, ...Object.fromEntries(Object.entries(boxes).map(([name, box]) => [name, valueOf(box)])) });
  node.summarise = () => summarise(node, title, node.read());
  node.summarise();
  return node;
}

function summarise(node, title, { name, keys, text: words, enabled, constant }) {
  setText(title, name || keys.join("，") || words.slice(0, 40) || t("lore.empty"));
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
  const words = h("span", { data: { t: `lore.${name}` } }, t(`lore.${name}`));
  const line = box.type === "checkbox" ? [box, words] : [words, box];
  return h("label", { class: box.type === "checkbox" ? "check" : box.type === "number" ? "field line" : "field" }, ...line);
}
