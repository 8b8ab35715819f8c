// The long scene: how long it is, whether a refresh is advisable, and the refresh itself, with a summary that the writer answers for.

import { h, setText, show } from "../../dom.js";
import { ours, t } from "../../texts.js";
import { give } from "./dialogs.js";
import { many } from "./figures.js";
import { Summary } from "./summary.js";
import { Typed } from "./typed.js";

const LAST = 12; // lines kept as they are, unless the writer says otherwise

export class Refresh {
  constructor(store) {
    this.store = store;
    const summary = h("textarea", { rows: "6", maxlength: "4000", id: "summary", data: { tPlaceholder: "tools.refresh.placeholder" } });
    const last = h("input", { type: "number", min: "0", max: "1000", required: "", id: "last-lines", inputmode: "numeric" });
    this.length = h("p", { class: "total" });
    this.advice = h("p", { class: "advice", role: "status" });
    this.now = h("p", { class: "hint" });
    this.undo = h("button", { type: "button", data: { t: "tools.refresh.undo" } });
    this.send = h("button", { type: "submit", class: "main" });
    this.clash = h("button", { type: "button", class: "quiet", data: { t: "tools.typed.clash" } });
    this.model = new Summary(store, summary, last);
    const form = h(
      "form",
      { class: "tool-form" },
      h("p", { class: "hint", data: { t: "tools.refresh.hint" } }),
      h("label", { for: "summary", data: { t: "tools.refresh.summary" } }),
      summary,
      this.model.root,
      h("div", { class: "row" }, h("label", { for: "last-lines", data: { t: "tools.refresh.last" } }), last),
      h("div", { class: "row" }, this.send, this.undo, this.clash),
    );
    this.fold = h("details", { class: "refresh" }, h("summary", { data: { t: "tools.refresh.title" } }), this.now, form);
    this.root = h("div", {}, h("h2", { data: { t: "tools.length.title" } }), this.length, this.advice, this.fold);
    this.summary = new Typed(store, "summary", summary, () => this.draw());
    this.last = new Typed(store, "last", last, () => this.draw());
    this.fold.open = this.summary.value !== "" || this.model.text !== "";
    form.addEventListener("submit", (event) => this.refresh(event));
    this.undo.addEventListener("click", () => give(store, "unrefresh", {}, t("tools.refresh.undone")));
    this.clash.addEventListener("click", () => this.take());
  }

  get there() {
    const { refresh } = this.store.snapshot;
    return refresh ? [refresh.summary, String(refresh.last)] : ["", String(LAST)];
  }

  draw() {
    const { length, refresh } = this.store.snapshot;
    const tokens = length.tokens === null ? null : many(length.tokens);
    setText(this.length, t(tokens === null ? "tools.length.lines" : "tools.length.both", { lines: many(length.lines), tokens }));
    setText(this.advice, ours(length.advice || ""));
    show(this.advice, Boolean(length.advice));
    setText(this.now, refresh ? t(refresh.first === null ? "tools.refresh.elsewhere" : "tools.refresh.now", { n: refresh.first }) : t("tools.refresh.not"));
    setText(this.send, t(refresh ? "tools.refresh.again" : "tools.refresh.do"));
    show(this.undo, refresh !== null);
    this.model.draw();
    const [summary, last] = this.there;
    const clashes = [this.summary.draw(summary), this.last.draw(last)];
    show(this.clash, clashes.includes(true));
  }

  take() {
    const [summary, last] = this.there;
    this.summary.take(summary);
    this.last.take(last);
    this.draw();
  }

  async refresh(event) {
    event.preventDefault();
    await give(this.store, "refresh", { summary: this.summary.value, last: Number(this.last.value) }, t("tools.refresh.done"));
  }
}
