// The frame of the writing pages: the way to the other pages, theme, language, and a line that says what happened.

import { $, h, setAttr, setText } from "./dom.js";
import { remember, remembered } from "./settings.js";
import { addTexts, language, t, translatePage, useLanguage } from "./texts.js";

const PAGES = [["/", "nav.panel"], ["/scenarios", "nav.scenarios"], ["/desk", "nav.desk"], ["/output", "nav.output"], ["/stats", "nav.stats"]];
const THEMES = ["auto", "dark", "light"];
const NOTICE_STAYS = 6000;

addTexts({
  "nav.label": ["页面", "Pages"],
  "nav.panel": ["场控", "Panel"],
  "nav.scenarios": ["剧本", "Scenarios"],
  "nav.desk": ["写作台", "Desk"],
  "nav.output": ["阅读", "Read"],
  "nav.stats": ["统计", "Figures"],
});

let redraw = () => {};
let noticeTimer = null;

/** Fills `<header id="top">` and translates the page. `whenLanguageChanges()` draws again what scripts have written. */
export function openPage(whenLanguageChanges = () => {}) {
  redraw = whenLanguageChanges;
  const links = PAGES.map(([path, key]) => {
    const here = location.pathname === path;
    return h("a", { href: path, ...(here ? { "aria-current": "page" } : {}), data: { t: key } });
  });
  const theme = h("button", { type: "button", class: "quiet theme" });
  const lang = h("button", { type: "button", class: "quiet", data: { t: "cmd.lang" } });
  theme.addEventListener("click", () => chooseTheme(THEMES[(THEMES.indexOf(remembered("theme", "auto")) + 1) % 3]));
  lang.addEventListener("click", () => speak(language() === "zh" ? "en" : "zh"));
  $("#top").append(h("nav", { data: { tLabel: "nav.label" } }, ...links), h("div", { class: "tools" }, theme, lang));
  document.body.append(h("p", { id: "said", role: "status", popover: "manual" }));
  speak(remembered("lang", "zh"));
  chooseTheme(remembered("theme", "auto"));
}

function speak(lang) {
  remember("lang", lang);
  useLanguage(lang);
  translatePage();
  chooseTheme(remembered("theme", "auto"));
  redraw();
}

function chooseTheme(theme) {
  remember("theme", theme);
  setAttr(document.documentElement, "data-theme", theme === "auto" ? null : theme);
  setText($("#top .theme"), t(`theme.${theme}`));
}

/** A line at the foot of the page, gone after a while. `kind` "refused" stays twice as long. */
export function notice(text, kind = "said") {
  clearTimeout(noticeTimer);
  raise($("#said"));
  setText($("#said"), text);
  $("#said").dataset.kind = kind;
  noticeTimer = setTimeout(() => setText($("#said"), ""), NOTICE_STAYS * (kind === "refused" ? 2 : 1));
}

/** In front of a dialog, too. Older browsers leave it behind. */
function raise(node) {
  if (!node.showPopover) return;
  if (node.matches(":popover-open")) node.hidePopover();
  node.showPopover();
}

/** The server's no, in its own words. */
export function refused(answer) {
  notice(answer.message || (answer.status === 0 ? t("note.noanswer") : t("note.failed", { code: answer.error || answer.status })), "refused");
}
