// Taking the story away: files in every form, the text on the clipboard, paper, or on to the desk.

import { post } from "../api.js";
import { $, h, setAttr } from "../dom.js";
import { notice, refused } from "../page.js";
import { t } from "../texts.js";
import { fromServer } from "./place.js";

const FORMS = ["md", "txt", "html", "epub", "log"];

export class Taking {
  /** `query()`: what the look says to the server. */
  constructor(place, query) {
    Object.assign(this, { place, query });
    this.links = FORMS.map((form) => h("a", { class: "link", download: "", data: { form, t: `take.${form}` } }));
    $("#forms").replaceChildren(...this.links.map((link) => h("li", {}, link)));
    setAttr($("#to-desk"), "data-t", place.scene ? "take.desk" : "take.desk.new");
    $("#copy").addEventListener("click", () => this.copy());
    $("#print").addEventListener("click", () => this.print());
    $("#to-desk").addEventListener("click", () => this.toDesk());
  }

  address(form) {
    return fromServer("/api/reading/export", this.place, { ...this.query(), form });
  }

  /** The links say what is chosen now. */
  update() {
    for (const link of this.links) link.href = this.address(link.dataset.form);
  }

  async copy() {
    try {
      const text = this.text();
      await write(text);
      notice(t("take.copied", { n: Array.from(await text).length }));
    } catch (error) {
      notice(t("take.not_copied"), "refused");
    }
    $("#take").hidePopover();
  }

  async text() {
    const response = await fetch(this.address("txt"), { cache: "no-store" });
    if (!response.ok) throw new Error(`export: ${response.status}`);
    return response.text();
  }

  print() {
    $("#take").hidePopover();
    window.print();
  }

  /** A scene is there already; a log or a show becomes a new one. */
  async toDesk() {
    if (this.place.scene) return location.assign(`/desk?scene=${encodeURIComponent(this.place.scene)}`);
    const opened = await post("/api/desk/open", this.place);
    if (opened.ok) location.assign(`/desk?scene=${encodeURIComponent(opened.answer.id)}`);
    else refused(opened);
  }
}

/** Browsers give pages the clipboard on secure addresses only, and only right after a click; elsewhere, the old way. */
async function write(text) {
  if (navigator.clipboard && window.ClipboardItem) {
    const blob = text.then((words) => new Blob([words], { type: "text/plain" }));
    return navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
  }
  const box = h("textarea", { class: "unseen", readonly: "" });
  box.value = await text;
  document.body.append(box);
  box.select();
  const done = document.execCommand("copy");
  box.remove();
  if (!done) throw new Error("copy");
}
