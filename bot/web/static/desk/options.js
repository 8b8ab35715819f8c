// How drafts are written: how many, how long, with which preset. Kept on this device; the hint is the scene's and is not.

import { $, h, patchList, setAttr, setText, show } from "../dom.js";
import { remember, remembered } from "../settings.js";
import { t } from "../texts.js";

const KEY = "desk.options";
const COUNT = 3;
const MOST = 8;
const LEAST = 1000;

export class Options {
  /** `changed()` is called when something was chosen. */
  constructor(changed) {
    this.root = $("#options");
    const kept = remembered(KEY, {});
    $("#count").value = kept.count || COUNT;
    $("#least").value = kept.least || "";
    $("#temperature").value = kept.temperature || "";
    this.preset = kept.preset || "";
    $("#preset").addEventListener("change", () => (this.preset = $("#preset").value));
    this.root.addEventListener("input", () => this.keep());
    this.root.addEventListener("change", () => this.keep());
    $("#hint").addEventListener("input", changed);
  }

  keep() {
    const { preset } = this;
    remember(KEY, { count: $("#count").value, least: $("#least").value, temperature: $("#temperature").value, preset });
  }

  draw(presets) {
    patchList($("#preset"), ["", ...presets], (name) => `=${name}`, (name) => h("option", { value: name }), (node, name) => {
      setText(node, name || t("desk.options.preset.own"));
    });
    $("#preset").value = presets.includes(this.preset) ? this.preset : "";
  }

  get hint() {
    return $("#hint").value;
  }

  set hint(text) {
    $("#hint").value = text;
  }

  /** What a request for drafts says besides who speaks: { count, min_length, hint, sampling? }. */
  get fields() {
    const preset = $("#preset").value;
    const temperature = $("#temperature").value === "" ? null : Number($("#temperature").value);
    const sampling = { ...(preset && { preset }), ...(temperature !== null && { temperature }) };
    return {
      count: bounded($("#count").value, 1, MOST, COUNT),
      min_length: bounded($("#least").value, 0, LEAST, 0),
      hint: this.hint.trim(),
      ...(Object.keys(sampling).length && { sampling }),
    };
  }

  get open() {
    return !this.root.hidden;
  }

  toggle() {
    const open = !this.open;
    show(this.root, open);
    setAttr($("#open-options"), "aria-expanded", String(open));
    if (open) $("#preset").focus();
  }

  close() {
    this.toggle();
    $("#open-options").focus();
  }
}

const bounded = (value, least, most, otherwise) => (value === "" ? otherwise : Math.min(most, Math.max(least, Math.round(Number(value)) || otherwise)));
