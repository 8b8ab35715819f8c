// Importing: what was pasted, chosen or dropped is looked at first, each file on its own; nothing is kept before a person takes it.

import { $, patchList, setText, show } from "../dom.js";
import { t } from "../texts.js";
import * as calls from "./calls.js";
import { drawFind, makeFind } from "./finds.js";

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
    const carriesFiles = (event) => [...event.dataTransfer.types].includes("Files") && !event.defaultPrevented;
    document.addEventListener("dragover", (event) => {
      show($("#drop"), carriesFiles(event));
      if (carriesFiles(event)) event.preventDefault();
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

  /** One after another: files may be many and large. */
  async add(files) {
    const finds = files.map((file) => ({ id: (numbers += 1), file, state: "reading", wishes: {} }));
    this.finds.push(...finds);
    if (finds.length) this.open();
    for (const find of finds) await this.look(find);
  }

  /** A wish that cannot be fulfilled leaves the last preview there, to choose again. */
  async look(find) {
    const { file, wishes } = find;
    const answer = await calls.look(file, wishes);
    if (find.wishes !== wishes || find.state.startsWith("tak")) return; // something else was chosen meanwhile
    if (answer.ok) Object.assign(find, { state: "found", found: answer.answer.found, why: "" });
    else Object.assign(find, { state: find.found ? "found" : "bad", why: answer.message || t("note.noanswer") });
    this.draw();
  }

  async take(find) {
    Object.assign(find, { state: "taking", why: "" });
    this.draw();
    const answer = await calls.take(find.file, find.wishes);
    if (answer.ok) Object.assign(find, { state: "taken", taken: answer.answer.taken });
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
      this.onEdit(find.taken[0]);
    }
  }

  /** What the choice changes is read again, so that the preview stays true. */
  choose(event) {
    const { find } = event.target.closest("li[data-key][data-state]");
    const { type, name, value } = event.target;
    find.wishes = { ...find.wishes, ...(type === "radio" ? { greeting: value } : { [name]: value.trim() }) };
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
