// What can be done at one line of the story. Every line gets a button; one menu serves them all.

import { h } from "../../dom.js";
import { t } from "../../texts.js";
import { branchAt, checkpointAt, rewindTo } from "./places.js";
import { openVersions } from "./versions.js";

const GAP = 4;

/** The button for one line's menu. It needs no listener of its own: listenToLineMenus() hears of all. */
export function lineMenu(line) {
  const its = { type: "button", class: "quiet line-menu", "aria-haspopup": "menu", data: { lineMenu: line.id, tLabel: "tools.line.menu" } };
  const button = h("button", its, "⋯");
  button.setAttribute("aria-label", t("tools.line.menu"));
  return button;
}

export function listenToLineMenus(store, story) {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-line-menu]");
    const line = button && findLine(store.snapshot, button.dataset.lineMenu);
    if (line) openMenu(button, commandsFor(store, story, line));
  });
}

const findLine = ({ lines, pending }, id) => lines.find((one) => one.id === id) || pending.find((one) => one.id === id);

/** `[text, what it does]` in the order of the menu. A pending line has no place in the tree yet. */
function commandsFor(store, story, line) {
  const { lines } = store.snapshot;
  const confirmed = lines.some((one) => one.id === line.id);
  const last = confirmed && line.id === lines[lines.length - 1].id;
  return [
    ["tools.line.checkpoint", confirmed, () => checkpointAt(store, line.id)],
    ["tools.line.branch", confirmed, () => branchAt(store, line.id)],
    ["tools.line.rewind", confirmed && !last, () => rewindTo(store, line.id)],
    ["tools.line.edit", true, () => story.edit(line.id)],
    ["tools.line.continue", true, () => story.goOn(line.id)],
    ["tools.line.versions", line.versions > 0, () => openVersions(store, line)],
  ]
    .filter(([, offered]) => offered)
    .map(([key, , run]) => [t(key, { n: line.versions }), run]);
}

function openMenu(button, commands) {
  const menu = h("div", { role: "menu", class: "menu", popover: "auto", "aria-label": t("tools.line.menu") });
  for (const [text, run] of commands) {
    const item = h("button", { type: "button", role: "menuitem", class: "quiet", tabindex: "-1" }, text);
    item.addEventListener("click", () => {
      menu.hidePopover();
      run();
    });
    menu.append(item);
  }
  menu.addEventListener("keydown", (event) => press(menu, event));
  menu.addEventListener("toggle", (event) => {
    if (event.newState === "closed") menu.remove();
  });
  button.after(menu); // the menu is next in the reading order, and focus goes back to the button
  menu.showPopover();
  place(menu, button.getBoundingClientRect());
  menu.firstElementChild.focus();
}

/** Below the button, or above it where there is no room. On the phone the style sheet puts it at the foot of the screen. */
function place(menu, from) {
  const { offsetWidth, offsetHeight } = menu;
  const below = from.bottom + GAP + offsetHeight <= innerHeight;
  menu.style.left = `${Math.max(GAP, Math.min(from.right - offsetWidth, innerWidth - offsetWidth - GAP))}px`;
  menu.style.top = `${below ? from.bottom + GAP : Math.max(GAP, from.top - GAP - offsetHeight)}px`;
}

function press(menu, event) {
  const items = [...menu.children];
  const here = items.indexOf(document.activeElement);
  const to = {
    ArrowDown: (here + 1) % items.length,
    ArrowUp: (here - 1 + items.length) % items.length,
    Home: 0,
    End: items.length - 1,
  }[event.key];
  event.stopPropagation(); // the page's keys rest while the menu is open
  if (event.key === "Tab") menu.hidePopover();
  if (to === undefined) return;
  event.preventDefault();
  items[to].focus();
}
