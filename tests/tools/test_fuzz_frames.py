"""The fuzzer finds what it is for, and every reader stands it."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.bench.shapes import Shape
from tools.fuzz_frames import ODD, corpus, escapes, fuzz, odd_frames

SHAPES = {shape.name: shape for shape in corpus()}
values = st.recursive(
    st.sampled_from([odd for odd in ODD if not isinstance(odd, list | dict)]) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def test_thousands_of_odd_frames_escape_no_reader() -> None:
    """As many more as one likes: python tools/fuzz_frames.py."""
    report = fuzz(6000)
    assert report["escaped"] == {}, report["examples"]
    assert report["frames"] >= 6000


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_the_frames_are_odd_and_the_same_each_time(name: str) -> None:
    """Most differ from every good one, and from each other."""
    shape = SHAPES[name]
    odd = list(odd_frames(shape, 200, random.Random(3)))
    assert odd == list(odd_frames(shape, 200, random.Random(3)))
    assert len(set(odd)) > 150
    good = set(map(shape.frame, range(1000)))
    assert sum(frame in good for frame in odd) < 20


def test_a_reader_with_a_fault_is_found() -> None:
    """One that trusts a field to be a string."""

    def trusting(frame: bytes) -> list[object]:
        try:
            value = json.loads(frame)
        except ValueError:
            return []
        return [value["text"].upper()] if isinstance(value, dict) and "text" in value else []

    good = SHAPES["websocket"]
    found = {escapes(trusting, frame) for frame in odd_frames(good, 3000, random.Random(1))}  # type: ignore[arg-type]
    assert "AttributeError" in found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(value=values, name=st.sampled_from(sorted(SHAPES)))
def test_any_json_is_read_or_refused(value: object, name: str) -> None:
    """Whatever its form; and the same inside a good frame's place of JSON."""
    shape: Shape = SHAPES[name]
    assert escapes(shape.reader(), json.dumps(value).encode(errors="surrogatepass")) is None


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300), name=st.sampled_from(sorted(SHAPES)))
def test_any_bytes_are_read_or_refused(data: bytes, name: str) -> None:
    assert escapes(SHAPES[name].reader(), data) is None
