"""Search in a story."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.chapter import Chapter
from bot.chapter.search import AROUND, Hit, search
from bot.scenario import Line, Log, Scenario
from tests.chapter.stories import PIECES, chapters, island


def story(*texts: str) -> Chapter:
    return Chapter("题", Log(Scenario("系列", "名"), tuple(Line("甲", text) for text in texts)))


def around(hit: Hit) -> tuple[str, str, str]:
    return hit.before, hit.match, hit.after


def test_places_are_counted_and_the_first_are_shown() -> None:
    """Twice in one line is two."""
    found = search(story("雾来了，雾散了。", "没有。", "大雾"), "雾", most=2)
    assert found.count == 3
    assert [around(hit) for hit in found.hits] == [("", "雾", "来了，雾散了。"), ("雾来了，", "雾", "散了。")]


def test_case_does_not_count_and_signs_are_only_signs() -> None:
    """A query is no pattern."""
    assert search(story("OK ok Ok"), "ok").count == 3
    assert search(story("a.c abc"), "a.c").count == 1
    assert search(story("(什么"), "(").count == 1


def test_long_lines_are_cut() -> None:
    """On both sides, and one sees that they are."""
    (hit,) = search(story("前" * 100 + "雾" + "后" * 100), "雾").hits
    assert around(hit) == ("…" + "前" * AROUND, "雾", "后" * AROUND + "…")


def test_notices_are_not_found_and_nothing_is_nowhere() -> None:
    """The opening is part of the story."""
    assert search(island(), "角色卡").count == 0
    assert search(island(), "热水").count == 1
    assert search(island(), "").count == search(island(), " ").count == 0


@given(chapters(), st.sampled_from([*PIECES, "字", "名", "a", "B", "雾"]))
def test_every_place_is_found(chapter: Chapter, query: str) -> None:
    """As many as a reader would count, one after another."""
    found = search(chapter, query, most=10_000)
    counts = [_lower(p.words).count(_lower(query)) for p in chapter.paragraphs()] if query.strip() else []
    assert found.count == len(found.hits) == sum(counts)
    for hit in found.hits:
        assert hit.before.removeprefix("…") + hit.match + hit.after.removesuffix("…") in hit.paragraph.words


def _lower(text: str) -> str:
    """The two letters beyond ASCII that a search takes for one of ASCII, too."""
    return text.replace("\u017f", "s").replace("\u212a", "k").lower()
