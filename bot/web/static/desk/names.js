// The box in which a person is chosen: a character, the narrator, a passer-by, or a name of one's own.

import { h, patchList, setText, show } from "../dom.js";
import { t } from "../texts.js";
import { NARRATOR, PASSER_BY, shownName } from "./people.js";

const NAME = "name:"; // before a name, so that no name is mistaken for FREE
const FREE = "free";

/** [[label, names]…] as the lists offer them. `told`: the lines in which further names may have turned up. */
export function groupsOf(people, told) {
  const mine = people.of("User");
  const theirs = people.of("AI");
  const known = new Set([...mine, ...theirs, NARRATOR, PASSER_BY, "旁白"]);
  const others = new Set(told.map((line) => line.character).filter((name) => !known.has(name)));
  return [["desk.name.mine", mine], ["desk.name.theirs", theirs], ["desk.name.others", [NARRATOR, PASSER_BY, ...others]]];
}

export class NameBox {
  /** `root` holds a <select> and the <input> for a name of one's own. */
  constructor(root, changed = () => {}) {
    [this.select, this.input] = root.children;
    this.select.addEventListener("change", () => {
      this.draw();
      if (this.select.value === FREE) this.input.focus();
      changed();
    });
    this.input.addEventListener("input", changed);
  }

  get name() {
    const { value } = this.select;
    return value === FREE ? this.input.value.trim() : value.slice(NAME.length);
  }

  set name(name) {
    const offered = [...this.select.options].some((option) => option.value === NAME + name);
    this.select.value = offered ? NAME + name : FREE;
    if (!offered) this.input.value = name;
    this.draw();
  }

  /** A name that is offered no more stays chosen, as one's own; one's own stays as it is typed. */
  offer(groups) {
    const { value } = this.select;
    const chosen = value === FREE || value === "" ? null : this.name;
    patchList(this.select, [...groups.filter(([, names]) => names.length), ["", []]], ([key]) => key, makeGroup, drawGroup);
    if (chosen !== null) this.name = chosen;
    else if (value === FREE) this.select.value = FREE;
  }

  draw() {
    show(this.input, this.select.value === FREE);
  }
}

const makeGroup = ([key]) => (key ? h("optgroup") : h("option", { value: FREE }));

function drawGroup(node, [key, names]) {
  if (!key) return setText(node, t("desk.name.free"));
  node.label = t(key);
  patchList(node, names, (name) => NAME + name, (name) => h("option", { value: NAME + name }), (option, name) => setText(option, shownName(name)));
}
