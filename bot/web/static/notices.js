// What the page tells the person: a line at the card, which says why when something did not happen, and a live region.

import { $, setAttr, setText } from "./dom.js";
import { t } from "./texts.js";

const NOTICE_STAYS = 6000;

let noticeTimer = null;

export function notice(text, kind = "said") {
  clearTimeout(noticeTimer);
  setAttr(document.documentElement, "data-sheet", null); // on the phone the sheet would cover the words
  setText($("#notice"), text);
  $("#notice").dataset.kind = kind;
  noticeTimer = setTimeout(clearNotice, NOTICE_STAYS * (kind === "refused" ? 2 : 1));
}

export function clearNotice() {
  clearTimeout(noticeTimer);
  setText($("#notice"), "");
  delete $("#notice").dataset.kind;
}

/** The server's no, in its own words. */
export function refused(answer) {
  if (navigator.vibrate) navigator.vibrate([30, 40, 30]);
  const said = answer.message || (answer.status === 0 ? t("note.noanswer") : t("note.failed", { code: answer.error || answer.status }));
  notice(said, "refused");
  return said;
}

/** For screen readers. */
export function say(text) {
  setText($("#live"), text);
}
