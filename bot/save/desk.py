"""The desk's scenes on record: their steps, drafts that wait, and what stands in the text boxes. Knows no meaning."""

from __future__ import annotations

from dataclasses import dataclass

from bot.save.database import Database


@dataclass(frozen=True, slots=True)
class SceneRow:
    """A scene in a list. `position`: how many steps after the first are in effect. `lines`: confirmed ones, now.

    Times are seconds since 1970. `binned` None: it is not in the bin.
    """

    id: str
    title: str
    series: str
    name: str
    created: float
    changed: float
    position: int
    lines: int
    binned: float | None = None


@dataclass(frozen=True, slots=True)
class StepRow:
    """`number` 0 began the scene. `body` is the step as JSON."""

    number: int
    at: float
    by: str
    body: str


@dataclass(frozen=True, slots=True)
class Kept:
    """Something kept beside the steps, by its own id: an ask with its drafts (`after`: the line they follow), or what
    stands in a tab's text box (`id` is the tab's)."""

    id: str
    at: float
    body: str
    after: str = ""


class DeskRecord:
    """Scenes in show.db. Every change is one synced transaction. Raises SaveError, and then nothing has changed."""

    def __init__(self, db: Database) -> None:
        self._db = db

    # -- scenes ----------------------------------------------------------------------------------------------------

    def begin(self, scene: SceneRow, first: StepRow) -> None:
        with self._db.transaction():
            row = (scene.id, scene.title, scene.series, scene.name, scene.created, scene.changed)
            self._db.execute("INSERT INTO scenes VALUES (?, ?, ?, ?, ?, ?, 0, ?, NULL)", (*row, scene.lines))
            self._insert(scene.id, first)

    def step(self, scene: str, step: StepRow, *, title: str, lines: int) -> None:
        """The next step in effect. Steps that were undone, with this number and above, are gone."""
        with self._db.transaction():
            self._db.execute("DELETE FROM steps WHERE scene = ? AND number >= ?", (scene, step.number))
            self._insert(scene, step)
            self._move(scene, step.number, step.at, title, lines)

    def move(self, scene: str, position: int, at: float, *, title: str, lines: int) -> None:
        """An undo or a redo."""
        with self._db.transaction():
            self._move(scene, position, at, title, lines)

    def scenes(self) -> list[SceneRow]:
        """All of them, those in the bin too, the one changed last first."""
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM scenes ORDER BY changed DESC, id")
        return [SceneRow(*row) for row in rows]

    def scene(self, id: str) -> SceneRow | None:
        row = self._db.execute(f"SELECT {_COLUMNS} FROM scenes WHERE id = ?", (id,)).fetchone()
        return None if row is None else SceneRow(*row)

    def steps(self, scene: str) -> list[StepRow]:
        """In order, those that were undone too."""
        rows = self._db.execute("SELECT number, at, by, body FROM steps WHERE scene = ? ORDER BY number", (scene,))
        return [StepRow(*row) for row in rows]

    def bin(self, scene: str, at: float | None) -> None:
        """Into the bin, or with None out of it."""
        with self._db.transaction():
            self._db.execute("UPDATE scenes SET binned = ? WHERE id = ?", (at, scene))

    def scenario_moved(self, before: tuple[str, str], after: tuple[str, str]) -> None:
        """The scenario's folder has another series or name; its scenes stay with it."""
        with self._db.transaction():
            self._db.execute("UPDATE scenes SET series = ?, name = ? WHERE series = ? AND name = ?", (*after, *before))

    def remove(self, scene: str) -> None:
        """For ever."""
        with self._db.transaction():
            for table, key in (("scenes", "id"), ("steps", "scene"), ("proposals", "scene"), ("scratch", "scene")):
                self._db.execute(f"DELETE FROM {table} WHERE {key} = ?", (scene,))

    # -- what waits beside the steps -------------------------------------------------------------------------------

    def keep_proposal(self, scene: str, kept: Kept) -> None:
        with self._db.transaction():
            self._db.execute(
                "INSERT OR REPLACE INTO proposals VALUES (?, ?, ?, ?, ?)",
                (scene, kept.id, kept.at, kept.after, kept.body),
            )

    def proposals(self, scene: str, after: str) -> list[Kept]:
        """Those for one place, oldest first."""
        rows = self._db.execute(
            "SELECT id, at, body, after FROM proposals WHERE scene = ? AND after = ? ORDER BY at, id", (scene, after)
        )
        return [Kept(*row) for row in rows]

    def proposal(self, scene: str, id: str) -> Kept | None:
        row = self._db.execute(
            "SELECT id, at, body, after FROM proposals WHERE scene = ? AND id = ?", (scene, id)
        ).fetchone()
        return None if row is None else Kept(*row)

    def keep_scratch(self, scene: str, kept: Kept) -> None:
        with self._db.transaction():
            self._db.execute("INSERT OR REPLACE INTO scratch VALUES (?, ?, ?, ?)", (scene, kept.id, kept.at, kept.body))

    def scratches(self, scene: str) -> list[Kept]:
        """One for each tab, the newest first."""
        rows = self._db.execute("SELECT tab, at, body FROM scratch WHERE scene = ? ORDER BY at DESC, tab", (scene,))
        return [Kept(*row) for row in rows]

    def drop_scratch(self, scene: str, tab: str) -> None:
        with self._db.transaction():
            self._db.execute("DELETE FROM scratch WHERE scene = ? AND tab = ?", (scene, tab))

    # -- inside ----------------------------------------------------------------------------------------------------

    def _insert(self, scene: str, step: StepRow) -> None:
        self._db.execute("INSERT INTO steps VALUES (?, ?, ?, ?, ?)", (scene, step.number, step.at, step.by, step.body))

    def _move(self, scene: str, position: int, at: float, title: str, lines: int) -> None:
        self._db.execute(
            "UPDATE scenes SET position = ?, changed = ?, title = ?, lines = ? WHERE id = ?",
            (position, at, title, lines, scene),
        )


_COLUMNS = "id, title, series, name, created, changed, position, lines, binned"
