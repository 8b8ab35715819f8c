"""What belongs to somebody is found however it is written, and ordinary numbers are left alone."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from moderation.private import MASKS, PrivateFilter
from moderation.verdict import NOTABLE, SEVERE, Direction, Finding
from tests.hostile import hostile_text
from tests.moderation.suites import labelled, lines

PRIVATE = PrivateFilter()
ZEROS = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.decimal(chr(code), None) == 0]
INVENTED = "13812345678"


def found(text: str, direction: Direction = Direction.IN) -> list[Finding]:
    return list(PRIVATE.check(text, direction))


def covered(marked: str) -> bool:
    """Whether every letter and digit between « and » lies in a finding."""
    start, end = marked.index("«"), marked.index("»") - 1
    text = marked.replace("«", "").replace("»", "")
    places = {place for one in found(text) for place in range(one.start, one.end)}
    return all(place in places for place in range(start, end) if text[place].isalnum())


def test_the_suite_is_found() -> None:
    """At least 97 % of every kind's invented numbers, accounts, addresses and links, whole."""
    rows = labelled("pii")
    missed = [text for _, text in rows if not covered(text)]
    assert len(rows) >= 160
    assert len(missed) <= 0.03 * len(rows), missed


@pytest.mark.parametrize("kind", sorted({kind for kind, _ in labelled("pii")}))
def test_each_kind_is_named(kind: str) -> None:
    """The finding says what it is, and what to put in its place."""
    rule = "link" if kind == "url" else kind
    rows = [text.replace("«", "").replace("»", "") for label, text in labelled("pii") if label == kind]
    named = [text for text in rows if any(one.rule == rule and one.mask == MASKS[rule] for one in found(text))]
    assert len(named) >= 0.9 * len(rows)


def test_ordinary_numbers_are_left_alone() -> None:
    """Scores, versions, ids, prices, jokes: at most one of thirty is flagged."""
    ordinary = lines("pii_ordinary")
    flagged = [text for text in ordinary if found(text)]
    assert len(ordinary) >= 150
    assert len(flagged) <= len(ordinary) / 30, flagged


@pytest.mark.parametrize("zero", ZEROS, ids=lambda zero: unicodedata.name(zero, hex(ord(zero))))
def test_digits_of_every_script(zero: str) -> None:
    """A number in the digits of any script that Unicode has is that number."""
    written = "".join(chr(ord(zero) + int(digit)) for digit in INVENTED)
    (one,) = found(f"打{written}吧")
    assert (one.rule, one.start, one.end) == ("mobile", 1, 12)


@given(st.lists(st.sampled_from([*" -.·*_/~—，、❤🐱", "\u200b-", "❤\ufe0f", "\n"]), min_size=10, max_size=10))
@example(["\u200b"] * 10)
def test_a_number_split_by_anything_is_found(gaps: list[str]) -> None:
    """Between any two digits stands something else: the eleven are one number, nothing visible is left of it."""
    text = "".join(digit + gap for digit, gap in zip(INVENTED, [*gaps, ""], strict=True))
    (one,) = found(text)
    assert (one.rule, one.start, one.end) == ("mobile", 0, len(text))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("11010519491231002X", "id_card"),
        ("110105194912310021", None),  # the check digit is wrong
        ("11010519491331002X", None),  # no such month
        ("4111111111111111", "bank_card"),
        ("4111111111111112", None),  # Luhn
        ("12345678901", None),  # no mobile number begins so
        ("138123456789", None),  # one digit too many
        ("010-12345678", "landline"),
        ("京A12345", "plate"),
        ("京AB很多", None),
    ],
)
def test_checksums_and_shapes(text: str, rule: str | None) -> None:
    """A number that cannot be one is no finding."""
    assert [one.rule for one in found(text)] == ([rule] if rule else [])


def test_messages_are_masked_and_replies_are_stopped() -> None:
    """The same number: masked on its way in, blocking on its way out, told by its last two digits only."""
    (message,) = found(f"打{INVENTED}")
    (reply,) = found(f"打{INVENTED}", Direction.OUT)
    assert (message.severity, message.mask) == (NOTABLE, "[手机号]")
    assert reply.severity == SEVERE
    assert "78" in reply.reason
    assert INVENTED[:-2] not in reply.reason


@pytest.mark.parametrize("written", ["QQ群 987654321", "q群：9 8 7 6 5 4 3 2 1", "加群９８７６５４３２１"])
@pytest.mark.parametrize("allowed", ["987654321", "粉丝群：QQ群 987 654 321"])
def test_what_the_operator_allows_stands(written: str, allowed: str) -> None:
    """The group's own number, however it is written; a neighbour of it is still stopped."""
    own = PrivateFilter(allow=[allowed])
    assert list(own.check(written, Direction.OUT)) == []
    assert list(own.check("QQ群 987654322", Direction.OUT)) != []


@pytest.mark.parametrize(("links", "severities"), [("allow", []), ("flag", [NOTABLE]), ("block", [SEVERE])])
def test_links_are_a_setting(links: str, severities: list[int]) -> None:
    """Allowed, pointed out, or stopped; masked in a message unless they are allowed."""
    private = PrivateFilter(links=links)  # type: ignore[arg-type]
    found_in = list(private.check("看 example.com", Direction.IN))
    assert [one.severity for one in found_in] == severities
    assert [one.mask for one in found_in if one.mask] == (["[网址]"] if severities else [])
    assert [one.severity for one in private.check("看 example.com", Direction.OUT)] == severities


@given(hostile_text)
def test_places_lie_in_the_text(text: str) -> None:
    """Whatever is written, every finding points into it."""
    assert all(one.start < one.end <= len(text) for one in found(text))
