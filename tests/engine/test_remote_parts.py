"""The parts of the remote engine that need no network: events out of bytes, a draft out of pieces of text."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.engine.mailbox import Mailbox
from bot.engine.remote.forms import blamed, complaint
from bot.engine.remote.rows import Row
from bot.engine.remote.sse import Events
from bot.engine.types import DraftDone, Ending, Prompt

LINES = st.sampled_from([b"data: a", b"data:b", b"data", b": c", b"event: x", b"", b"", "data: 晚".encode()])
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
STREAMS = st.lists(st.tuples(LINES, ENDS), max_size=12).map(lambda lines: b"".join(line + end for line, end in lines))


def events(pieces: list[bytes]) -> list[str]:
    reader = Events()
    return [data for piece in pieces for data in reader.feed(piece)] + list(reader.flush())


def plainly(stream: bytes) -> list[str]:
    """The same, with the whole text at hand."""
    text = stream.decode().replace("\r\n", "\n").replace("\r", "\n")
    blocks: list[list[str]] = [[]]
    for line in text.split("\n"):
        if line.startswith("data:"):
            blocks[-1].append(line[5:].removeprefix(" "))
        elif not line:
            blocks.append([])
    return ["\n".join(block) for block in blocks if block]


@given(STREAMS, st.lists(st.integers(0, 100), max_size=8))
@example(b"data: a\r\n\r\ndata:b\r\r", [8, 9, 10])
@example(b"data: a\r\r\n\n", [8, 9])
@example(b"data: a\r\ndata:b\r\n\r\n", [8])
def test_events_do_not_depend_on_the_cuts(stream: bytes, cuts: list[int]) -> None:
    """Between the two halves of a line's end, too, and inside a character."""
    places = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    assert events([stream[a:b] for a, b in pairwise(places)]) == plainly(stream)


def draft(pieces: list[str], prompt: Prompt, echoes: tuple[str, ...] = ()) -> str:
    """What a reader gets in the end; nothing seen before is ever taken back."""
    mailbox = Mailbox(1)
    row = Row(0, prompt, mailbox)
    row.expect(echoes)
    seen = ""
    for piece in pieces:
        row.take(piece)
        for event in mailbox._news.values():
            assert event.text.startswith(seen), "text was taken back"
            seen = event.text
    row.end(Ending.STOP)
    (done,) = mailbox._news.values()
    assert isinstance(done, DraftDone)
    return done.text


def whole_draft(text: str, prompt: Prompt, echoes: tuple[str, ...]) -> str:
    """The same in one go."""
    start = prompt.start_with.lstrip()
    inner = text.lstrip()
    said = max((len(echo) for echo in echoes if inner.startswith(echo)), default=0)
    text = inner[said:] if said else text
    if not start or echoes:
        text = text.lstrip()
    ends = [(text.find(stop) + len(stop), text.find(stop)) for stop in prompt.stops if stop in text]
    return (start + (text[: min(ends)[1]] if ends else text)).rstrip()


@given(
    st.lists(st.sampled_from(["甲", "甲:", ":", " ", "\n", "\n\n", "好", "我", "我觉得", "😀"]), max_size=8),
    st.sampled_from(["", "我觉得"]),
    st.booleans(),
)
def test_drafts_do_not_depend_on_the_cuts(pieces: list[str], start: str, chat: bool) -> None:
    """White space at the beginning, echoes and stops are the same however the server cuts its text."""
    prompt = Prompt(("甲:",), ("\n\n", "\n甲:"), start)
    echoes = (("甲:", "甲：") + ((start, "甲:" + start, "甲: " + start) if start else ())) if chat else ()
    assert draft(pieces, prompt, echoes) == whole_draft("".join(pieces), prompt, echoes)


def test_half_a_character_waits_for_its_other_half() -> None:
    r"""JSON writes an emoji as `\ud83d\ude00`, which a server may cut; a half that stays alone is no character."""
    halves = json.loads(r'["好\ud83d", "\ude00。"]')
    assert draft(halves, Prompt(("甲:",))) == "好😀。"
    assert draft(json.loads(r'["好\ude00。"]'), Prompt(("甲:",))) == "好\ufffd。"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('{"error": {"message": "no such model", "code": 404}}', "no such model"),
        ('{"detail": [{"msg": "field required", "loc": ["body"]}]}', "field required"),
        ("<html><h1>502 Bad\nGateway</h1></html>", "502 Bad Gateway"),
        ('{"error": "key s3cret is wrong"}', "key *** is wrong"),
        ("[" * 5000, "[" * 200),
        ("", ""),
        ("a\x1b[31mb", "a [31mb"),
    ],
)
def test_complaint_is_one_line_without_the_key(said: str, words: str) -> None:
    """Whatever shape the server gives it."""
    assert complaint(said, "s3cret") == words


def test_blame_needs_a_name() -> None:
    """A body that is quoted back, or a word that only contains the name, blames nothing."""
    sent = {"n": 2, "stop": [], "top_k": 3, "prompt": "n"}
    assert blamed('{"error": {"message": "internal nonsense, stopping"}}', sent) == set()
    assert blamed('{"error": {"message": "n must be 1"}}', sent) == {"n"}
    assert blamed('{"detail": [{"loc": ["body", "top_k"], "msg": "n", "input": {"n": 1, "stop": 2}}]}', sent) == {
        "top_k"
    }
