// A scenario as values of the form: from what the server says, to what it takes, and where two of them differ.

import { SIDES, newCharacter, onSide } from "./cast.js";
import { t } from "../texts.js";

const BUDGET = 512;
const DEPTH = 4;

export const blank = (series = "") => ({
  place: null, was: null, digest: "", series, name: "", background: "", opening: "", characters: [], form: "", preset: "",
  note: "", depth: DEPTH, lore: [], budget: BUDGET,
});

export const freshEntry = () => ({ name: "", keys: [], secondary: [], text: "", priority: 0, enabled: true, constant: false, case: false });

const isBook = (book) => Array.isArray(book) && book.every((entry) => Array.isArray(entry.keys) && typeof entry.text === "string");

/** `place`: the folder where it lies, {series, name}; null while it is new. `was`: its title there, which a person may change. */
export function fromServer(answer) {
  return {
    place: { series: answer.series, name: answer.name },
    was: { series: answer.series, name: answer.title || answer.name },
    digest: answer.digest,
    series: answer.series,
    name: answer.title || answer.name,
    background: answer.background,
    opening: answer.opening,
    characters: answer.characters.map(asCharacter),
    form: answer.form,
    preset: answer.sampling,
    note: answer.authors_note.text,
    depth: answer.authors_note.depth,
    lore: isBook(answer.lorebook) ? answer.lorebook.map((entry) => ({ ...freshEntry(), ...entry })) : null,
    budget: answer.lore_budget,
  };
}

const asCharacter = ({ name, side, avatar, note, sampling: preset }) => ({ ...newCharacter(name, side), was: name, avatar, note, preset });

/** All but series and name, which move it. */
export function toServer(sheet) {
  return {
    background: sheet.background,
    opening: sheet.opening,
    characters: sheet.characters.map(({ name, side, was = "", note, preset }) => ({ name, side, was, note, sampling: preset })),
    form: sheet.form,
    sampling: sheet.preset,
    lorebook: sheet.lore,
    lore_budget: sheet.budget,
    authors_note: { text: sheet.note, depth: sheet.depth },
  };
}

const pictures = (sheet) => sheet.characters.map(({ picture }) => (picture === undefined ? 0 : picture ? `${picture.size} new` : "gone"));

/** Equal for two sheets that would be saved as the same. */
export const sameAs = (sheet, other) => told(sheet) === told(other);

const told = (sheet) => JSON.stringify([sheet.series, sheet.name, toServer(sheet), pictures(sheet)]);

// -- two that differ -----------------------------------------------------------------------------------------------

const personWords = ({ name, note }) => (note ? `${name}（${note}）` : name);
const sideWords = (side, cast) => `${t(`side.${side}`)}: ${onSide(cast, side).map(personWords).join("、")}`;
const entryWords = ({ name, keys, text }) => [name, keys.join("，"), text].filter(Boolean).join("\n");
const loreWords = (lore) => (lore || []).map(entryWords).join("\n\n");
const presetWords = (preset) => (preset === "" ? t("preset.default") : typeof preset === "string" ? preset : JSON.stringify(preset));

/** Each part of the form that can be chosen by itself: its keys in the sheet, and how it reads. */
const PARTS = [
  { id: "background", keys: ["background"], words: (sheet) => sheet.background },
  { id: "characters", keys: ["characters"], words: ({ characters }) => SIDES.map((side) => sideWords(side, characters)).join("\n") },
  { id: "opening", keys: ["opening"], words: (sheet) => sheet.opening },
  { id: "form", keys: ["form"], words: (sheet) => t(`form.${sheet.form || "default"}`) },
  { id: "preset", keys: ["preset"], words: (sheet) => presetWords(sheet.preset) },
  { id: "note", keys: ["note", "depth"], words: (sheet) => `${sheet.note} (${sheet.depth})` },
  { id: "lore", keys: ["lore", "budget"], words: (sheet) => `${loreWords(sheet.lore)} (${sheet.budget})` },
];

const only = (sheet, keys) => JSON.stringify(toServer({ ...blank(), ...Object.fromEntries(keys.map((key) => [key, sheet[key]])) }));
const alike = (sheet, other, keys) => only(sheet, keys) === only(other, keys);

/** The parts in which two sheets differ; `mine`: whether the first is chosen at first, because it was changed here. */
export function differences(mine, theirs, base) {
  return PARTS.filter(({ keys }) => !alike(mine, theirs, keys)).map(({ id, keys, words }) => ({
    id, keys, mine: words(mine), theirs: words(theirs), changedHere: !alike(mine, base, keys),
  }));
}

/** Theirs, with those parts that were chosen from mine, and my new pictures. Ready to be saved over theirs. */
export function joined(mine, theirs, chosen) {
  const keys = [...chosen.flatMap((difference) => difference.keys), "series", "name"];
  const sheet = { ...theirs, ...Object.fromEntries(keys.map((key) => [key, mine[key]])) };
  const pictures = new Map(mine.characters.map(({ name, picture }) => [name, picture]));
  return { ...sheet, characters: sheet.characters.map((one) => ({ ...one, picture: pictures.get(one.name) })) };
}
