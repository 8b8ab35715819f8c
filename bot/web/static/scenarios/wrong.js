// What the server found wrong, at the field that it is about.

import { $, setAttr, setText } from "../dom.js";

const OF = { sampling: "preset", lorebook: "lore", lore_budget: "lore", authors_note: "note" };

export function clearWrong() {
  for (const output of document.querySelectorAll("#form .wrong")) setText(output, "");
  for (const box of document.querySelectorAll("#form [aria-invalid]")) setAttr(box, "aria-invalid", null);
}

/** `field`: what a refusal is about that names none itself. Returns whether there was a place for it. */
export function showWrong({ answer, message }, field, lore) {
  const fields = answer.fields || (field ? { [field]: message } : {});
  const places = Object.entries(fields).map(([path, what]) => mark(path.split("."), what, lore));
  const first = places.find(Boolean);
  if (first) first.focus();
  return Boolean(first);
}

function mark([part, at], what, lore) {
  const name = OF[part] || part;
  const output = $(`#form .wrong[data-of="${name}"]`);
  if (!output) return null;
  setText(output, output.textContent ? `${output.textContent} ${what}` : what);
  if (part === "lorebook") lore.open(Number(at));
  const box = $("#form").elements[name] || (name === "characters" ? $(".side input") : $("#lore-add"));
  setAttr(box, "aria-invalid", "true");
  return box;
}
