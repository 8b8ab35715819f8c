"""The only file that writes under Save/. One program at a time owns a folder; every decision is on disk when it returns.

SQLite in WAL mode with synchronous=FULL: a commit that has returned survives a crash of the program and of the machine.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO

from pydantic import TypeAdapter

from adapters.recording import Tape
from bot.approval import OPEN, PUBLISHED, Decision, Item
from bot.errors import UserError
from bot.messages import Event, Message

_ITEM = TypeAdapter(Item)

# Step n brings a database from user_version n to n + 1. Never edit a step that has been released: add one.
MIGRATIONS = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE items (
        id TEXT PRIMARY KEY, scenario TEXT NOT NULL, state TEXT NOT NULL, created REAL NOT NULL, body TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX items_by_state ON items (scenario, state, created);
    CREATE TABLE decisions (
        number INTEGER PRIMARY KEY, item TEXT NOT NULL, revision INTEGER NOT NULL,
        action TEXT NOT NULL, at REAL NOT NULL, by TEXT, text TEXT
    );
    CREATE INDEX decisions_by_item ON decisions (item, action);
    CREATE TABLE messages (
        id TEXT PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, platform TEXT NOT NULL, viewer_id TEXT NOT NULL,
        viewer TEXT NOT NULL, text TEXT NOT NULL, price REAL, outcome TEXT NOT NULL
    ) WITHOUT ROWID;
    """,
    """
    ALTER TABLE decisions ADD COLUMN override TEXT;
    ALTER TABLE decisions ADD COLUMN checked TEXT;
    ALTER TABLE messages ADD COLUMN verdict TEXT;
    """,
)


_OWN_WORDS = """\
# 场控面板上加的词。一行一词，用制表符分开：词、类别、级别 1-4、标记（a 是放行）、备注。可以手改，改完马上生效。
"""


class SaveError(UserError):
    """The disk refused. Nothing was changed."""


class Save:
    """A Save/ folder and its show.db."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(folder / ".lock")
        except OSError as error:
            raise SaveError(
                f"存档文件夹 {folder} 不能写入（{error.strerror}）。请改 config.yaml 的 save 或文件夹权限。 "
                f"The save folder is not writable."
            ) from error
        try:
            self._db = self._open(folder / "show.db")
        except BaseException:
            os.close(self._lock)
            raise

    def close(self) -> None:
        self._db.close()
        os.close(self._lock)

    # -- the show --------------------------------------------------------------------------------------------------

    def record(self, scenario: str, item: Item, decision: Decision | None) -> None:
        """One change of an item, with the decision behind it, in one synced transaction."""
        with self._transaction():
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
            f"SELECT body FROM items WHERE scenario = ? AND state IN ({_marks(_UNFINISHED)}) ORDER BY created, id",
            scenario, *_UNFINISHED,
        )  # fmt: skip

    def closed_items(self, scenario: str, limit: int) -> list[Item]:
        """The last decided items, oldest first."""
        rows = self._items(
            f"SELECT body FROM items WHERE scenario = ? AND state NOT IN ({_marks(_UNFINISHED)}) "
            "ORDER BY created DESC, id DESC LIMIT ?",
            scenario, *_UNFINISHED, limit,
        )  # fmt: skip
        return rows[::-1]

    def published_items(self, scenario: str) -> list[Item]:
        """What was aired and not recalled, in the order in which it was aired."""
        return self._items(
            "SELECT body FROM items JOIN decisions ON decisions.item = items.id AND decisions.action = 'air' "
            f"WHERE scenario = ? AND state IN ({_marks(PUBLISHED)}) ORDER BY decisions.number",
            scenario, *PUBLISHED,
        )  # fmt: skip

    def record_messages(self, outcomes: Iterable[tuple[Message, str, str | None]]) -> None:
        """What became of viewers' messages: the item's id, or the code of the reason why there is none; and the verdict
        of the checks as JSON (None: no new one, the one on record stands)."""
        rows = [
            (m.id, m.time, m.kind, m.viewer.platform, m.viewer.id, m.viewer.name, m.text, m.price, outcome, verdict)
            for m, outcome, verdict in outcomes
        ]
        if rows:
            with self._transaction():
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

    def remember(self, key: str, value: str) -> None:
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def recollect(self, key: str) -> str | None:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    # -- inside ----------------------------------------------------------------------------------------------------

    def _open(self, path: Path) -> sqlite3.Connection:
        try:
            # isolation_level None: transactions are ours, so that a migration is one, too.
            db = sqlite3.connect(path, isolation_level=None)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            _migrate(db, path)
        except sqlite3.Error as error:
            raise SaveError(
                f"打不开 {path}（{error}）。若文件已损坏，请把它改名留底，再启动。 The database cannot be opened."
            ) from error
        return db

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise SaveError(
                f"存档写不进去（{error}），这一步没有生效。请检查磁盘空间。 Saving failed; nothing was changed."
            ) from error

    def _items(self, query: str, *values: object) -> list[Item]:
        return [_ITEM.validate_json(body) for (body,) in self._db.execute(query, values)]


class Recorder:
    """Appends what a platform sends to `folder`/YYYYMMDD-HHMMSS.jsonl, a new file each day and whenever one is full.

    A recording is a convenience: a disk that refuses costs lines of it, is told once to `trouble` (and "" when it is
    over), and is asked again after a minute. Nothing is raised.
    """

    def __init__(
        self,
        folder: Path,
        clock: Callable[[], float],
        trouble: Callable[[str], None],
        *,
        names: bool = False,
        most_bytes: int = 64 * 2**20,
        retry_seconds: float = 60.0,
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._trouble = trouble
        self._names = names
        self._most_bytes = most_bytes
        self._retry_seconds = retry_seconds
        self._file: BinaryIO | None = None
        self._tape = Tape(0.0)
        self._day = date.min
        self._in_trouble = False
        self._again = 0.0  # not before this time

    def write(self, event: Event) -> None:
        """One line, in the hands of the system when this returns."""
        now = self._clock()
        if now < self._again:
            return
        try:
            self._append(event, now)
        except OSError as error:
            self._give_up(error, now)
        else:
            if self._in_trouble:
                self._in_trouble = False
                self._trouble("")

    def close(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None

    def _append(self, event: Event, now: float) -> None:
        today = datetime.fromtimestamp(now).date()
        if self._file is None or self._day != today or self._file.tell() >= self._most_bytes:
            self.close()
            self._file, self._tape, self._day = self._begin(now), Tape(now, names=self._names), today
        line, end = self._tape.line(event, now).encode(), self._file.tell()
        try:
            if self._file.write(line) < len(line):  # unbuffered, so a full disk may take a part of it
                raise OSError(28, "No space left on device")
        except OSError:
            with contextlib.suppress(OSError):
                self._file.truncate(end)  # half a line would make the file unreadable
            raise

    def _begin(self, now: float) -> BinaryIO:
        self._folder.mkdir(parents=True, exist_ok=True)
        stem = f"{datetime.fromtimestamp(now):%Y%m%d-%H%M%S}"
        names = (f"{stem}.jsonl", *(f"{stem}-{number}.jsonl" for number in range(2, 1000)))
        path = next(self._folder / name for name in names if not (self._folder / name).exists())
        return path.open("xb", buffering=0)

    def _give_up(self, error: OSError, now: float) -> None:
        self.close()
        self._again = now + self._retry_seconds
        if not self._in_trouble:
            self._in_trouble = True
            reason = error.strerror or type(error).__name__
            self._trouble(
                f"录像写不进 {self._folder}（{reason}），节目照常；请检查磁盘空间。 Recording is interrupted; the show goes on."
            )


def _decision_row(decision: Decision) -> tuple[object, ...]:
    made = (decision.action, decision.at, decision.by, decision.text)
    return (*made, decision.override or None, decision.checked or None)


_UNFINISHED = tuple(sorted({*OPEN, "aired"}))


def _marks(values: Iterable[object]) -> str:
    return ", ".join("?" for _ in values)


def _migrate(db: sqlite3.Connection, path: Path) -> None:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise SaveError(
            f"{path} 由更新版本的程序写成（{version} > {len(MIGRATIONS)}）。请升级 rwkv-cohost。 Written by a newer version."
        )
    for number, step in enumerate(MIGRATIONS[version:], start=version + 1):
        db.executescript(f"BEGIN IMMEDIATE; {step} PRAGMA user_version = {number}; COMMIT;")


def _lock(path: Path) -> int:
    """Hold the folder until the program ends, however it ends: the system lets go of the lock with the process."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise SaveError(
            f"{path.parent} 正被另一个 rwkv-cohost 使用。请先关掉它，或在 config.yaml 里另设 save。 "
            "Another rwkv-cohost is using this save folder."
        ) from error
    return handle
