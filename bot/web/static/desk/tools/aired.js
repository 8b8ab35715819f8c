// What was aired live, to be opened at the desk as a scene: a whole show, or one of its days.

import { get, post } from "../../api.js";
import { h, setText, show } from "../../dom.js";
import { t } from "../../texts.js";
import { deskOf } from "./addresses.js";
import { openBox, why } from "./dialogs.js";

export async function openAired() {
  const wrong = h("p", { class: "wrong", role: "alert" });
  const none = h("p", { class: "hint", hidden: "" }, t("tools.aired.none"));
  const list = h("ol", { class: "aired" });
  const close = h("button", { type: "button" }, t("tools.cancel"));
  const box = openBox(t("tools.aired.title"), h("h2", {}, t("tools.aired.title")), h("p", { class: "hint" }, t("tools.aired.note")), wrong, none, list, h("div", { class: "row ends" }, close));
  close.addEventListener("click", () => box.close());
  close.focus();
  const { ok, answer, ...refusal } = await get("/api/show/aired");
  if (!ok) return setText(wrong, why(refusal));
  show(none, answer.shows.length === 0);
  list.append(...answer.shows.map((one) => drawShow(one, wrong)));
}

/** The whole of it first, then each day. */
function drawShow({ show: name, replies, days }, wrong) {
  const way = (text, body) => {
    const button = h("button", { type: "button" }, text);
    button.addEventListener("click", () => open({ show: name, ...body }, button, wrong));
    return button;
  };
  const ofDays = days.map(({ day, replies: n }) => way(t("tools.aired.day", { day, n }), { day }));
  return h("li", {}, h("b", {}, name), h("div", { class: "row" }, way(t("tools.aired.all", { n: replies }), {}), ...(days.length > 1 ? ofDays : [])));
}

async function open(body, button, wrong) {
  button.disabled = true;
  const { ok, answer, ...refusal } = await post("/api/desk/open", body);
  if (ok) return location.assign(deskOf(answer));
  button.disabled = false;
  setText(wrong, why(refusal));
}
