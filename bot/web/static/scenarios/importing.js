// Importing: what was pasted, chosen or dropped is looked at first, each file on its own; nothing is kept before a person takes it.

import { $, h, patchList, setAttr, setText, show } from "../dom.js";
import { named, t } from "../texts.js";
import * as calls from "./calls.js";

let numbers = 0;

export class Importing {
  /** `onTaken()` when something is in the library, `onEdit(place)` when it is to be opened in the form. */
  constructor(onTaken, onEdit) {
    Object.assign(this, { onTaken, onEdit, finds: [] });
    this.listen();
    this.listenToDrops();
  }

  open() {
    if (!$("#importing").open) $("#importing").showModal();
    this.draw();
  }

  listen() {
    $("#import-read").addEventListener("click", () => this.addText($("#import-text").value));
    $("#import-text").addEventListener("paste", (event) => this.pasted(event));
    $("#import-choose").addEventListener("click", () => $("#import-files").click());
    $("#import-files").addEventListener("change", () => {
      this.add([...$("#import-files").files]);
      $("#import-files").value = "";
    });
    $("#import-all").addEventListener("click", () => this.takeAll());
    $("#import-close").addEventListener("click", () => $("#importing").close());
    $("#importing").addEventListener("close", () => this.forget());
    $("#found").addEventListener("click", (event) => this.click(event));
    $("#found").addEventListener("change", (event) => this.choose(event));
  }

  /** Anywhere on the page; a picture for a face is dropped on the form and does not come here. */
  listenToDrops() {
    const carriesFiles = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files") && !event.defaultPrevented;
    document.addEventListener("dragover", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      show($("#drop"), true);
    });
    document.addEventListener("dragleave", (event) => event.relatedTarget === null && show($("#drop"), false));
    document.addEventListener("drop", (event) => {
      show($("#drop"), false);
      if (!carriesFiles(event)) return;
      event.preventDefault();
      this.add([...event.dataTransfer.files]);
    });
    document.addEventListener("paste", (event) => {
      const files = [...event.clipboardData.files];
      if (files.length === 0 || event.defaultPrevented || event.target.closest("input, textarea")) return;
      event.preventDefault();
      this.add(files);
    });
  }

  pasted(event) {
    const files = [...event.clipboardData.files];
    if (files.length) {
      event.preventDefault();
      this.add(files);
    } else setTimeout(() => this.addText($("#import-text").value), 0); // when the words are in the box
  }

  addText(text) {
    if (!text.trim()) return $("#import-text").focus();
    $("#import-text").value = "";
    this.add([new File([text], t("import.pasted"))]);
  }

  add(files) {
    if (files.length === 0) return;
    this.finds.push(...files.map((file) => ({ id: (numbers += 1), file, state: "reading", wishes: {} })));
    this.open();
    for (const find of this.finds) if (find.state === "reading") this.look(find);
  }

  async look(find) {
    const answer = await calls.look(find.file, find.wishes);
    Object.assign(find, answer.ok ? { state: "found", found: answer.answer } : { state: "bad", why: answer.message || t("note.noanswer") });
    this.draw();
  }

  async take(find) {
    Object.assign(find, { state: "taking", why: "" });
    this.draw();
    const answer = await calls.take(find.file, find.wishes);
    if (answer.ok) Object.assign(find, { state: "taken", place: { series: answer.answer.series, name: answer.answer.name } });
    else Object.assign(find, { state: "found", why: answer.message || t("note.noanswer") });
    this.draw();
    if (answer.ok) this.onTaken();
  }

  /** One after another, so that two cards of one name get their numbers in this order. */
  async takeAll() {
    for (const find of this.ready) await this.take(find);
  }

  get ready() {
    return this.finds.filter((find) => find.state === "found");
  }

  click(event) {
    const press = event.target.closest("button[data-does]");
    if (!press) return;
    const { find } = press.closest("li");
    if (press.dataset.does === "take") this.take(find);
    if (press.dataset.does === "dismiss") this.drop(find);
    if (press.dataset.does === "edit") {
      $("#importing").close();
      this.onEdit(find.place);
    }
  }

  /** What a greeting or another name for the user changes is read again, so that the preview stays true. */
  choose(event) {
    const { find } = event.target.closest("li[data-key]");
    const { name, value } = event.target;
    find.wishes = { ...find.wishes, ...(name === "user" ? { user: value.trim() } : { greeting: Number(value) }) };
    this.look(find);
  }

  drop(find) {
    this.finds = this.finds.filter((other) => other !== find);
    this.draw();
  }

  forget() {
    this.finds = [];
    $("#import-text").value = "";
  }

  draw() {
    patchList($("#found"), this.finds, (find) => find.id, makeFind, drawFind);
    const { length } = this.ready;
    show($("#import-all"), length > 1);
    setText($("#import-all"), t("import.all", { n: length }));
  }
}

const button = (does, key, more = {}) => h("button", { type: "button", data: { does }, ...more }, t(key));

function makeFind() {
  return h("li", {},
    h("h3"), h("p", { class: "minor what" }), h("p", { class: "who" }), h("p", { class: "first clip" }),
    h("ul", { class: "warnings" }),
    h("label", { class: "field line user" }, h("span", {}, t("import.user")), h("input", { name: "user", maxlength: "100" })),
    h("fieldset", { class: "greetings" }, h("legend", {}, t("import.greeting")), h("div")),
    h("p", { class: "wrong", role: "alert" }),
    h("div", { class: "row ends" }, button("dismiss", "import.dismiss", { class: "quiet" }), button("edit", "import.open"), button("take", "import.take", { class: "approve" })),
  );
}

function drawFind(node, find) {
  const { state, found, file } = find;
  node.find = find;
  setAttr(node, "data-state", state);
  setText(node.querySelector("h3"), found ? `${found.series} / ${found.name}` : file.name);
  setText(node.querySelector(".what"), state === "reading" ? t("import.reading") : state === "taken" ? t("import.taken", { name: calls.titleOf(find.place) }) : found ? saidOf(found, file) : "");
  setText(node.querySelector(".who"), found && found.characters.length ? t("import.characters", { names: found.characters.map((one) => one.name).join("、") }) : "");
  setText(node.querySelector(".first"), found ? found.background : "");
  setText(node.querySelector(".wrong"), find.why || "");
  node.querySelector(".warnings").replaceChildren(...(found ? found.notes : []).map((note) => h("li", {}, note)));
  drawWishes(node, find);
  show(node.querySelector("[data-does=take]"), state === "found" || state === "taking");
  node.querySelector("[data-does=take]").disabled = state === "taking";
  show(node.querySelector("[data-does=edit]"), state === "taken");
  show(node.querySelector("[data-does=dismiss]"), state === "found" || state === "bad");
}

function saidOf(found, file) {
  const counts = [["import.lore", found.lore], ["import.logs", found.logs], ["import.lines", found.lines]];
  return [named("import.kind", found.kind), file.name, ...counts.filter(([, n]) => n).map(([key, n]) => t(key, { n }))].join(" · ");
}

function drawWishes(node, find) {
  const open = find.state === "found" && find.found.greetings.length > 0;
  show(node.querySelector(".user"), open && find.found.user !== undefined);
  show(node.querySelector(".greetings"), open && find.found.greetings.length > 1);
  if (!open) return;
  const user = node.querySelector("[name=user]");
  if (document.activeElement !== user) user.value = find.wishes.user || find.found.user || "";
  const chosen = find.wishes.greeting || 0;
  patchList(node.querySelector(".greetings div"), find.found.greetings.map((words, at) => ({ words, at })), ({ at }) => at, makeGreeting, (label, { words, at }) => {
    const input = label.querySelector("input");
    Object.assign(input, { name: `greeting-${find.id}`, value: String(at), checked: at === chosen });
    setText(label.querySelector("span"), words);
  });
}

const makeGreeting = () => h("label", {}, h("input", { type: "radio" }), h("span"));
