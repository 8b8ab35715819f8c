// The current card: one message, its proposals, and what may be done. Draws what it is given, decides nothing.

import { $, h, patchFlagged, patchList, setAttr, setText, show } from "./dom.js";
import { ago, named, span, t } from "./texts.js";
import { isPaid } from "./store.js";

/** Who decided. Programs and people who gave no name are "operator" to the server. */
export const nameOf = (by) => (by === "operator" ? t("by.operator") : by);

export const stateOf = (item) => ({
  state: t(`state.${item.state}`),
  by: item.by ? t("by", { name: nameOf(item.by) }) : "",
});

export function viewerOf(message) {
  return message ? message.viewer : t("card.own");
}

/** What stands beside a name: the platform, what was paid, the roles. */
export function badgesOf(message, klass) {
  if (!message) return [];
  const badges = [];
  if (message.kind !== "danmaku") {
    const price = message.price ? ` ¥${message.price}` : "";
    badges.push({ text: named("kind", message.kind) + price, paid: isPaid({ message }) });
  }
  if (["question", "mention", "care"].includes(klass)) badges.push({ text: named("class", klass) });
  if (message.known === false) badges.push({ text: t("viewer.unknown") });
  for (const role of message.roles || []) badges.push({ text: named("role", role) });
  badges.push({ text: named("platform", message.platform) });
  return badges;
}

export function drawBadges(root, badges) {
  patchList(root, badges, (badge) => badge.text, () => h("span", { class: "badge" }), (node, badge) => {
    setText(node, badge.text);
    node.classList.toggle("paid", Boolean(badge.paid));
  });
}

/** What the checks found, each reason once: the gravest first, with its category and its list to look at. */
export function drawReasons(root, flags) {
  const grave = (flag) => (flag.firm ? 0 : flag.level === "block" ? 1 : 2);
  const found = [...new Map([...flags].sort((a, b) => grave(b) - grave(a)).map((flag) => [flag.reason || flag.rule, flag])).values()];
  found.sort((a, b) => grave(a) - grave(b));
  patchList(root, found, (flag) => flag.reason || flag.rule, () => h("li"), (node, flag) => {
    const mark = flag.firm ? "flag.firm" : flag.level === "block" ? "flag.block" : "flag.mark";
    setText(node, t(mark, { reason: flag.reason || flag.rule, category: flag.category ? `${named("category", flag.category)}: ` : "" }));
    setAttr(node, "title", titleOf(flag) || null);
    setAttr(node, "data-level", flag.level);
  });
}

/** Category and list of a finding. */
export const titleOf = (flag) =>
  [flag.category ? named("category", flag.category) : "", flag.source || "", flag.rule || ""].filter(Boolean).join(" · ");

/** `view`: { item, picked, editing, busy, early, mute, empty: { title, text } } */
export function drawCard(view, now) {
  const { item } = view;
  const card = $("#card");
  setAttr(card, "data-empty", !item);
  setAttr(card, "data-early", view.early);
  setText($("#empty-title"), view.empty.title);
  setText($("#empty-text"), view.empty.text);
  if (!item) return;
  setAttr(card, "data-item", item.id);
  setAttr(card, "data-own", !item.message);
  drawHead(item, now);
  drawMute(item, view.mute, now);
  drawAsked(item);
  drawDrafts(item, view.picked);
  drawStamp(item, view);
  show($("#editor"), view.editing);
  setAttr($("#drafts"), "data-covered", view.editing);
}

function drawHead(item, now) {
  setText($("#viewer"), viewerOf(item.message));
  drawBadges($("#badges"), badgesOf(item.message, item.class));
  const others = (item.others || []).map((message) => `${message.viewer}: ${message.text}`).join("\n");
  setText($("#merged"), item.merged ? t("card.merged", { n: item.merged }) : "");
  setAttr($("#merged"), "title", others || null);
  drawTimes(item, now);
}

function drawMute(item, mute, now) {
  const known = Boolean(item.message) && item.message.known !== false;
  show($("#hush"), known);
  setText($("#hush-text"), mute ? t("hush.lift", { left: span(mute.until - now) }) : t("hush.mute"));
  setAttr($("#hush"), "aria-pressed", String(Boolean(mute)));
}

function drawTimes(item, now) {
  setText($("#age"), ago(now - (item.message && item.message.time ? item.message.time : item.created)));
  const limited = item.expires !== null && item.state === "pending";
  const left = limited ? item.expires - now : 0;
  setText($("#left"), limited ? t("card.left", { left: span(left) }) : item.state === "pending" ? t("card.forever") : "");
  show($("#left-bar"), limited);
  if (!limited) return setAttr($("#card"), "data-low", null);
  const share = Math.max(0, Math.min(1, left / Math.max(1, item.expires - item.created)));
  $("#left-bar i").style.transform = `scaleX(${share.toFixed(3)})`;
  setAttr($("#left-bar"), "data-low", left < 10);
  setAttr($("#card"), "data-low", left < 10);
}

function drawAsked(item) {
  const findings = item.findings || [];
  const text = item.message ? item.message.text : "";
  const nothing = item.message ? named("kind", item.message.kind) : t("card.own.question");
  patchFlagged($("#question"), text || nothing, text ? findings : []);
  drawReasons($("#findings"), item.withdrawn ? [{ reason: t("card.withdrawn") }, ...findings] : findings);
  setText($("#quote"), text ? quoteNote(item) : "");
  const before = (item.history || []).slice(-2);
  patchList($("#before"), before, (past) => before.indexOf(past), () => h("li"), (node, past) => {
    const reply = past.reply ? ` → ${past.reply}` : "";
    setText(node, `${t("card.before")}：${past.text}（${named("state", past.state)}）${reply}`);
    setAttr(node, "title", node.textContent);
  });
  const reasons = (item.reasons || []).map((code) => named("why", code));
  setText($("#why"), reasons.length ? t("card.why", { reasons: reasons.join(" · ") }) : "");
}

/** What the overlay will show of the viewer's words, where that is not simply what stands here. */
function quoteNote({ message, quote }) {
  if (!quote) return t("card.noquote");
  return quote.text === message.text ? "" : t("card.quote", { text: quote.text });
}

function makeDraft() {
  const row = h("li", { class: "draft", role: "radio", tabindex: "-1", data: { command: "pick" } });
  row.append(h("span", { class: "number" }), h("span", { class: "reply" }), h("ul", { class: "reasons" }), h("span", { class: "minor" }));
  return row;
}

function drawDrafts(item, picked) {
  const drafts = item.drafts.map((draft, index) => ({ ...draft, index }));
  patchList($("#drafts"), drafts, (draft) => `${item.id} ${draft.index}`, makeDraft, (row, draft) => {
    const [number, reply, reasons, origin] = row.children;
    const broken = !draft.done && !item.drafting;
    const twin = draft.done ? drafts.findIndex((other) => other.done && other.text === draft.text) : draft.index;
    row.dataset.index = draft.index;
    setText(number, String(draft.index + 1));
    patchFlagged(reply, draft.text, draft.flags || []);
    drawReasons(reasons, draft.flags || []);
    setAttr(row, "aria-checked", String(draft.index === picked));
    setAttr(row, "data-writing", !draft.done && item.drafting);
    setAttr(row, "data-done", draft.done);
    setAttr(row, "data-broken", broken);
    setAttr(row, "data-twin", twin < draft.index);
    if (broken) setText(origin, t("drafts.broken"));
    else if (twin < draft.index) setText(origin, t("drafts.twin", { n: twin + 1 }));
    else setText(origin, draft.by_person ? t("drafts.person") : "");
  });
  const none = item.error ? t("note.error", { text: item.error }) : item.drafting ? t("drafts.soon") : t("drafts.none");
  setText($("#no-drafts"), none);
  show($("#no-drafts"), drafts.length === 0);
  setText($("#dots"), drafts.length ? t("drafts.of", { i: picked + 1, n: drafts.length }) : "");
}

/** A card that somebody else, or the clock, has decided stays in its place and says so. */
function drawStamp(item, view) {
  const gone = item.state !== "pending" && !view.busy && !view.editing;
  show($("#stamp"), gone);
  if (!gone) return;
  setText($("#stamp-text"), t("card.gone", stateOf(item)));
  setText($("#stamp-words"), item.text || "");
  $("#stamp-undo").dataset.id = item.id;
  show($("#stamp-undo"), ["approved", "rejected", "expired"].includes(item.state));
}
