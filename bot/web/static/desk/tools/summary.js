// A summary drafted by the model, beside the box of the refresh: shown as it grows, and put into the box by a press only.

import { h, setText, show } from "../../dom.js";
import { notice, refused } from "../../page.js";
import { forget, remember, remembered } from "../../settings.js";
import { t } from "../../texts.js";

export class Summary {
  /** `box`: where it goes; `last`: the field with the number of lines that it need not tell. */
  constructor(store, box, last) {
    Object.assign(this, { store, box, last, key: `desk.summary.${store.scene}`, stopping: null });
    this.text = remembered(this.key, ""); // until it is used or dropped; a reload does not lose it
    this.ask = h("button", { type: "button" });
    this.words = h("p", { class: "words" });
    const use = h("button", { type: "button", data: { t: "tools.summary.use" } });
    const drop = h("button", { type: "button", class: "quiet", data: { t: "tools.summary.drop" } });
    this.choice = h("div", { class: "row" }, use, drop);
    this.draft = h(
      "div",
      { class: "model-summary", role: "region", data: { tLabel: "tools.summary.title" } },
      h("p", { class: "hint", data: { t: "tools.summary.hint" } }),
      this.words,
      this.choice,
    );
    this.root = h("div", { class: "tool-form" }, h("div", { class: "row" }, this.ask), this.draft);
    this.ask.addEventListener("click", () => (this.stopping ? this.stopping.abort() : this.write()));
    use.addEventListener("click", () => this.use());
    drop.addEventListener("click", () => this.forget());
  }

  draw() {
    const running = this.stopping !== null;
    setText(this.ask, t(running ? "tools.summary.stop" : this.text ? "tools.summary.again" : "tools.summary.ask"));
    setText(this.words, this.text || t("tools.summary.reading"));
    show(this.draft, running || this.text !== "");
    show(this.choice, !running);
  }

  async write() {
    if (!this.last.reportValidity()) return;
    if (!this.store.live) return notice(t("desk.note.offline"), "refused");
    this.stopping = new AbortController();
    this.text = "";
    this.draw();
    const answer = await this.store.sumUp(Number(this.last.value), (text) => this.grow(text), this.stopping.signal);
    this.stopping = null;
    if (this.text) remember(this.key, this.text);
    this.draw();
    if (!answer.ok) refused(answer);
  }

  grow(text) {
    this.text = text;
    this.draw();
  }

  /** After what the writer has there already. */
  use() {
    const { box, text } = this;
    box.value = [box.value.trim(), text].filter(Boolean).join("\n");
    box.dispatchEvent(new Event("input", { bubbles: true }));
    this.forget();
    box.focus();
  }

  forget() {
    this.text = "";
    forget(this.key);
    this.draw();
    this.ask.focus();
  }
}
