"""Other programs' lists become ours, or it is said what does not."""

from __future__ import annotations

import json

import pytest

from moderation.importers import import_words
from moderation.terms import WordListError, parse_words

ROOM = {
    "code": 0,
    "data": {
        "keyword_list": [
            {"keyword": "紫薯精", "uid": 1, "name": "某某", "is_anchor": 1},
            {"keyword": "绿", "uid": 1, "name": "某某", "is_anchor": 0},
        ],
        "max_limit": 200,
    },
}
VIEWER = [
    {"type": 0, "filter": "紫薯精", "opened": True, "id": 1},
    {"type": 1, "filter": "绿.怪", "opened": True, "id": 2},
    {"type": 2, "filter": "3a5f20bd", "opened": True, "id": 3},
    {"type": 0, "filter": "蓝皮怪", "opened": False, "id": 4},
]
XML = """<filters>
  <item enabled="true">t=紫薯精</item>
  <item enabled="true">t=A&amp;B币</item>
  <item enabled="true">r=绿.怪</item>
  <item enabled="true">u=3a5f20bd</item>
  <item enabled="false">t=蓝皮怪</item>
</filters>"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# 注\n紫薯精\r\n\n绿皮怪\n紫薯精\n", ["紫薯精", "绿皮怪"]),
        ("\ufeff紫薯精,绿皮怪，蓝皮怪|红皮怪", ["紫薯精", "绿皮怪", "蓝皮怪", "红皮怪"]),
        (json.dumps(ROOM), ["紫薯精"]),
        (json.dumps(VIEWER), ["紫薯精", "绿.怪"]),
        (XML, ["紫薯精", "A&B币", "绿.怪"]),
    ],
)
def test_every_form_is_read(text: str, words: list[str]) -> None:
    """Lines, commas, and Bilibili's three; the result is a list of ours."""
    terms = parse_words("\n".join(import_words(text, "insult", "3").lines))
    assert [term.text for term in terms] == words
    assert all((term.category, term.severity) == ("insult", 3) for term in terms)
    assert [term.text for term in terms if term.regex] == [word for word in words if "." in word]


def test_what_cannot_be_taken_over_is_said() -> None:
    """Each with its reason; the rest is there."""
    imported = import_words("紫薯精\n绿\n114514")
    assert imported.lines == ("紫薯精\tcustom\t2",)
    assert [(word, reason.rpartition("。 ")[2]) for word, reason in imported.left_out] == [
        ("绿", "Too short."),
        ("114514", "Digits only."),
    ]


@pytest.mark.parametrize("text", ['{"a": 1}', "[", "[]"])
def test_other_json_is_refused(text: str) -> None:
    """A list without words would look as if all was well."""
    with pytest.raises(WordListError):
        import_words(text)


def test_category_and_severity_are_checked_first() -> None:
    """One mistake on the command line is one line, not one a word."""
    with pytest.raises(WordListError, match="没有类别“坏话”"):
        import_words("紫薯精", "坏话")
    with pytest.raises(WordListError, match="级别“9”"):
        import_words("紫薯精", "insult", "9")
