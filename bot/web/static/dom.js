// Small helpers for building and patching the page. Every text goes in as a text node: markup from outside stays text.

/** An element with properties and children; a string child becomes a text node. */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === "class") node.className = value;
    else if (name === "data") Object.assign(node.dataset, value);
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export const $ = (selector) => document.querySelector(selector);

/** Write only when something has changed, so that a selection or a screen reader is not disturbed. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setAttr(node, name, value) {
  if (value === null || value === undefined || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
  } else if (node.getAttribute(name) !== String(value)) {
    node.setAttribute(name, value === true ? "" : String(value));
  }
}

/** Without this the hidden box keeps the focus until the page is drawn again, and a quick key after it is lost in there. */
export function shut(dialog) {
  dialog.close();
  if (dialog.contains(document.activeElement)) document.activeElement.blur();
}

export const show = (node, visible) => setAttr(node, "hidden", !visible);

// What cannot be seen, or turns the text around. Joiners and selectors of emoji are left as they are.
const HIDDEN = /^(?:(?![\u200d\ufe0e\ufe0f])[\p{DI}\p{Co}\u2800\ufff9-\ufffb]|(?![\n\t])\p{Cc})$/u;

/** Written out, as ⟨U+202E⟩: what stands on the screen is what stands in the text. */
const written = (character) =>
  HIDDEN.test(character) ? `⟨U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩` : character;

const grave = (flag) => (flag.firm ? 2 : flag.level === "block" ? 1 : 0);

/**
 * Positions from the server count characters; JavaScript counts UTF-16 units. Where flags overlap, the gravest is seen, and
 * of equals the shortest: a word is not lost in what is said of the whole text.
 */
function pieces(text, flags) {
  const characters = Array.from(text, written);
  const owners = new Array(characters.length).fill(null);
  const painted = [...flags].sort((a, b) => grave(a) - grave(b) || b.end - b.start - (a.end - a.start));
  for (const flag of painted) owners.fill(flag, flag.start, Math.max(flag.start, flag.end));
  const parts = [];
  characters.forEach((character, at) => {
    const last = parts[parts.length - 1];
    if (last && last.flag === owners[at]) last.text += character;
    else parts.push({ text: character, flag: owners[at] });
  });
  // Always one piece without a mark at the end, so that a growing text has a node to grow in.
  if (parts.length === 0 || parts[parts.length - 1].flag !== null) parts.push({ text: "", flag: null });
  return parts;
}

/** A growing text with flagged words. What is already there stays the same node; new characters are appended to it. */
export function patchFlagged(node, text, flags) {
  const wanted = pieces(text, flags);
  wanted.forEach((part, i) => {
    const old = node.childNodes[i];
    const isMark = old !== undefined && old.nodeName === "MARK";
    if (old === undefined || isMark !== (part.flag !== null)) {
      const made = part.flag === null ? document.createTextNode("") : h("mark");
      if (old === undefined) node.append(made);
      else old.replaceWith(made);
    }
    patchPiece(node.childNodes[i], part);
  });
  while (node.childNodes.length > wanted.length) node.lastChild.remove();
}

function patchPiece(node, part) {
  if (part.flag !== null) {
    setText(node, part.text);
    setAttr(node, "title", part.flag.reason);
    setAttr(node, "data-level", part.flag.firm ? "firm" : part.flag.level);
  } else if (node.data !== part.text) {
    if (part.text.startsWith(node.data)) node.appendData(part.text.slice(node.data.length));
    else node.data = part.text;
  }
}

/**
 * Make `root`'s children match `entries`, keeping the element of each key and moving none that is in its place. The first
 * `kept` children stay as they are: `entries` are those after them.
 */
export function patchList(root, entries, key, make, update, kept = 0) {
  const wanted = new Set(entries.map((entry) => String(key(entry))));
  const rest = Array.from(root.children).slice(kept);
  const old = new Map(rest.map((node) => [node.dataset.key, node]));
  for (const [name, node] of old) if (!wanted.has(name)) node.remove();
  let place = root.children[kept] || null;
  for (const entry of entries) {
    const name = String(key(entry));
    let node = old.get(name);
    if (node === undefined) {
      node = make(entry);
      node.dataset.key = name;
    }
    old.delete(name);
    if (node === place) place = place.nextElementSibling;
    else root.insertBefore(node, place);
    update(node, entry);
  }
}
