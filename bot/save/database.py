"""show.db: SQLite in WAL mode with synchronous=FULL, one writer. A commit that has returned survives a crash of the
program and of the machine.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from bot.save.errors import SaveError

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
    """
    CREATE TABLE scenes (
        id TEXT PRIMARY KEY, title TEXT NOT NULL, series TEXT NOT NULL, name TEXT NOT NULL, created REAL NOT NULL,
        changed REAL NOT NULL, position INTEGER NOT NULL, lines INTEGER NOT NULL, binned REAL
    ) WITHOUT ROWID;
    CREATE TABLE steps (
        scene TEXT NOT NULL, number INTEGER NOT NULL, at REAL NOT NULL, by TEXT NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (scene, number)
    ) WITHOUT ROWID;
    CREATE TABLE proposals (
        scene TEXT NOT NULL, id TEXT NOT NULL, at REAL NOT NULL, after TEXT NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (scene, id)
    ) WITHOUT ROWID;
    CREATE INDEX proposals_by_place ON proposals (scene, after);
    CREATE TABLE scratch (
        scene TEXT NOT NULL, tab TEXT NOT NULL, at REAL NOT NULL, body TEXT NOT NULL, PRIMARY KEY (scene, tab)
    ) WITHOUT ROWID;
    CREATE TABLE generations (
        number INTEGER PRIMARY KEY, place TEXT NOT NULL, subject TEXT NOT NULL, character TEXT NOT NULL,
        at REAL NOT NULL, seconds REAL NOT NULL, first_text REAL, drafts INTEGER NOT NULL, characters INTEGER NOT NULL,
        outcome TEXT NOT NULL
    );
    CREATE INDEX generations_by_time ON generations (at);
    CREATE INDEX items_by_time ON items (created);
    """,
)


class Database:
    """An open show.db, brought to the newest form."""

    def __init__(self, path: Path) -> None:
        try:
            # isolation_level None: transactions are ours, so that a migration is one, too.
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            _migrate(self._db, path)
        except sqlite3.Error as error:
            raise SaveError(
                f"打不开 {path}（{error}）。若文件已损坏，请把它改名留底，再启动。 The database cannot be opened."
            ) from error

    def close(self) -> None:
        self._db.close()

    def execute(self, query: str, values: Iterable[object] = ()) -> sqlite3.Cursor:
        return self._db.execute(query, tuple(values))

    def executemany(self, query: str, rows: Iterable[Iterable[object]]) -> sqlite3.Cursor:
        return self._db.executemany(query, (tuple(row) for row in rows))

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing, on disk when the block ends. Raises SaveError."""
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


def marks(values: Iterable[object]) -> str:
    return ", ".join("?" for _ in values)


def _migrate(db: sqlite3.Connection, path: Path) -> None:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise SaveError(
            f"{path} 由更新版本的程序写成（{version} > {len(MIGRATIONS)}）。请升级 rwkv-cohost。 Written by a newer version."
        )
    for number, step in enumerate(MIGRATIONS[version:], start=version + 1):
        db.executescript(f"BEGIN IMMEDIATE; {step} PRAGMA user_version = {number}; COMMIT;")


def lock_folder(path: Path) -> int:
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
