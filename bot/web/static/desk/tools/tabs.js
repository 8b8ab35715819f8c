// Tabs as the ARIA practices have them: one of them is in the tab order, arrows go to the others.

import { h, setAttr, show } from "../../dom.js";
import { remember, remembered } from "../../settings.js";

const MOVES = { ArrowRight: 1, ArrowLeft: -1 };

export class Tabs {
  /** `opened(name)` is called whenever a tab comes to the front. The one that was open last is open again. */
  constructor(root, names, opened) {
    this.names = names;
    this.opened = opened;
    this.list = h("div", { role: "tablist", data: { tLabel: "tools.label" } }, ...names.map(makeTab));
    this.panels = names.map(makePanel);
    root.append(this.list, ...this.panels);
    this.list.addEventListener("click", (event) => {
      const tab = event.target.closest("[role=tab]");
      if (tab) this.open(tab.dataset.tab);
    });
    this.list.addEventListener("keydown", (event) => this.press(event));
    const last = remembered("desk.tab", names[0]);
    this.open(names.includes(last) ? last : names[0]);
  }

  panel(name) {
    return this.panels[this.names.indexOf(name)];
  }

  open(name) {
    this.current = name;
    remember("desk.tab", name);
    this.names.forEach((other, i) => {
      const tab = this.list.children[i];
      setAttr(tab, "aria-selected", String(other === name));
      tab.tabIndex = other === name ? 0 : -1;
      show(this.panels[i], other === name);
    });
    this.opened(name);
  }

  press(event) {
    const { names } = this;
    const here = names.indexOf(this.current);
    const to = { Home: 0, End: names.length - 1 }[event.key];
    const next = event.key in MOVES ? (here + MOVES[event.key] + names.length) % names.length : to;
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.open(names[next]);
    this.list.children[next].focus();
  }
}

function makeTab(name) {
  const its = { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": `tool-${name}` };
  return h("button", { ...its, data: { tab: name, t: `tools.${name}` } });
}

function makePanel(name) {
  return h("section", { role: "tabpanel", id: `tool-${name}`, "aria-labelledby": `tab-${name}`, data: { tool: name } });
}
