// Lays the branches out as lanes, one row for each branch, checkpoint and the present place. Pure: tree in, rows out.

/**
 * `tree` is the server's: branches `{id, name, parent, shared, lines, current}` and checkpoints `{id, name, branch, lines}`,
 * where `lines` are counted from the beginning and `shared` are those that the parent has, too. `closed`: keys of branches
 * folded away. A row: `{key, kind: "branch"|"checkpoint"|"here", level, column, rails, open, up, …}`. `rails` are the pieces
 * of lanes that cross the row, `[column, from, to]` in parts of its height; `open` is null where there is nothing to fold;
 * `up` is the key of the branch that it belongs to; `own` are a branch's lines that stand nowhere else. A
 * checkpoint whose `branch` is none of them stands alone, after the branches.
 */
export function rowsOf(tree, closed = new Set()) {
  const rows = [];
  const known = new Set(tree.branches.map((branch) => branch.id));
  const roots = tree.branches.filter((branch) => !known.has(branch.parent));
  const loose = tree.checkpoints.filter((one) => !known.has(one.branch)); // their lines stand in no branch any more
  const place = (i) => [i + 1, roots.length + loose.length];
  roots.forEach((branch, i) => addBranch(branch, { column: 0, through: [], more: false, up: null, place: place(i) }));
  loose.forEach((of, i) => addLeaf({ kind: "checkpoint", of }, { column: 0, up: null, place: place(roots.length + i), rails: [] }));
  return rows;

  /** `through`: the columns whose lanes pass all rows of this branch. `more`: whether its parent's lane goes on below. */
  function addBranch(branch, { column, through, more, up, place }) {
    const key = `branch ${branch.id}`;
    const events = eventsOf(tree, branch);
    const open = events.length ? !closed.has(key) : null;
    const rails = through.map(whole);
    if (column > 0) rails.push([column - 1, 0, more ? 1 : 0.5]);
    if (open) rails.push([column, 0.5, 1]);
    rows.push({ ...branch, key, kind: "branch", level: column + 1, column, rails, open, up, place, own: ownLines(tree, branch) });
    if (!open) return;
    const passing = more ? [...through, column - 1] : through;
    events.forEach((event, i) => {
      const last = i === events.length - 1;
      const at = { column, through: passing, more: !last, up: key, place: [i + 1, events.length] };
      if (event.kind === "branch") addBranch(event.of, { ...at, column: column + 1 });
      else addLeaf(event, { ...at, rails: [...passing.map(whole), [column, 0, last ? 0.5 : 1]] });
    });
  }

  function addLeaf({ kind, of }, { column, up, place, rails }) {
    const key = kind === "here" ? kind : `${kind} ${of.id}`;
    rows.push({ ...of, key, kind, level: up === null ? 1 : column + 2, column, rails, open: null, up, place });
  }
}

const whole = (column) => [column, 0, 1];

/** What happens along one branch, in the order of the story. Where it is told at one line, marks come before forks. */
function eventsOf(tree, branch) {
  const marks = tree.checkpoints.filter((one) => one.branch === branch.id);
  const forks = tree.branches.filter((one) => one.parent === branch.id);
  const events = [
    ...marks.map((of) => ({ kind: "checkpoint", of, at: of.lines })),
    ...forks.map((of) => ({ kind: "branch", of, at: of.shared })),
    ...(branch.current ? [{ kind: "here", of: { name: "", lines: branch.lines }, at: branch.lines }] : []),
  ];
  return events.sort((a, b) => a.at - b.at); // stable: marks, then forks, then the present place
}

/** The lines after the last place that a parent, a child or a checkpoint has too. */
function ownLines(tree, branch) {
  const shared = [
    branch.shared,
    ...tree.branches.filter((one) => one.parent === branch.id).map((one) => one.shared),
    ...tree.checkpoints.filter((one) => one.branch === branch.id).map((one) => one.lines),
  ];
  return Math.max(0, branch.lines - Math.max(...shared));
}
