// A question that must be answered before something goes away. Resolves to what the person said.

import { $, setText, show } from "../dom.js";
import { t } from "../texts.js";

/** `yes`: the words on the button that does it. Resolves to true or false; Esc is no. */
export async function confirmed(title, text, yes) {
  show($("#ask-field"), false);
  return (await asked(title, text, yes)) === "yes";
}

/** Resolves to the words that were given, or null. */
export async function told(title, label, value, yes) {
  show($("#ask-field"), true);
  setText($("#ask-label"), label);
  $("#ask-value").value = value;
  const answer = asked(title, "", yes);
  $("#ask-value").select();
  return (await answer) === "yes" ? $("#ask-value").value : null;
}

function asked(title, text, yes) {
  const dialog = $("#ask");
  setText($("#ask-title"), title);
  setText($("#ask-text"), text);
  setText($("#ask-yes"), yes);
  setText($("#ask-no"), t("cancel"));
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true }));
}

$("#ask-value").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.isComposing) $("#ask").close("yes");
});
