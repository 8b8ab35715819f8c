// The one table of what a person can do. Keys, buttons and the help all read it; panel.js says what each id does.

import { remember, remembered } from "./settings.js";
import { t } from "./texts.js";

/** `server`: it needs what the server says now, so it rests while the connection is lost. `held`: may repeat while held down. */
export const COMMANDS = [
  { id: "approve", keys: ["f", "Enter"], server: true },
  { id: "reject", keys: ["d"], server: true },
  { id: "mute", keys: ["shift+d"], server: true },
  { id: "pick", keys: ["1", "2", "3", "4", "5"], server: true, fixed: true },
  { id: "edit", keys: ["e"], server: true },
  { id: "more", keys: ["r"], server: true },
  { id: "hush", keys: ["shift+m"], server: true },
  { id: "word", keys: ["w"], server: true },
  { id: "held", keys: ["h"], server: true },
  { id: "undo", keys: ["u"], server: true },
  { id: "recall", keys: ["x"], server: true },
  { id: "say", keys: ["i"], server: true },
  { id: "next", keys: ["j", "ArrowDown"], server: true, held: true },
  { id: "previous", keys: ["k", "ArrowUp"], server: true, held: true },
  { id: "arrivals", keys: ["n"] },
  { id: "hold", keys: ["p"], server: true },
  { id: "drop", keys: ["shift+p"], server: true },
  { id: "stop", keys: ["Escape Escape"], server: true, fixed: true },
  { id: "zen", keys: ["z"] },
  { id: "sound", keys: ["m"] },
  { id: "theme", keys: ["t"] },
  { id: "lang", keys: ["l"] },
  { id: "help", keys: ["?"] },
];

/** Commands that only buttons give. They are in the same table so that each is resolved in one place. */
const BUTTONS = [
  { id: "run", server: true },
  { id: "answer", server: true },
  { id: "undo-item", server: true },
  { id: "recall-item", server: true },
  { id: "approve-edit", server: true },
  { id: "more-edit", server: true },
  { id: "cancel-edit" },
  { id: "send-say", server: true },
  { id: "release", server: true },
  { id: "dismiss", server: true },
  { id: "unmute", server: true },
  { id: "let-allow", server: true },
  { id: "close-let" },
  { id: "allow-word", server: true },
  { id: "forget-word", server: true },
  { id: "close-word" },
  { id: "generate", server: true },
  { id: "card", server: true },
  { id: "sheet" },
  { id: "close-sheet" },
  { id: "tab" },
  { id: "close-help" },
  { id: "rebind" },
  { id: "reset-keys" },
];

const BY_ID = new Map([...COMMANDS, ...BUTTONS].map((command) => [command.id, command]));
const LABELS = { Escape: "Esc", Enter: "Enter", ArrowDown: "↓", ArrowUp: "↑", " ": "Space" };

export const command = (id) => BY_ID.get(id);

export const keysOf = (id) => remembered("keys", {})[id] || (BY_ID.get(id) || {}).keys || [];

export function title(id) {
  return id === "stop" ? t("cmd.stop.long") : t(`cmd.${id}`, { n: "1–5" });
}

/** How a key is written in the table: "f", "shift+d", "Enter", "?". */
export function nameOf(event) {
  if (event.key.length > 1) return event.key;
  const letter = event.key.toLowerCase();
  return event.shiftKey && letter !== event.key.toUpperCase() ? `shift+${letter}` : letter;
}

export function label(name) {
  return name
    .split(" ")
    .map((key) => (key.startsWith("shift+") ? `⇧${key.slice(6).toUpperCase()}` : LABELS[key] || key.toUpperCase()))
    .join(" ");
}

export function labelsOf(id) {
  return id === "pick" ? ["1–5"] : keysOf(id).map(label);
}

/** `id` listens to `name` from now on, and no other command does. */
export function rebind(id, name) {
  const chosen = remembered("keys", {});
  for (const other of COMMANDS) {
    if (other.fixed || other.id === id) continue;
    const keys = keysOf(other.id);
    if (keys.includes(name)) chosen[other.id] = keys.filter((key) => key !== name);
  }
  chosen[id] = [name];
  remember("keys", chosen);
}

export const resetKeys = () => remember("keys", {});

const isTyping = (node) => node instanceof HTMLElement && (node.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(node.tagName));

const TWICE_WITHIN = 800;

/**
 * Calls `give(id, detail)` for each key that names a command; `first()` after the first of the two Esc.
 * Keys rest while somebody types or an input method composes; Esc does not, because an emergency does not wait.
 */
export function listen(give, first) {
  let escaped = 0;
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Escape" && !event.repeat) {
      const twice = event.timeStamp - escaped < TWICE_WITHIN;
      escaped = twice ? 0 : event.timeStamp;
      event.preventDefault();
      if (twice) give("stop");
      else first();
      return;
    }
    if (event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) return;
    const onButton = event.target instanceof Element && event.target.closest("button, a, summary") !== null;
    if (onButton && (event.key === "Enter" || event.key === " ")) return;
    const name = nameOf(event);
    const found = COMMANDS.find(({ id, fixed }) => (fixed ? command(id).keys : keysOf(id)).includes(name));
    if (found === undefined) return;
    event.preventDefault();
    if (!event.repeat || found.held) give(found.id, { index: Number(name) - 1 });
  });
}
