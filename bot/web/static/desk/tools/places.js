// What is done with places of the story: checkpoints, branches, and going back. Each is one order; where it needs a name
// or a yes, a box asks for it.

import { t } from "../../texts.js";
import { askName, askYes, give } from "./dialogs.js";

/** Lines are counted from 1; 0 is the beginning, before any line. */
const numberOf = (store, line) => store.snapshot.lines.findIndex((one) => one.id === line) + 1;

export function checkpointAt(store, line) {
  askName({
    title: t("place.checkpoint", { n: numberOf(store, line) }),
    value: t("place.line", { n: numberOf(store, line) }),
    button: t("place.checkpoint.do"),
    send: (name) => give(store, "checkpoint", { name, line }, t("place.checkpoint.done", { name })),
  });
}

export function branchAt(store, line) {
  askBranch(store, line, t("place.branch", { n: numberOf(store, line) }));
}

export function branchAtCheckpoint(store, { line, name }) {
  askBranch(store, line, t("place.branch.checkpoint", { name }));
}

function askBranch(store, line, title) {
  askName({
    title,
    note: t("place.branch.note"),
    value: t("place.branch.name", { n: store.snapshot.branches.length + 1 }),
    button: t("place.branch.do"),
    send: (name) => give(store, "branch", { line, name }, t("place.branch.done", { name })),
  });
}

/** Nothing is lost by it and undo takes it back, so it does not ask. */
export function rewindTo(store, line) {
  return give(store, "rewind", { line }, t("place.rewind.done", { n: numberOf(store, line) }));
}

export function restore(store, { id, name }) {
  return give(store, "restore", { checkpoint: id }, t("place.restore.done", { name }));
}

export function switchTo(store, { id, name }) {
  return give(store, "switch", { branch: id }, t("place.switch.done", { name }));
}

export function renameBranch(store, { id, name }) {
  askName({
    title: t("place.rename", { name }),
    value: name,
    button: t("place.rename.do"),
    send: (to) => give(store, "rename_branch", { branch: id, name: to }, t("place.rename.done", { name: to })),
  });
}

export function renameCheckpoint(store, { id, name }) {
  askName({
    title: t("place.rename", { name }),
    value: name,
    button: t("place.rename.do"),
    send: (to) => give(store, "rename_checkpoint", { checkpoint: id, name: to }, t("place.rename.done", { name: to })),
  });
}

/** `own`: how many lines stand in no other branch. */
export function prune(store, { id, name, own }) {
  askYes({
    title: t("place.prune", { name }),
    notes: [own ? t("place.prune.lost", { n: own }) : t("place.prune.none"), t("place.prune.undo")],
    button: t("place.prune.do"),
    send: () => give(store, "prune", { branch: id }, t("place.prune.done", { name })),
  });
}

/** The lines stay; only the name goes, and undo brings it back. */
export function dropCheckpoint(store, { id, name }) {
  return give(store, "drop_checkpoint", { checkpoint: id }, t("place.drop.done", { name }));
}
