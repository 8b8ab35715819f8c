// Who stands on which side of the page, with which face.

import { h, setAttr, setText, show } from "../dom.js";
import { t } from "../texts.js";

export const NARRATOR = "";
export const PASSER_BY = "路人";
const TOLD = new Set([NARRATOR, "旁白"]);
const HUES = 8; // as in line.css

export class People {
  /** `characters` as the snapshot has them: [{ name, side: "AI" | "User", avatar: url | null, … }]. */
  constructor(characters) {
    this.json = JSON.stringify(characters);
    this.byName = new Map(characters.map((character) => [character.name, character]));
  }

  same(characters) {
    return JSON.stringify(characters) === this.json;
  }

  /** "left", "right" or "told": the AI's characters left, everybody else right, narration in the middle. */
  sideOf(name) {
    if (TOLD.has(name)) return "told";
    const known = this.byName.get(name);
    return known && known.side === "AI" ? "left" : "right";
  }

  avatarOf(name) {
    const known = this.byName.get(name);
    return known ? known.avatar : null;
  }

  of(side) {
    return [...this.byName.values()].filter((character) => character.side === side).map(({ name }) => name);
  }
}

export const shownName = (name) => (name === NARRATOR ? t("desk.name.narrator") : name);

/** A round picture, or the name's first letter on a colour of its own. */
export function makeFace() {
  const face = h("span", { class: "face", "aria-hidden": "true" }, h("i"));
  const picture = h("img", { alt: "", loading: "lazy", decoding: "async", hidden: "" });
  picture.addEventListener("load", () => show(picture, true));
  picture.addEventListener("error", () => show(picture, false));
  face.append(picture);
  return face;
}

export function drawFace(face, name, avatar) {
  const [letter, picture] = face.children;
  setText(letter, Array.from(shownName(name))[0] || "");
  setAttr(face, "data-hue", hueOf(name));
  if (!avatar) show(picture, false);
  if (picture.getAttribute("src") !== avatar) setAttr(picture, "src", avatar);
}

const hueOf = (name) => Array.from(name).reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 997, 7) % HUES;
