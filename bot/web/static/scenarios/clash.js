// Two people (or two tabs) have changed one scenario: what differs stands side by side, and a person chooses.

import { $, h, setText } from "../dom.js";
import { t } from "../texts.js";
import { told } from "./ask.js";
import * as calls from "./calls.js";
import { differences, joined, toServer } from "./sheet.js";

/**
 * `mine` is on the form, `theirs` is saved, both began as `base`. Resolves to {sheet} to save, {copied: place} when mine has
 * become a scenario of its own, or null when nothing was chosen.
 */
export function settle(mine, theirs, base) {
  const found = differences(mine, theirs, base);
  if (found.length === 0) return Promise.resolve({ sheet: joined(mine, theirs, []) });
  setText($("#clash-wrong"), "");
  $("#clash-fields").replaceChildren(...found.map(makeDifference));
  $("#clash").showModal();
  return new Promise((resolve) => listen(mine, theirs, found, resolve));
}

function listen(mine, theirs, found, resolve) {
  const ends = new AbortController();
  const on = (node, name, what) => node.addEventListener(name, what, { signal: ends.signal });
  const leave = (outcome) => {
    ends.abort();
    $("#clash").close();
    resolve(outcome);
  };
  on($("#clash"), "close", () => leave(null));
  on($("#clash-close"), "click", () => leave(null));
  on($("#clash-save"), "click", () => leave({ sheet: joined(mine, theirs, found.filter(isMine)) }));
  on($("#clash-copy"), "click", async () => {
    const place = await copy(mine, theirs);
    if (place) leave({ copied: place });
  });
}

const isMine = ({ id }) => $(`#clash-fields input[name="clash-${id}"][value="mine"]`).checked;

function makeDifference({ id, mine, theirs, changedHere }) {
  const choice = (value, words, checked) => {
    const input = h("input", { type: "radio", name: `clash-${id}`, value });
    input.checked = checked;
    const text = h("pre");
    setText(text, words || t("clash.empty"));
    return h("label", {}, input, ` ${t(`clash.${value}`)}`, text);
  };
  const both = h("div", { class: "both" }, choice("mine", mine, changedHere), choice("theirs", theirs, !changedHere));
  return h("li", {}, h("strong", {}, t(`clash.${id}`)), both);
}

/** A copy with its pictures, with my words in it. */
async function copy(mine, theirs) {
  const name = await told(t("clash.copy"), t("field.name"), t("clash.copy_name", { name: mine.name }), t("clash.copy"));
  if (name === null) return null;
  const made = await calls.duplicate(theirs.place, name);
  if (!made.ok) return wrong(made);
  const place = { series: made.answer.series, name: made.answer.name };
  const read = await calls.scenario(place);
  const saved = read.ok ? await calls.edit(place, { ...toServer(mine), digest: read.answer.digest }) : read;
  return saved.ok ? place : wrong(saved);
}

function wrong({ message }) {
  setText($("#clash-wrong"), message || t("note.noanswer"));
  return null;
}
