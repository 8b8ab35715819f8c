// A choice of sampling presets. Values of a file's own are shown as one more choice and kept as they are.

import { h } from "../dom.js";
import { t } from "../texts.js";

const OWN = " own"; // no preset has such a name

export function drawPresets(select, presets, chosen) {
  const own = typeof chosen === "object" && chosen !== null;
  const known = own || chosen === "" || presets.includes(chosen) ? presets : [...presets, chosen];
  const option = (value, words) => h("option", { value }, words);
  select.own = own ? chosen : select.own;
  select.replaceChildren(option("", t("preset.default")), ...known.map((name) => option(name, name)), ...(select.own ? [option(OWN, t("preset.own"))] : []));
  select.value = own ? OWN : chosen;
}

export const presetOf = (select) => (select.value === OWN ? select.own : select.value);
