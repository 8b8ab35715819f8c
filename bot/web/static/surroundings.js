// How the page looks and which keys it listens to: theme, language, sound, help, and the sheet of the phone. Nothing of the
// show is in here.

import { $, h, patchList, setAttr, setText } from "./dom.js";
import * as keys from "./keys.js";
import { remember, remembered } from "./settings.js";
import { beep } from "./sound.js";
import { language, named, t, translatePage, useLanguage } from "./texts.js";

function drawKeys() {
  for (const kbd of document.querySelectorAll("button[data-command] > kbd")) {
    const id = kbd.parentElement.dataset.command;
    if (!keys.command(id).fixed && keys.keysOf(id).length) setText(kbd, keys.labelsOf(id)[0]);
  }
}

function drawTools() {
  for (const node of document.querySelectorAll(".sound")) setText(node, t(remembered("sound", true) ? "sound.on" : "sound.off"));
  for (const node of document.querySelectorAll(".theme")) setText(node, t(`theme.${remembered("theme", "auto")}`));
}

export function toggleZen() {
  const root = document.documentElement;
  setAttr(root, "data-zen", !root.hasAttribute("data-zen"));
}

export function toggleSound() {
  remember("sound", !remembered("sound", true));
  if (remembered("sound", true)) beep(false);
  drawTools();
}

export function toggleTheme() {
  const themes = ["auto", "dark", "light"];
  remember("theme", themes[(themes.indexOf(remembered("theme", "auto")) + 1) % 3]);
  useTheme();
}

export function useTheme() {
  const theme = remembered("theme", "auto");
  setAttr(document.documentElement, "data-theme", theme === "auto" ? null : theme);
  drawTools();
}

export function toggleLanguage() {
  remember("lang", language() === "zh" ? "en" : "zh");
  speak(remembered("lang", "zh"));
}

export function speak(lang) {
  useLanguage(lang);
  translatePage();
  drawChoices();
  drawTools();
  drawKeys();
  drawHelp();
}

/** What a word can be listed as. */
function drawChoices() {
  const categories = ["custom", "insult", "threat", "hate", "sexual", "violence", "gambling", "drugs_weapons", "ads_fraud", "politics", "spam"];
  drawOptions($("#word-category"), categories, "category");
  drawOptions($("#word-severity"), ["3", "2", "4"], "severity");
}

function drawOptions(select, codes, group) {
  patchList(select, codes, (code) => code, (code) => h("option", { value: code }), (node, code) => setText(node, named(group, code)));
}

function drawHelp() {
  const rows = keys.COMMANDS.map(({ id, fixed }) => ({ id, fixed, title: keys.title(id), labels: keys.labelsOf(id) }));
  patchList($("#help-keys"), rows, (row) => row.id, () => h("div", {}, h("dt"), h("dd")), (node, row) => {
    const [term, list] = node.children;
    setText(term, row.id === "lang" ? "中文 / English" : row.title);
    list.replaceChildren(...row.labels.map((text) => keyButton(row, text)));
  });
}

function keyButton({ id, fixed, title }, text) {
  if (fixed) return h("kbd", {}, text);
  const button = h("button", { type: "button", "aria-label": `${title}: ${text}`, data: { command: "rebind", id } });
  button.append(h("kbd", {}, text));
  return button;
}

export function rebind(id, button) {
  button.textContent = t("help.press");
  const take = (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    if (["Shift", "Control", "Alt", "Meta"].includes(event.key)) return;
    document.removeEventListener("keydown", take, true);
    if (event.key !== "Escape" && !/^[1-9]$/.test(event.key)) keys.rebind(id, keys.nameOf(event));
    drawKeys();
    drawHelp();
  };
  document.addEventListener("keydown", take, true);
}

export function openHelp() {
  if ($("#help").open) $("#help").close();
  else $("#help").showModal();
}

export function openSheet(open) {
  setAttr(document.documentElement, "data-sheet", open);
  showTab($("#sheet").dataset.tab);
}

export function showTab(tab) {
  $("#sheet").dataset.tab = tab;
  for (const button of document.querySelectorAll("#tabs [data-tab]")) {
    setAttr(button, "aria-current", button.dataset.tab === tab ? "true" : null);
  }
}

export function resetKeys() {
  keys.resetKeys();
  drawKeys();
  drawHelp();
}
