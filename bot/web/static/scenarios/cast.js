// The characters of the form as values: who is on which side, in which order. Draws nothing.

export const SIDES = ["AI", "User"];

/** Tells apart also those that were kept from an earlier visit. */
const newKey = () => `c${Math.random().toString(36).slice(2)}`;

/** `picture`: a new avatar (Blob), null for none, undefined when it is as the server has it. */
export const newCharacter = (name, side) => ({ key: newKey(), name, side, avatar: null, preset: "", note: "", extra: {} });

export const onSide = (cast, side) => cast.filter((character) => character.side === side);

/** The same as the server's `canonical_name`, as far as a person can type: one line, no colon, no outer spaces. */
export const tidyName = (name) => name.replace(/[:：]/g, " ").split(/\s+/u).filter(Boolean).join(" ");

/** `text` may hold several names, one a line or with commas between. Returns the new cast and the names that were refused. */
export function added(cast, text, side) {
  const names = text.split(/[\n,，、]/).map(tidyName).filter(Boolean);
  const twins = [];
  const grown = [...cast];
  for (const name of names) {
    if (grown.some((character) => character.name === name)) twins.push(name);
    else grown.push(newCharacter(name, side));
  }
  return { cast: grown, twins };
}

export const without = (cast, key) => cast.filter((character) => character.key !== key);

/** Puts a character at place `at` of `side`, counted without itself. */
export function placed(cast, key, side, at) {
  const moved = cast.find((character) => character.key === key);
  const rest = without(cast, key);
  const there = onSide(rest, side);
  const before = there[Math.max(0, at)];
  const place = before && at < there.length ? rest.indexOf(before) : rest.length;
  return [...rest.slice(0, place), { ...moved, side }, ...rest.slice(place)];
}

/** `way`: "back" and "on" along the side, "over" to the other side. */
export function moved(cast, key, way) {
  const { side } = cast.find((character) => character.key === key);
  const at = onSide(cast, side).findIndex((character) => character.key === key);
  if (way === "over") return placed(cast, key, SIDES.find((other) => other !== side), at);
  const to = at + (way === "on" ? 1 : -1);
  return to < 0 || to >= onSide(cast, side).length ? cast : placed(cast, key, side, to);
}
