// The plain boxes of the form: a text or a number each, under the name that it has in the sheet.

import { drawPresets, presetOf } from "./presets.js";

const TEXTS = ["series", "name", "background", "opening", "form", "note"];
const NUMBERS = ["depth", "budget"];

export function writeBoxes(boxes, sheet, presets) {
  for (const name of TEXTS) boxes[name].value = sheet[name];
  for (const name of NUMBERS) boxes[name].value = String(sheet[name]);
  drawPresets(boxes.preset, presets, sheet.preset);
}

export function readBoxes(boxes) {
  const texts = TEXTS.map((name) => [name, boxes[name].value]);
  const numbers = NUMBERS.map((name) => [name, Math.max(0, Math.trunc(Number(boxes[name].value)) || 0)]);
  return { ...Object.fromEntries([...texts, ...numbers]), preset: presetOf(boxes.preset) };
}
