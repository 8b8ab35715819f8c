// A scene stands alone: it goes by its scenario as it was when the scene began. When that was edited since, this says so
// above every tool, with the button that takes the new one over. Where there is none, no link leads to it.

import { $, h, setAttr, show } from "../../dom.js";
import { t } from "../../texts.js";
import { give } from "./dialogs.js";

export class Newer {
  constructor(store) {
    this.store = store;
    this.asked = 0;
    const take = h("button", { type: "button", data: { t: "tools.newer.take" } });
    this.root = h("div", { class: "newer", role: "status", hidden: "" }, h("p", { data: { t: "tools.newer.text" } }), take);
    take.addEventListener("click", () => this.take());
    // The scenario is edited on another page, and that is where the writer comes back from.
    window.addEventListener("focus", () => this.look());
    document.addEventListener("visibilitychange", () => document.hidden || this.look());
    store.subscribe(({ event, undo, redo }) => (event === "snapshot" || (event === "scene" && [undo, redo].includes("recast"))) && this.look());
    this.look();
  }

  /** Where the server cannot say, nothing is offered. */
  async look() {
    const asked = (this.asked += 1);
    const answer = await this.store.read("scenario");
    if (asked !== this.asked) return;
    show(this.root, answer.ok && answer.answer.changed);
    setAttr($("#tools"), "data-no-scenario", answer.ok && !answer.answer.there ? "" : null);
  }

  async take() {
    const { ok } = await give(this.store, "recast", {}, t("tools.newer.taken"));
    if (ok) $("#tools [role=tab][aria-selected=true]").focus(); // the button goes
  }
}
