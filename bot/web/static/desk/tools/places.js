// What is done with places of the story: checkpoints, branches, and going back. Each is one order; where it needs a name
// or a yes, a box asks for it.

import { t } from "../../texts.js";
import { askName, askYes, give } from "./dialogs.js";

/** Lines are counted from 1; 0 is the beginning, before any line. */
export const lineName = (n) => (n ? t("tools.place.line", { n }) : t("tools.place.start"));

const nameOf = (store, line) => lineName(store.snapshot.lines.findIndex((one) => one.id === line) + 1);

export function checkpointAt(store, line) {
  askName({
    title: t("tools.place.checkpoint", { line: nameOf(store, line) }),
    value: nameOf(store, line),
    button: t("tools.place.checkpoint.do"),
    send: (name) => give(store, "checkpoint", { name, line }, t("tools.place.checkpoint.done", { name })),
  });
}

export function branchAt(store, line) {
  askBranch(store, line, t("tools.place.branch", { line: nameOf(store, line) }));
}

export function branchAtCheckpoint(store, { line, name }) {
  askBranch(store, line, t("tools.place.branch.checkpoint", { name }));
}

function askBranch(store, line, title) {
  askName({
    title,
    note: t("tools.place.branch.note"),
    value: t("tools.place.branch.name", { n: store.snapshot.branches.length + 1 }),
    button: t("tools.place.branch.do"),
    send: (name) => give(store, "branch", { line, name }, t("tools.place.branch.done", { name })),
  });
}

/** Nothing is lost by it and undo takes it back, so it does not ask. */
export function rewindTo(store, line) {
  return give(store, "rewind", { line }, t("tools.place.rewind.done", { line: nameOf(store, line) }));
}

export function restore(store, { id, name }) {
  return give(store, "restore", { checkpoint: id }, t("tools.place.restore.done", { name }));
}

export function switchTo(store, { id, name }) {
  return give(store, "switch", { branch: id }, t("tools.place.switch.done", { name }));
}

export function renameBranch(store, { id, name }) {
  askName({
    title: t("tools.place.rename", { name }),
    value: name,
    button: t("tools.place.rename.do"),
    send: (to) => give(store, "rename_branch", { branch: id, name: to }, t("tools.place.rename.done", { name: to })),
  });
}

export function renameCheckpoint(store, { id, name }) {
  askName({
    title: t("tools.place.rename", { name }),
    value: name,
    button: t("tools.place.rename.do"),
    send: (to) => give(store, "rename_checkpoint", { checkpoint: id, name: to }, t("tools.place.rename.done", { name: to })),
  });
}

/** `own`: how many lines stand in no other branch. */
export function prune(store, { id, name, own }) {
  askYes({
    title: t("tools.place.prune", { name }),
    notes: [own ? t("tools.place.prune.lost", { n: own }) : t("tools.place.prune.none"), t("tools.place.prune.undo")],
    button: t("tools.place.prune.do"),
    send: () => give(store, "prune", { branch: id }, t("tools.place.prune.done", { name })),
  });
}

/** The lines stay; only the name goes, and undo brings it back. */
export function dropCheckpoint(store, { id, name }) {
  return give(store, "drop_checkpoint", { checkpoint: id }, t("tools.place.drop.done", { name }));
}
