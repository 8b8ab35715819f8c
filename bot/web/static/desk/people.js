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

/** The name's first letter on a colour of its own, below a picture where there is one. */
export const makeFace = () => h("span", { class: "face", "aria-hidden": "true" }, h("i"));

export function drawFace(face, name, avatar) {
  setText(face.firstChild, Array.from(shownName(name))[0] || "");
  setAttr(face, "data-hue", hueOf(name));
  const picture = face.children[1];
  if (picture && picture.getAttribute("src") === avatar) return;
  if (picture) picture.remove();
  if (avatar) face.append(makePicture(avatar));
}

/** A picture that is not there leaves the letter. */
function makePicture(src) {
  const picture = h("img", { alt: "", loading: "lazy", decoding: "async", src });
  picture.addEventListener("error", () => show(picture, false));
  return picture;
}

const hueOf = (name) => Array.from(name).reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 997, 7) % HUES;
