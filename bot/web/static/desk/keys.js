// The one table of the desk's keys. The page listens by it and the help is drawn from it; desk.js says what each id does.

import { $, h, patchList, setText } from "../dom.js";
import { t } from "../texts.js";

/**
 * `keys`: as nameOf() writes them. `typing`: also while somebody types. `held`: may repeat while held down. `own`: the text
 * boxes listen for it themselves. `server`: it needs the server, so it rests while the connection is lost.
 */
export const COMMANDS = [
  { id: "send", keys: ["enter"], own: true, server: true },
  { id: "newline", keys: ["shift+enter"], own: true },
  { id: "add", keys: ["ctrl+enter"], own: true },
  { id: "take", keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9"], server: true },
  { id: "take", keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9"].map((n) => `alt+${n}`), typing: true, server: true, unlisted: true },
  { id: "edit-draft", keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9"].map((n) => `shift+${n}`), server: true },
  { id: "ask", keys: ["alt+enter"], typing: true, server: true },
  { id: "write", keys: ["w"], server: true },
  { id: "more", keys: ["r"], server: true },
  { id: "stop", keys: ["x"], server: true },
  { id: "confirm", keys: ["ctrl+shift+enter"], typing: true, server: true },
  { id: "back", keys: ["u"], server: true },
  { id: "discard", keys: ["shift+d"], server: true },
  { id: "undo", keys: ["ctrl+z"], server: true },
  { id: "redo", keys: ["ctrl+shift+z", "ctrl+y"], server: true },
  { id: "text", keys: ["i", "/"] },
  { id: "leave", keys: ["escape"], typing: true },
  { id: "mode", keys: ["m"] },
  { id: "previous", keys: ["k"], held: true },
  { id: "next", keys: ["j"], held: true },
  { id: "edit", keys: ["e"], server: true },
  { id: "goon", keys: ["c"], server: true },
  { id: "line", keys: ["l"], server: true },
  { id: "delete", keys: ["delete"], server: true },
  { id: "raise", keys: ["alt+arrowup"], held: true, server: true },
  { id: "lower", keys: ["alt+arrowdown"], held: true, server: true },
  { id: "end", keys: ["g"] },
  { id: "options", keys: ["o"] },
  { id: "tools", keys: ["t"] },
  { id: "save", keys: ["ctrl+s"], typing: true, server: true },
  { id: "help", keys: ["?"] },
];

const SERVER = new Set(COMMANDS.filter((command) => command.server).map(({ id }) => id));
const LABELS = { enter: "Enter", escape: "Esc", delete: "Del", arrowup: "↑", arrowdown: "↓", ctrl: "Ctrl", alt: "Alt", shift: "⇧" };

export const needsServer = (id) => SERVER.has(id);

/** "1", "shift+d", "ctrl+shift+z", "?": the command key of a Mac counts as Ctrl; digits are those above the letters. */
function nameOf(event) {
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
  const plain = event.key.length === 1 && event.key.toLowerCase() === event.key.toUpperCase(); // "?" is no shifted letter
  const parts = [
    (event.ctrlKey || event.metaKey) && "ctrl",
    event.altKey && "alt",
    event.shiftKey && (digit !== null || !plain) && "shift",
    digit ? digit[1] : event.key.toLowerCase(),
  ];
  return parts.filter(Boolean).join("+");
}

function label(name) {
  const parts = name.split(/\+(?=.)/);
  return parts.map((part) => LABELS[part] || part.toUpperCase()).join(" ");
}

function labelsOf({ id, keys }) {
  if (keys.length === 9) return [`${label(keys[0]).replace(/1$/, "")}1–9`];
  return keys.map(label);
}

const isTyping = (node) => node instanceof HTMLElement && (node.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(node.tagName));

/** Calls `give(id, detail)` for each key that names a command. Keys rest while a box is open and while an input method composes. */
export function listen(give) {
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229 || event.defaultPrevented || $("dialog[open]")) return;
    const name = nameOf(event);
    const typing = isTyping(event.target);
    const found = COMMANDS.find(({ keys, own, typing: also }) => !own && keys.includes(name) && (also || !typing));
    if (found === undefined) return;
    event.preventDefault();
    if (!event.repeat || found.held) give(found.id, { n: Number(name.slice(-1)) });
  });
}

/** The key beside the words of each button that has a place for it. */
export function labelButtons() {
  for (const button of document.querySelectorAll("[data-command]")) {
    const place = button.querySelector("kbd:not([id])");
    const command = COMMANDS.find(({ id }) => id === button.dataset.command);
    if (place && command && !button.closest(".draft")) setText(place, labelsOf(command)[0]);
  }
}

export function openHelp() {
  const listed = COMMANDS.filter((command) => !command.unlisted);
  const make = () => h("div", {}, h("dt"), h("dd"));
  patchList($("#help-keys"), listed, ({ id }) => id, make, (node, command) => {
    const [what, keys] = node.children;
    setText(what, t(`desk.key.${command.id}`));
    patchList(keys, labelsOf(command), (name) => name, () => h("kbd"), setText);
  });
  $("#help").showModal();
}
