// The desk's side panel: five tabs, each tool a module of its own. It shows what the store holds and gives the store's
// orders. Undo, the story and the drafts are the page's.

import { $, h, setAttr } from "../../dom.js";
import { translatePage } from "../../texts.js";
import { CastTool } from "./cast.js";
import { FedTool } from "./fed.js";
import { listenToLineMenus } from "./line_menu.js";
import { Newer } from "./newer.js";
import { SceneTool } from "./scene.js";
import { SettingTool } from "./setting.js";
import { Tabs } from "./tabs.js";
import "./texts.js";
import { TreeTool } from "./tree.js";

export { lineMenu } from "./line_menu.js";

const TOOLS = { tree: TreeTool, cast: CastTool, setting: SettingTool, fed: FedTool, scene: SceneTool };
// What a tool shows besides these comes from the story; a draft that grows changes none of it.
const DRAWN_AFTER = new Set(["snapshot", "scene", "link"]);

/**
 * Fills `<aside id="tools">`. `store`: desk/store.js. `story`: what the story does with a line, by its id:
 * `reveal(id)` shows it, `edit(id)` edits it, `goOn(id)` has the model continue it.
 * The tools listen to the store; `draw()` of what comes back is for a change of the language.
 */
export function openTools(store, story) {
  const tools = new Map();
  const tabs = new Tabs($("#tools"), Object.keys(TOOLS), (name) => tools.has(name) && tools.get(name).open());
  for (const [name, Tool] of Object.entries(TOOLS)) tools.set(name, new Tool(tabs.panel(name), store, story));
  listenToLineMenus(store, story);
  makeSheet(tabs.list);
  $("#tools header").after(new Newer(store).root);
  translatePage();
  const draw = () => store.snapshot && tools.forEach((tool, name) => tool.draw(name === tabs.current));
  store.subscribe(({ event }) => DRAWN_AFTER.has(event) && draw());
  draw();
  return { draw, open: (name) => tabs.open(name) };
}

/**
 * Goes to the tools, or back from them. On the phone the panel is a sheet that comes up from below; on the desktop it is
 * always there, and the button that opens the sheet is not.
 */
export function toggleTools(open = !$("#tools").contains(document.activeElement)) {
  const button = $("[data-command=tools]");
  setAttr(document.documentElement, "data-tools", open);
  setAttr(button, "aria-expanded", String(open));
  const back = button.offsetParent ? button : $("#scroll");
  (open ? $("#tools [role=tab][aria-selected=true]") : back).focus();
}

/** The way to close it stands beside the tabs. */
function makeSheet(tabList) {
  const close = h("button", { type: "button", class: "quiet close", data: { tLabel: "tools.close" } }, "✕");
  close.addEventListener("click", () => toggleTools(false));
  $("#tools").prepend(h("header", {}, tabList, close));
  $("#tools").addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing) return;
    event.stopPropagation();
    toggleTools(false);
  });
}
