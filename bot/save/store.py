"""A Save/ folder: the show's decisions in show.db, and the user's own words beside it. One program at a time owns it;
every decision is on disk when it returns.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from pydantic import TypeAdapter

from bot.approval import OPEN, PUBLISHED, Decision, Item
from bot.messages import Message
from bot.save.database import Database, lock_folder, marks
from bot.save.desk import DeskRecord
from bot.save.errors import SaveError
from bot.save.generations import Generations
from bot.save.ledger import Ledger
from bot.save.library import Library
from bot.save.recorder import Recorder

_ITEM = TypeAdapter(Item)

_OWN_WORDS = """\
# 场控面板上加的词。一行一词，用制表符分开：词、类别、级别 1-4、标记（a 是放行）、备注。可以手改，改完马上生效。
"""


class Save:
    """A Save/ folder and its show.db."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = lock_folder(folder / ".lock")
        except OSError as error:
            raise SaveError(
                f"存档文件夹 {folder} 不能写入（{error.strerror}）。请改 config.yaml 的 save 或文件夹权限。 "
                f"The save folder is not writable."
            ) from error
        try:
            self._db = Database(folder / "show.db")
        except BaseException:
            os.close(self._lock)
            raise
        self.desk = DeskRecord(self._db)
        self.library = Library(folder)
        self.generations = Generations(self._db)

    def close(self) -> None:
        self._db.close()
        os.close(self._lock)

    # -- the show --------------------------------------------------------------------------------------------------

    def record(self, scenario: str, item: Item, decision: Decision | None) -> None:
        """One change of an item, with the decision behind it, in one synced transaction."""
        with self._db.transaction():
            self._db.execute(
                "INSERT INTO items VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET state = excluded.state, body = excluded.body",
                (item.id, scenario, item.state, item.created, _ITEM.dump_json(item).decode()),
            )
            if decision is not None:
                self._db.execute(
                    "INSERT INTO decisions (item, revision, action, at, by, text, override, checked) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (item.id, item.revision, *_decision_row(decision)),
                )

    def open_items(self, scenario: str) -> list[Item]:
        """What was waiting when the program ended, oldest first. AIRED counts: its time on the air is not over."""
        return self._items(
            f"SELECT body FROM items WHERE scenario = ? AND state IN ({marks(_UNFINISHED)}) ORDER BY created, id",
            scenario, *_UNFINISHED,
        )  # fmt: skip

    def closed_items(self, scenario: str, limit: int) -> list[Item]:
        """The last decided items, oldest first."""
        rows = self._items(
            f"SELECT body FROM items WHERE scenario = ? AND state NOT IN ({marks(_UNFINISHED)}) "
            "ORDER BY created DESC, id DESC LIMIT ?",
            scenario, *_UNFINISHED, limit,
        )  # fmt: skip
        return rows[::-1]

    def published_items(self, scenario: str) -> list[Item]:
        """What was aired and not recalled, in the order in which it was aired."""
        return self._items(
            "SELECT body FROM items JOIN decisions ON decisions.item = items.id AND decisions.action = 'air' "
            f"WHERE scenario = ? AND state IN ({marks(PUBLISHED)}) ORDER BY decisions.number",
            scenario, *PUBLISHED,
        )  # fmt: skip

    def shows(self) -> list[tuple[str, int, float]]:
        """The scenarios that were played live (series/name), how many of each one's items were aired and stand, and when
        the last of those came up."""
        return self._db.execute(
            f"SELECT scenario, COUNT(*), MAX(created) FROM items WHERE state IN ({marks(PUBLISHED)}) GROUP BY scenario",
            PUBLISHED,
        ).fetchall()

    def record_messages(self, outcomes: Iterable[tuple[Message, str, str | None]]) -> None:
        """What became of viewers' messages: the item's id, or the code of the reason why there is none; and the verdict
        of the checks as JSON (None: no new one, the one on record stands)."""
        rows = [
            (m.id, m.time, m.kind, m.viewer.platform, m.viewer.id, m.viewer.name, m.text, m.price, outcome, verdict)
            for m, outcome, verdict in outcomes
        ]
        if rows:
            with self._db.transaction():
                self._db.executemany(
                    "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
                    "outcome = excluded.outcome, verdict = COALESCE(excluded.verdict, verdict)",
                    rows,
                )

    @property
    def own_words_file(self) -> Path:
        """The word list that is kept at the panel. There is one as soon as somebody asks where."""
        file = self.folder / "words.tsv"
        if not file.exists():
            self.write_own_words(_OWN_WORDS)
        return file

    def own_words(self) -> str:
        try:
            return self.own_words_file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise SaveError(f"读不了 {self.folder / 'words.tsv'}（{error}）。 The word list cannot be read.") from error

    def write_own_words(self, text: str) -> None:
        """All of it or nothing: whoever reads meanwhile has the old list or the new one."""
        file, part = self.folder / "words.tsv", self.folder / ".words.tsv.part"
        try:
            with part.open("w", encoding="utf-8", newline="\n") as out:
                out.write(text)
                out.flush()
                os.fsync(out.fileno())
            part.replace(file)
        except OSError as error:
            raise SaveError(
                f"写不了 {file}（{error.strerror}），词表没有变。请检查磁盘空间和权限。 The word list was not changed."
            ) from error

    def recorder(
        self, platform: str, clock: Callable[[], float], trouble: Callable[[str], None], names: bool
    ) -> Recorder:
        """Recordings of one adapter, under recordings/ and its name."""
        folder = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in platform)
        return Recorder(self.folder / "recordings" / folder, clock, trouble, names=names)

    def ledger(self) -> Ledger:
        """The record as it is now, to read apart from everything else; whoever asks for it closes it."""
        return Ledger(self.folder / "show.db")

    def remember(self, key: str, value: str) -> None:
        with self._db.transaction():
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def recollect(self, key: str) -> str | None:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    # -- inside ----------------------------------------------------------------------------------------------------

    def _items(self, query: str, *values: object) -> list[Item]:
        return [_ITEM.validate_json(body) for (body,) in self._db.execute(query, values)]


def _decision_row(decision: Decision) -> tuple[object, ...]:
    made = (decision.action, decision.at, decision.by, decision.text)
    return (*made, decision.override or None, decision.checked or None)


_UNFINISHED = tuple(sorted({*OPEN, "aired"}))
