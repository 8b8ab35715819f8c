"""The lorebook tells what the last lines speak of, as far as there is room, and says why."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.desk.lorebook import Entry, Lore, Lorebook, active, lorebook_of
from bot.desk.mention import mention
from bot.scenario import Line, Origin, Scenario, ScenarioError

LINES = [Line("小麦", "昨夜的钟响了三次"), Line("", "雾很大"), Line("阿岩", "the Old Ship again")]


def book(*entries: Entry, budget: int = 512, depth: int = 10) -> Lorebook:
    return Lorebook(Lorebook=entries, LoreBudget=budget, LoreDepth=depth)


def names(lore: Lore) -> list[str]:
    return [told.entry.name for told in lore.active]


def entry(name: str, *keys: str, **more: object) -> Entry:
    return Entry.model_validate({"name": name, "keys": keys, "text": f"{name}的事", **more})


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (entry("a", "海", "钟"), "钟"),
        (entry("b", "old ship"), "old ship"),
        (entry("c", "小麦"), "小麦"),
        (entry("d", constant=True), ""),
        (entry("e", "钟", secondary=("雨", "雾")), "钟"),
    ],
)
def test_an_entry_is_told_when_its_time_has_come(found: Entry, why: str) -> None:
    """One of its keys, in words or as a speaker; with secondary keys one of those too; or always."""
    (told,) = active(book(found), LINES, len).active
    assert (told.entry, told.key, told.tokens) == (found, why, 3)
    assert (why or "常驻") in told.why


@pytest.mark.parametrize(
    "silent",
    [
        entry("a", "海"),
        entry("b", "old ship", case=True),
        entry("c", "shi"),
        entry("d", constant=True, enabled=False),
        entry("e", "钟", secondary=("雨",)),
        entry("f", "钟", text=" \n"),
        entry("g", "", " "),
        entry("h"),
        entry("i", "/钟.*次/"),
    ],
)
def test_an_entry_is_silent_otherwise(silent: Entry) -> None:
    """Another word, other capitals where they count, half a Latin word, no words of its own, or switched off."""
    assert active(book(silent), LINES, len) == Lore()


def test_only_the_last_lines_are_searched() -> None:
    """As many as the book says; notices of the program are no lines."""
    said = [*LINES, Line("", "保存了。钟", Origin.SYSTEM)]
    assert names(active(book(entry("a", "钟"), depth=3), said, len)) == ["a"]
    assert names(active(book(entry("a", "钟"), depth=2), said, len)) == []
    assert names(active(book(entry("a", "钟"), entry("b", constant=True), depth=0), said, len)) == ["b"]


def test_where_room_is_short_the_dearest_are_told() -> None:
    """Constant ones first, then by priority; they are told in the order of the book, and what is left out is known."""
    entries = (
        entry("低", "钟", priority=1),
        entry("高", "钟", priority=9),
        entry("长", "钟", priority=5, text="很长" * 50),
        entry("常", constant=True),
    )
    lore = active(book(*entries, budget=9), LINES, len)
    assert names(lore) == ["低", "高", "常"] and lore.tokens == 9
    assert [told.entry.name for told in lore.left_out] == ["长"]
    assert names(active(book(*entries, budget=6), LINES, len)) == ["高", "常"]


keys = st.sampled_from(["钟", "雾", "海", "ship", "again", "没有"])
entries = st.lists(
    st.builds(
        Entry,
        keys=st.lists(keys, max_size=2).map(tuple),
        secondary=st.lists(keys, max_size=1).map(tuple),
        text=st.text("字 ", max_size=9),
        priority=st.integers(-2, 2),
        enabled=st.booleans(),
        constant=st.booleans(),
    ),
    max_size=8,
).map(lambda several: [one.model_copy(update={"name": str(n)}) for n, one in enumerate(several)])


@given(entries, st.integers(0, 20), st.integers(0, 4))
@example([Entry(name="0", text="字" * 9, constant=True), Entry(name="1", text="字" * 3, constant=True)], 4, 1)
def test_the_budget_holds_and_nothing_that_fits_is_left_out(several: list[Entry], budget: int, depth: int) -> None:
    """What is left out had no room beside those that go before it; whether an entry speaks does not depend on others."""
    lore = active(book(*several, budget=budget, depth=depth), LINES, len)
    assert lore.tokens <= budget
    due = [one for one in several if active(book(one, budget=99, depth=depth), LINES, len).active]
    assert sorted(map(repr, due)) == sorted(repr(told.entry) for told in (*lore.active, *lore.left_out))
    assert names(lore) == sorted(names(lore))
    for left in lore.left_out:
        before = [one for one in lore.active if goes_first(one.entry) < goes_first(left.entry)]
        assert left.tokens > budget - sum(one.tokens for one in before)


def goes_first(entry: Entry) -> tuple[bool, int, str]:
    return not entry.constant, -entry.priority, entry.name


@example("aa钟a钟a", "a钟a")
@given(st.text("abAB钟 ", max_size=12), st.text("abAB钟 ", max_size=3))
def test_a_mention_is_where_the_word_stands_whole(text: str, word: str) -> None:
    """By the plainest reading: each place is looked at, and Latin letters beside it make it part of another word."""
    folded, plain = text.casefold(), word.casefold().strip()
    places = [
        at
        for at in range(len(folded))
        if plain
        and folded.startswith(plain, at)
        and not (plain[0] in "ab" and at and folded[at - 1] in "ab")
        and not (plain[-1] in "ab" and folded[at + len(plain) : at + len(plain) + 1] in ("a", "b"))
    ]
    assert mention(text, word) == (places[0] if places else None)


def test_a_book_is_read_from_the_scenario() -> None:
    """Unknown keys of an entry harm nothing; without a book there is none."""
    extra = {"Lorebook": [{"name": "钟", "keys": ["钟"], "text": "海底的钟", "uid": 7}], "LoreBudget": 100}
    found = lorebook_of(Scenario("", "", extra=extra))
    assert (found.budget, found.depth, len(found.entries)) == (100, 10, 1)
    assert found.entries[0] == Entry(name="钟", keys=("钟",), text="海底的钟")
    assert lorebook_of(Scenario("", "")) == Lorebook()


@pytest.mark.parametrize(
    ("extra", "where"),
    [
        ({"Lorebook": [{"keys": ["a"]}, {"keys": "钟"}]}, "Lorebook[1].keys"),
        ({"Lorebook": {}}, "Lorebook"),
        ({"LoreBudget": -1}, "LoreBudget"),
        ({"Lorebook": [{"priority": "高"}]}, "Lorebook[0].priority"),
    ],
)
def test_a_mistake_in_a_book_says_where(extra: dict[str, object], where: str) -> None:
    """Which file, which entry, which key, and what stands there."""
    with pytest.raises(ScenarioError) as error:
        lorebook_of(Scenario("", "", extra=extra), "甲/场景剧本.json")
    assert str(error.value).startswith(f"甲/场景剧本.json {where}：现为 ")
