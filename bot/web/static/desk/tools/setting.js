// What stands behind the scene: the author's note, and the entries of the lorebook that are active now.

import { h, patchList, setText, show } from "../../dom.js";
import { t } from "../../texts.js";
import { scenarioOf } from "./addresses.js";
import { give } from "./dialogs.js";
import { many } from "./figures.js";
import { Typed } from "./typed.js";

export class SettingTool {
  constructor(root, store) {
    this.store = store;
    root.append(this.makeNote(), ...this.makeLore());
  }

  makeNote() {
    const text = h("textarea", { rows: "5", maxlength: "4000", id: "note-text", data: { tPlaceholder: "tools.note.placeholder" } });
    const depth = h("input", { type: "number", min: "0", max: "100", required: "", id: "note-depth", inputmode: "numeric" });
    this.save = h("button", { type: "submit", class: "main", data: { t: "tools.note.save" } });
    this.clash = h("button", { type: "button", class: "quiet", data: { t: "tools.typed.clash" } });
    const form = h(
      "form",
      { class: "tool-form" },
      h("h2", {}, h("label", { for: "note-text", data: { t: "tools.note.title" } })),
      h("p", { class: "hint", data: { t: "tools.note.hint" } }),
      text,
      h("div", { class: "row" }, h("label", { for: "note-depth", data: { t: "tools.note.depth" } }), depth, this.save, this.clash),
    );
    this.text = new Typed(this.store, "note", text, () => this.drawNote());
    this.depth = new Typed(this.store, "depth", depth, () => this.drawNote());
    form.addEventListener("submit", (event) => this.send(event));
    text.addEventListener("keydown", (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && form.requestSubmit());
    this.clash.addEventListener("click", () => this.takeServers());
    return form;
  }

  makeLore() {
    this.budget = h("span", { class: "count" });
    this.lore = h("ul", { class: "lore" });
    this.outHead = h("p", { class: "hint", data: { t: "tools.lore.out" } });
    this.out = h("ul", { class: "lore out" });
    this.none = h("p", { class: "hint", data: { t: "tools.lore.none" } });
    const head = h("h2", {}, h("span", { data: { t: "tools.lore.title" } }), this.budget);
    this.edit = h("a", { data: { t: "tools.lore.edit" } });
    return [head, this.lore, this.outHead, this.out, this.none, h("p", { class: "hint" }, this.edit)];
  }

  open() {}

  draw() {
    this.drawNote();
    this.drawLore(this.store.snapshot);
    this.edit.href = scenarioOf(this.store.snapshot);
  }

  drawNote() {
    const { text, depth } = this.store.snapshot.note;
    const clashes = [this.text.draw(text), this.depth.draw(String(depth))];
    this.save.disabled = !this.text.dirty && !this.depth.dirty;
    show(this.clash, clashes.includes(true));
  }

  takeServers() {
    const { text, depth } = this.store.snapshot.note;
    this.text.take(text);
    this.depth.take(String(depth));
    this.drawNote();
  }

  async send(event) {
    event.preventDefault();
    const { ok } = await give(this.store, "note", { text: this.text.value, depth: Number(this.depth.value) }, t("tools.note.saved"));
    if (ok) this.drawNote();
  }

  drawLore({ lore, lore_left_out: out, lore_budget: budget }) {
    const used = lore.reduce((sum, entry) => sum + entry.tokens, 0);
    setText(this.budget, lore.length + out.length ? t("tools.lore.of", { n: many(used), budget: many(budget) }) : "");
    show(this.none, lore.length + out.length === 0);
    show(this.outHead, out.length > 0);
    drawEntries(this.lore, lore);
    drawEntries(this.out, out);
  }
}

/** Two entries may have one name. */
function drawEntries(list, entries) {
  patchList(list, entries.map((entry, i) => ({ ...entry, i })), (entry) => entry.i, makeEntry, (row, entry) => {
    setText(row.children[0], entry.name);
    setText(row.children[1], t("tools.fed.tokens", { n: many(entry.tokens) }));
    setText(row.children[2], entry.key ? t("tools.lore.mentioned", entry) : t("tools.lore.always"));
  });
}

const makeEntry = () => h("li", {}, h("b"), h("span", { class: "count" }), h("p", { class: "minor" }));
