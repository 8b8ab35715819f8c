"""A long record: read a row at a time, and beside the show, which goes on writing."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

from bot.figures.asked import Asked
from bot.figures.pairs import jsonl
from bot.save import Save
from tests.figures.season import broadcasts

CARDS = 10_000
NOON = 1_700_000_000.0


def long_record(save: Save) -> int:
    """Copies of one real card with its approval and its generation; the bytes of their bodies."""
    broadcasts(save, 1, NOON)
    body = save._db.execute("SELECT body FROM items WHERE state = 'done' LIMIT 1").fetchone()[0]
    times = [NOON + number * 60.0 for number in range(CARDS)]
    with save._db.transaction():
        save._db.executemany(
            "INSERT INTO items VALUES (?, '演示/直播间', 'done', ?, ?)", ((f"x{at}", at, body) for at in times)
        )
        save._db.executemany(
            "INSERT INTO decisions (item, revision, action, at, by, text) VALUES (?, 2, 'approve', ?, 'Anna', '好')",
            ((f"x{at}", at + 5.0) for at in times),
        )
        save._db.executemany(
            "INSERT INTO generations (place, subject, character, at, seconds, drafts, characters, outcome) "
            "VALUES ('show', '演示/直播间', '小芽', ?, 2.0, 5, 80, 'finished')",
            ((at,) for at in times),
        )
    return CARDS * len(body.encode())


def test_a_long_record_is_never_in_memory(tmp_path: Path) -> None:
    """For the figures and for the preferences; what is kept of a card is a time."""
    save = Save(tmp_path)
    size = long_record(save)
    ledger = save.ledger()
    tracemalloc.start()
    try:
        found = Asked().figures(ledger)
        lines = sum(1 for _ in jsonl(Asked().pairs(ledger)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found["totals"]["decided"] >= CARDS and lines >= CARDS
    assert peak < size / 3
    ledger.close()
    save.close()


def test_the_show_writes_while_the_record_is_read(tmp_path: Path) -> None:
    """Neither waits for the other: the reader sees the record as it was when it began."""
    save = Save(tmp_path)
    broadcasts(save, 1, NOON)
    ledger = save.ledger()
    rows = ledger.cards()
    first = next(rows)
    save.remember("pause", "hold")
    assert save.recollect("pause") == "hold"
    assert first.scenario == "演示/直播间" and len(list(rows)) > 3
    ledger.close()
    save.close()
