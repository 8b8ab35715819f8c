"""Items to messages: the project's own items, and whatever else may come."""

import json
import random
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.youtube.reading import DEEDS, Reason, published, read
from bot.messages import Message, Withdrawn
from tests.adapters.events import cases, event

NOW = 1_800_000_000.0
CASES = cases("youtube/items.json")


def expected(entry: dict[str, Any]) -> object:
    return Reason(entry["reason"]) if "reason" in entry else event("youtube", entry)


@pytest.mark.parametrize("case", CASES, ids=[case["what"] for case in CASES])
def test_an_item_becomes_what_is_written_beside_it(case: dict[str, Any]):
    assert read(case["item"], NOW) == expected(case["gives"])


def test_every_reason_and_every_deed_has_an_item():
    """But for the old name of the super chat, which shares its reader."""
    assert {case["gives"]["reason"] for case in CASES if "reason" in case["gives"]} == set(Reason)
    types = {case["item"]["snippet"]["type"] for case in CASES if isinstance(case["item"], dict)}
    assert set(DEEDS) - types == {"fanFundingEvent"}


@pytest.mark.parametrize("words", ["2027-01-15T08:00:00Z", "2027-01-15T16:00:00+08:00", "2027-01-15T08:00:00.000000Z"])
def test_a_time_in_any_zone(words: str):
    assert published({"snippet": {"publishedAt": words}}) == NOW


@pytest.mark.parametrize("words", ["", "x", "2027-01-15T08:00:00", "0001-01-01T00:00:00+23:00", None, 7])
def test_a_time_that_cannot_be_told_is_none(words: object):
    """Not a guess at the zone, and no exception."""
    found = published({"snippet": {"publishedAt": words}})
    assert found is None or found < 0


@pytest.mark.parametrize("micros", ["9" * 40, "1e300", "nan", -5_000_000, True, None, {}, "", 0], ids=repr)
def test_an_amount_that_cannot_be_is_no_price(micros: object):
    """The message counts as paid all the same: it is a super chat."""
    details = {"amountMicros": micros, "currency": "USD", "userComment": "hi"}
    found = read({"id": "a", "snippet": {"type": "superChatEvent", "superChatDetails": details}}, NOW)
    assert isinstance(found, Message) and found.price is None and found.paid


def sound(found: object) -> None:
    """What the rest of the program relies on."""
    assert isinstance(found, Message | Withdrawn | Reason)
    if isinstance(found, Message):
        assert found.id.startswith("youtube:") and len(found.id) > 8
        assert found.price is None or 0 < found.price < 1e14
        assert 0 < found.time <= NOW
        assert found.viewer.name
        json.dumps([found.id, found.text, found.viewer.id, found.viewer.name], ensure_ascii=False).encode()


ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.just("\ud800"), st.just("9" * 40),
    st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=3), st.none(), max_size=2),
)  # fmt: skip


@settings(max_examples=1000, deadline=None)
@given(st.sampled_from(CASES), st.randoms(use_true_random=False), st.lists(ODD, min_size=1, max_size=4))
def test_odd_fields_cost_at_most_their_own_item(case: dict[str, Any], chance: random.Random, odd: list[object]):
    """Fields removed, and values of any other kind in their place, at any depth."""
    item = deepcopy(case["item"])
    for value in odd:
        inner: Any = item
        while isinstance(inner, dict) and inner:
            key = chance.choice(sorted(inner))
            if not isinstance(inner[key], dict) or chance.random() < 0.2:
                inner[key] = value
                break
            inner = inner[key]
    sound(read(item, NOW))


@settings(max_examples=200, deadline=None)
@given(st.recursive(ODD, lambda inner: st.dictionaries(st.text(max_size=8), inner, max_size=4)))
def test_whatever_comes_is_an_item_or_a_reason(item: object):
    sound(read(item, NOW))
