// A choice of sampling presets. Values of a file's own are shown as one more choice and kept as they are.

import { h } from "../dom.js";
import { t } from "../texts.js";

const OWN = " own"; // no preset has such a name

export function drawPresets(select, presets, chosen) {
  const own = typeof chosen === "object" && chosen !== null;
  const known = own || chosen === "" || presets.includes(chosen) ? presets : [...presets, chosen];
  select.own = own ? chosen : select.own;
  const choices = [["", t("preset.default")], ...known.map((name) => [name, name]), ...(select.own ? [[OWN, t("preset.own")]] : [])];
  select.replaceChildren(...choices.map(([value, words]) => h("option", { value }, words)));
  select.value = own ? OWN : chosen;
}

export const presetOf = (select) => (select.value === OWN ? select.own : select.value);
