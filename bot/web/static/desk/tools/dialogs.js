// Small boxes that ask for a name or for a yes. A box closes when its order has taken effect; otherwise it says why, and
// what was typed stays in it.

import { h, setText, show } from "../../dom.js";
import { notice } from "../../page.js";
import { t } from "../../texts.js";

/** An order, and a line at the foot of the page that says how it went. A promise of the answer. */
export async function give(store, kind, fields, said = "") {
  const answer = await store.order(kind, fields);
  notice(answer.ok ? said : why(answer), answer.ok ? "said" : "refused");
  return answer;
}

/** The server's no in words, with what to do about it. */
export function why({ status, error, message }) {
  if (error === "stale_revision") return t("tools.stale");
  if (status === 0 && !message) return t("note.noanswer");
  return message || t("note.failed", { code: error || status });
}

/** `send(name)` gives a promise of an answer. `value`: what stands in the box at first, selected. */
export function askName({ title, note = "", value = "", button, send }) {
  const input = h("input", { type: "text", maxlength: "60", required: "", autocomplete: "off", "aria-label": title });
  input.value = value;
  open({ title, notes: [note], fields: [input], button, send: () => send(input.value.trim()) });
  input.select();
}

/** `notes`: what it means, a paragraph each. */
export function askYes({ title, notes, button, send }) {
  open({ title, notes, fields: [], button, send });
}

function open({ title, notes, fields, button, send }) {
  const wrong = h("p", { class: "wrong", role: "alert" });
  const yes = h("button", { type: "submit", class: "main" }, button);
  const no = h("button", { type: "button" }, t("tools.cancel"));
  const paragraphs = notes.filter(Boolean).map((note) => h("p", { class: "hint" }, note));
  const form = h("form", {}, h("h2", {}, title), ...paragraphs, ...fields, wrong, h("div", { class: "row ends" }, no, yes));
  const box = openBox(title, form);
  no.addEventListener("click", () => box.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (yes.disabled) return;
    yes.disabled = true;
    const answer = await send();
    yes.disabled = false;
    if (answer.ok) box.close();
    else setText(wrong, why(answer));
  });
  if (fields.length === 0) yes.focus();
}

/** A modal box with that content, gone from the page when it closes. A click beside it closes it. */
export function openBox(title, ...content) {
  const box = h("dialog", { "aria-label": title, class: "tool-box" }, ...content);
  document.body.append(box);
  box.addEventListener("close", () => box.remove());
  box.addEventListener("click", (event) => event.target === box && box.close());
  box.addEventListener("keydown", (event) => event.stopPropagation()); // the page's keys rest while it is open
  box.showModal();
  return box;
}

/** A paragraph that is only there when it says something. */
export function say(node, text) {
  setText(node, text);
  show(node, Boolean(text));
}
