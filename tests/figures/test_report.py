"""One pass over the rows, four ways to heap them; days as people have them; a table that a spreadsheet can open."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from bot.figures.calendar import Calendar, Unit, day_bounds, fitting
from bot.figures.choices import Choice, Fate
from bot.figures.report import report
from bot.figures.table import BOM, table, to_csv
from bot.save import Generation, Place
from tests.figures.test_tally import CHOICES, GENERATIONS, tally

DAY = 86400.0
EAST = timezone(timedelta(hours=8))


@given(st.lists(CHOICES, max_size=20), st.lists(GENERATIONS, max_size=20))
def test_every_heap_is_the_tally_of_its_rows(choices: list[Choice], generations: list[Generation]) -> None:
    """In all, by character, by show or scene; by day, the parts make up the whole."""
    generations.sort(key=lambda one: one.at)
    found = report(choices, generations, Calendar(Unit.DAY, UTC), {"scene1": "夜谈"})
    assert found["totals"] == tally(choices, generations)
    for heap in found["characters"]:
        name = heap.pop("name")
        mine = [one for one in choices if one.character == name], [one for one in generations if one.character == name]
        assert heap == tally(*mine)
    for heap in found["subjects"]:
        key = heap.pop("place"), heap.pop("name")
        assert heap.pop("title") == ("夜谈" if key[1] == "scene1" else key[1])
        assert heap == tally(
            [one for one in choices if (one.place, one.subject) == key],
            [one for one in generations if (one.place, one.subject) == key],
        )
    assert sum(heap["decided"] for heap in found["buckets"]) == found["totals"]["decided"]


def test_a_day_without_anything_is_there_with_nothing() -> None:
    """Else a plot would draw two days beside each other that are not."""
    rows = [Choice(Place.SHOW, "s", "c", day * DAY, Fate.TAKEN) for day in (0, 3)]
    found = report(rows, [], Calendar(Unit.DAY, UTC), {})
    assert [(heap["start"], heap["taken"]) for heap in found["buckets"]] == [
        ("1970-01-01", 1), ("1970-01-02", 0), ("1970-01-03", 0), ("1970-01-04", 1),
    ]  # fmt: skip


@given(st.floats(0, 4e9), st.sampled_from(Unit), st.sampled_from([UTC, EAST, timezone(timedelta(hours=5, minutes=45))]))
def test_a_bucket_is_the_one_on_the_calendar(at: float, unit: Unit, zone: timezone) -> None:
    forms = {Unit.HOUR: "%Y-%m-%d %H:00", Unit.DAY: "%Y-%m-%d", Unit.MONTH: "%Y-%m"}
    assert Calendar(unit, zone).bucket(at) == datetime.fromtimestamp(at, zone).strftime(forms[unit])


@given(st.integers(0, 2000), st.integers(0, 70), st.sampled_from([Unit.DAY, Unit.MONTH]))
def test_buckets_from_one_to_another_leave_none_out(first: int, more: int, unit: Unit) -> None:
    calendar = Calendar(unit, UTC)
    days = [calendar.bucket((first + day) * DAY) for day in range(more + 1)]
    assert calendar.between(days[0], days[-1]) == list(dict.fromkeys(days))


def test_hours_go_on_over_midnight() -> None:
    assert Calendar(Unit.HOUR, UTC).between("2026-02-28 23:00", "2026-03-01 01:00") == [
        "2026-02-28 23:00", "2026-03-01 00:00", "2026-03-01 01:00",
    ]  # fmt: skip


def test_a_range_of_days_has_both_with_it() -> None:
    start, end = day_bounds(date(2026, 11, 1), date(2026, 11, 2), EAST)
    assert (end - start, datetime.fromtimestamp(start, EAST).isoformat()) == (2 * DAY, "2026-11-01T00:00:00+08:00")
    assert [fitting(0, days * DAY) for days in (1, 2, 3, 100, 101)] == ["hour", "hour", "day", "day", "month"]


@given(st.lists(CHOICES, max_size=10), st.lists(GENERATIONS, max_size=10))
def test_the_table_adds_up_to_the_whole(choices: list[Choice], generations: list[Generation]) -> None:
    generations.sort(key=lambda one: one.at)
    text = table(choices, generations, Calendar(Unit.DAY, UTC), {})
    rows = list(csv.DictReader(io.StringIO(text.removeprefix(BOM))))
    whole = tally(choices, generations)
    for name in ("generations", "drafts", "characters", "taken", "edited", "hits", "chosen_characters", "waiting"):
        assert sum(int(row[name]) for row in rows) == whole[name]


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=5))
def test_a_table_reads_as_it_was_written(rows: list[list[str]]) -> None:
    """Quotes, commas and line breaks in names; nothing that begins like a formula stays one."""
    read = list(csv.reader(io.StringIO(to_csv(rows), newline="")))
    assert [[cell.removeprefix("'") for cell in row] for row in read] == [
        [cell.removeprefix("'") for cell in row] for row in rows
    ]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in read for cell in row)


def test_a_table_is_as_the_standard_has_it() -> None:
    """RFC 4180: CRLF, quotes doubled. Excel is told that it is UTF-8."""
    assert to_csv([("名", 'a"b', None, 0.12345, -3), ("=1+1", "@x", "a,b", "", 0.0)]) == (
        '名,"a""b",,0.123,-3\r\n\'=1+1,\'@x,"a,b",,0.0\r\n'
    )
    assert table([], [], Calendar(Unit.DAY, UTC), {}).startswith("\ufeffday,place,title,character,generations,")
