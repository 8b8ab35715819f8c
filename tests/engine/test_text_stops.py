"""Stops are matched on text, wherever tokens end; characters come out whole."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from bot.engine.text_stops import TextStops, WholeCharacters

TEXTS = st.text(alphabet="ab\n阿强:", max_size=30)
STOPS = st.lists(st.text(alphabet="ab\n阿强:", min_size=1, max_size=4), max_size=4)


def plainly(text: str, stops: list[str]) -> str:
    """The definition: letter by letter, until some stop is complete; the longest of those complete there is cut off."""
    for end in range(1, len(text) + 1):
        found = [stop for stop in stops if text[:end].endswith(stop)]
        if found:
            return text[: end - max(map(len, found))]
    return text


def fed(pieces: list[str], stops: list[str]) -> str:
    matcher = TextStops(stops)
    return "".join([*map(matcher.feed, pieces), matcher.flush()])


@given(text=TEXTS, stops=STOPS, cuts=st.lists(st.integers(0, 30), max_size=6))
def test_a_stop_is_found_wherever_the_text_is_cut(text: str, stops: list[str], cuts: list[int]) -> None:
    """However tokens divide it, the same text comes out as by the definition."""
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[a:b] for a, b in itertools.pairwise(places)]
    assert fed(pieces, stops) == plainly(text, stops)
    assert fed(list(text), stops) == plainly(text, stops)


def test_what_could_become_a_stop_is_held_back() -> None:
    """`。` is shown at once, the line break only when it is clear that the draft goes on."""
    stops = TextStops(["\n\n", "\n阿强:"])
    assert stops.feed("好。") == "好。"
    assert stops.feed("\n") == ""
    assert stops.feed("阿") == ""
    assert stops.feed("姨") == "\n阿姨"
    assert stops.feed("。\n") == "。"
    assert stops.feed("\n多余") == ""
    assert stops.stopped
    assert stops.feed("还有") == "" and stops.flush() == ""


def test_no_stops_let_everything_through() -> None:
    """An empty stop is no stop."""
    stops = TextStops(["", *[]])
    assert stops.feed("一句\n\n话") == "一句\n\n话"


@given(text=st.text(max_size=20), cuts=st.lists(st.integers(0, 80), max_size=8))
def test_characters_come_out_whole(text: str, cuts: list[int]) -> None:
    """Bytes cut anywhere: never half a character, nothing lost."""
    data = text.encode()
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    decoder = WholeCharacters()
    pieces = [decoder.feed(data[a:b]) for a, b in itertools.pairwise(places)]
    assert "".join(pieces) == text


def test_what_is_no_utf8_is_replaced_and_an_unfinished_end_waits() -> None:
    """A model can draw any bytes."""
    decoder = WholeCharacters()
    assert decoder.feed(b"a\xffb") == "a\ufffdb"
    assert decoder.feed("好".encode()[:2]) == ""
