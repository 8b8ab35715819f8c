// The tree of the scene: branches as lanes, checkpoints as marks on them, and the place where the story is now. An ARIA
// tree: arrows walk and fold, Enter goes there, F2 renames, Delete prunes; the buttons below it do the same.

import { h, patchList, setAttr, setText } from "../../dom.js";
import { t } from "../../texts.js";
import { openCompare } from "./compare.js";
import { say, why } from "./dialogs.js";
import { rowsOf } from "./lanes.js";
import * as places from "./places.js";
import { drawRails, makeRails } from "./rails.js";

const WIDEST = 120; // of the lanes together, in pixels

export class TreeTool {
  constructor(root, store, story) {
    Object.assign(this, { store, story, rows: [], tree: null, closed: new Set(), selected: "here", asked: 0, seen: null, fresh: true });
    this.list = h("ul", { role: "tree", class: "tree", data: { tLabel: "tools.tree.label" } });
    this.wrong = h("p", { class: "wrong", role: "alert" });
    this.about = h("p", { class: "about", "aria-live": "polite" });
    this.actions = h("div", { class: "row actions" });
    root.append(this.list, this.wrong, h("div", { class: "at-foot" }, this.about, this.actions, h("p", { class: "hint keys", data: { t: "tools.tree.keys" } })));
    this.list.addEventListener("keydown", (event) => this.press(event));
    this.list.addEventListener("click", (event) => this.click(event));
    this.list.addEventListener("dblclick", (event) => event.target.closest(".words") && this.go());
  }

  open() {
    this.fresh = true;
    if (this.store.snapshot) this.draw(true);
  }

  /** The tree is asked for when it is looked at and the story has changed since. */
  draw(front) {
    if (!front) return;
    if (this.seen !== this.store.snapshot.revision) this.read();
    if (this.tree) this.drawRows();
  }

  async read() {
    const asked = (this.asked += 1);
    this.seen = this.store.snapshot.revision;
    const answer = await this.store.read("tree");
    if (asked !== this.asked) return; // another one was asked for meanwhile
    say(this.wrong, answer.ok ? "" : why(answer));
    if (!answer.ok) this.seen = null;
    else this.tree = answer.answer;
    if (this.tree) this.drawRows();
  }

  drawRows() {
    this.rows = rowsOf(this.tree, this.closed);
    if (!this.find(this.selected)) this.selected = "here";
    if (!this.find(this.selected)) this.selected = this.rows[0].key; // the present branch is folded away
    const step = Math.min(18, WIDEST / Math.max(1, ...this.rows.map((row) => row.column)));
    patchList(this.list, this.rows, (row) => row.key, makeRow, (node, row) => this.drawRow(node, row, step));
    this.drawActions();
    if (this.fresh) this.chosen.scrollIntoView({ block: "nearest" });
    this.fresh = false;
  }

  get chosen() {
    return this.list.querySelector("[tabindex='0']");
  }

  drawRow(node, row, step) {
    const [rails, words] = node.children;
    const [name, about] = words.children;
    words.style.marginLeft = `${drawRails(rails, row, step)}px`;
    setText(name, nameOf(row));
    setText(about, rangeOf(row));
    setAttr(node, "aria-label", [nameOf(row), aboutOf(row), row.current ? t("tools.tree.now") : ""].filter(Boolean).join(t("tools.tree.and")));
    setAttr(node, "data-kind", row.kind);
    setAttr(node, "aria-level", row.level);
    setAttr(node, "aria-posinset", row.place[0]);
    setAttr(node, "aria-setsize", row.place[1]);
    setAttr(node, "aria-expanded", row.open === null ? null : String(row.open));
    setAttr(node, "aria-current", row.current ? "true" : null);
    setAttr(node, "aria-selected", String(row.key === this.selected));
    node.tabIndex = row.key === this.selected ? 0 : -1;
  }

  find(key) {
    return this.rows.find((row) => row.key === key) || null;
  }

  // -- what can be done with the row that is chosen ------------------------------------------------------------------

  /** `[text, what it does]` for a row; the first is what Enter does. */
  commandsFor(row) {
    const { store, story } = this;
    const { lines } = store.snapshot;
    if (row.kind === "here") {
      const last = lines.length ? lines[lines.length - 1].id : "";
      return [["tools.tree.reveal", () => last && story.reveal(last)], ["tools.tree.checkpoint", () => places.checkpointAt(store, last)]];
    }
    if (row.kind === "checkpoint") {
      const branch = ["tools.tree.branch", () => places.branchAtCheckpoint(store, row)];
      return [
        ["tools.tree.restore", () => places.restore(store, row)],
        ...(row.up === null ? [] : [branch]), // where no branch has its lines there is nothing to branch from
        ["tools.tree.rename", () => places.renameCheckpoint(store, row)],
        ["tools.tree.drop", () => places.dropCheckpoint(store, row)],
      ];
    }
    const rename = ["tools.tree.rename", () => places.renameBranch(store, row)];
    const compare = ["tools.tree.compare", () => openCompare(store, this.tree.branches, row)];
    const several = this.tree.branches.length > 1;
    if (row.current) return several ? [compare, rename] : [rename];
    return [["tools.tree.switch", () => places.switchTo(store, row)], compare, rename, ["tools.tree.prune", () => places.prune(store, row)]];
  }

  drawActions() {
    const row = this.find(this.selected);
    setText(this.about, [nameOf(row), aboutOf(row)].filter(Boolean).join(" · "));
    patchList(this.actions, this.commandsFor(row), ([key]) => key, makeAction, (button, [key, run]) => {
      setText(button, t(key));
      setAttr(button, "disabled", !this.store.live);
      button.onclick = run;
    });
  }

  run(...keys) {
    const found = this.commandsFor(this.find(this.selected)).find(([key]) => keys.includes(key));
    if (found && this.store.live) found[1]();
  }

  go() {
    this.run("tools.tree.reveal", "tools.tree.restore", "tools.tree.switch");
  }

  // -- hands ---------------------------------------------------------------------------------------------------------

  /** The drawing at the left folds and unfolds, the rest of the row chooses. */
  click(event) {
    const node = event.target.closest("li");
    if (!node) return;
    const { open } = this.find(node.dataset.key);
    const folds = event.target.closest(".rails") && open !== null; // asked before the drawing is made anew
    this.select(node.dataset.key);
    if (folds) this.fold(!open);
  }

  select(key) {
    this.selected = key;
    this.drawRows();
    this.chosen.focus();
  }

  fold(open) {
    if (open) this.closed.delete(this.selected);
    else this.closed.add(this.selected);
    this.drawRows();
  }

  press(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const acts = this.keys()[event.key] || (event.key.length === 1 && event.key !== " " && (() => this.seek(event.key)));
    if (!acts) return;
    event.preventDefault();
    event.stopPropagation(); // the page's own keys rest in the tree
    acts();
  }

  keys() {
    const row = this.find(this.selected);
    const at = this.rows.indexOf(row);
    const to = (i) => this.select(this.rows[Math.max(0, Math.min(this.rows.length - 1, i))].key);
    return {
      ArrowDown: () => to(at + 1),
      ArrowUp: () => to(at - 1),
      Home: () => to(0),
      End: () => to(this.rows.length - 1),
      ArrowRight: () => (row.open === false ? this.fold(true) : row.open && to(at + 1)),
      ArrowLeft: () => (row.open ? this.fold(false) : row.up && this.select(row.up)),
      Enter: () => this.go(),
      F2: () => this.run("tools.tree.rename"),
      Delete: () => this.run("tools.tree.prune", "tools.tree.drop"),
    };
  }

  /** The next row whose name begins with that character. */
  seek(character) {
    const at = this.rows.findIndex((row) => row.key === this.selected);
    const around = [...this.rows.slice(at + 1), ...this.rows.slice(0, at + 1)];
    const found = around.find((row) => nameOf(row).toLowerCase().startsWith(character.toLowerCase()));
    if (found) this.select(found.key);
  }
}

const nameOf = (row) => (row.kind === "here" ? t("tools.tree.here") : row.name);

function aboutOf(row) {
  if (row.kind !== "branch") return places.lineName(row.lines);
  const lines = t("tools.tree.lines", { n: row.lines });
  return row.shared > 0 ? `${lines} · ${t("tools.tree.from", { n: row.shared })}` : lines;
}

/** The same in figures, for the narrow column: the lines after the fork, or the line of a mark. */
const rangeOf = ({ kind, shared, lines }) => (kind === "branch" && shared + 1 < lines ? `${shared + 1}–${lines}` : String(lines));

function makeRow() {
  return h("li", { role: "treeitem" }, makeRails(), h("span", { class: "words" }, h("span", { class: "name" }), h("span", { class: "minor" })));
}

const makeAction = () => h("button", { type: "button" });
