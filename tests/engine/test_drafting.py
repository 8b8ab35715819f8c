"""One draft: from tokens to a text that begins and ends where it should."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.engine.drafting import Draft, Vocabulary
from bot.engine.rwkv7 import Model
from bot.engine.sampling.chances import distributions
from bot.engine.sampling.wording import WordingError
from bot.engine.tokenizer import WorldTokenizer, find_tokenizer
from bot.engine.types import Ending, Prompt, Sampling

WORLD = Vocabulary(WorldTokenizer(), 65536)


def written(text: str, *, prompt: Prompt | None = None, sampling: Sampling | None = None) -> tuple[Draft, str]:
    """A draft for which these tokens were drawn, and everything that it gained on the way."""
    draft = Draft(0, prompt or Prompt(()), sampling or Sampling(), WORLD, seed=0)
    gained = ""
    for token in WORLD.tokenizer.encode(text):
        gained += draft.take(token)
        if draft.ending:
            break
    return draft, gained


def test_a_draft_ends_at_a_stop_inside_a_token() -> None:
    """`。` with two line breaks is two tokens of World, neither of which is the stop."""
    draft, gained = written(" 晚上好。\n\n观众: 多余")
    assert (draft.text, draft.ending) == ("晚上好。", Ending.STOP)
    assert gained == "晚上好。"


def test_a_speakers_name_ends_a_draft() -> None:
    """The model does not speak for others."""
    draft, _ = written(" 你好呀\n阿强: 我也好", prompt=Prompt((), stops=("\n\n", "\n阿强:")))
    assert (draft.text, draft.ending) == ("你好呀", Ending.STOP)


def test_the_end_of_text_ends_a_draft() -> None:
    """What was held back belongs to it then."""
    draft, _ = written(" 再见")
    draft.take(0)
    assert (draft.text, draft.ending) == ("再见", Ending.STOP)


def test_a_draft_has_a_longest_length() -> None:
    """The held-back line break at its end is white space, not text."""
    draft, _ = written(" 一二三四五六七八\n", sampling=Sampling(max_tokens=4))
    assert (draft.text, draft.ending) == ("一二三", Ending.LENGTH)


def test_half_a_character_is_never_shown() -> None:
    """An emoji of several byte tokens comes in one piece; half of one at the end is left out."""
    draft, pieces = Draft(0, Prompt(()), Sampling(max_tokens=6), WORLD, 0), []
    for byte in " 好🦢".encode()[:6]:
        token = next(t for t in range(1, 257) if WORLD.entry(t) == bytes([byte]))
        pieces.append(draft.take(token))
    assert pieces == ["", "", "", "好", "", ""]
    assert draft.text == "好"


def test_the_beginning_that_was_given_is_part_of_the_text() -> None:
    """And what follows it is glued to it as it came."""
    draft, gained = written("主人 ", prompt=Prompt((), start_with=" 欢迎"))
    assert draft.text == "欢迎主人"
    assert gained.rstrip() == "欢迎主人"


def test_a_draft_says_something_before_it_may_end() -> None:
    """No end, no line break while nothing is visible or `min_tokens` are not there."""
    draft = Draft(0, Prompt(()), Sampling(min_tokens=3), WORLD, 0)
    assert draft.forbidden is not None
    banned = set(draft.forbidden.tolist())
    assert 0 in banned and all((b"\n" in WORLD.entry(t)) == (t in banned) for t in range(1, 65530))
    for token in WORLD.tokenizer.encode(" 好的"):
        draft.take(token)
        assert draft.forbidden is not None or draft.text == "好的"
    assert draft.forbidden is None


@pytest.mark.parametrize("least", [0, 3])
def test_a_draft_that_goes_on_with_a_line_adds_to_it(least: int) -> None:
    """The beginning that was given counts neither as something said nor towards `min_tokens`; white space neither."""
    draft = Draft(0, Prompt((), start_with=" 欢迎来到直播间。"), Sampling(min_tokens=least), WORLD, 0)
    for drawn, word in enumerate([" ", "大", "家", "好"]):
        may_end = drawn >= max(2, least)
        assert (draft.forbidden is None) == may_end
        (token,) = WORLD.tokenizer.encode(word)
        draft.take(token)
    assert draft.text == "欢迎来到直播间。 大家好"


class Pieces:
    """A vocabulary whose entries cut characters anywhere."""

    end = 0

    def __init__(self, entries: list[bytes]) -> None:
        self._entries = [b"", *entries]
        self.size = len(self._entries)

    def encode(self, text: str) -> list[int]:
        return [self._entries.index(bytes([byte])) for byte in text.encode()]

    def token_bytes(self, token: int) -> bytes:
        return self._entries[token]


def pieces_of(texts: list[str]) -> list[bytes]:
    """Every stretch of bytes of these texts, and every single byte."""
    whole = [text.encode() for text in texts]
    parts = {text[a:b] for text in whole for a in range(len(text)) for b in range(a + 1, len(text) + 1)}
    return sorted(parts | {bytes([byte]) for byte in range(256)})


def nearness(said: bytes, texts: list[bytes]) -> int:
    """How much of a forbidden text stands at the end."""
    return max((n for text in texts for n in range(len(text)) if said.endswith(text[:n])), default=0)


SHREDS = Vocabulary(Pieces(pieces_of(["，，", "？！", "加群", "群加", "a，b"])), 3000)


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from(["加群", "群", "加加", "，a", "abab", 65, 300]), max_size=4),
    st.sampled_from(["", "，", "，？！", "加a"]),
    st.sampled_from(["", "加", " a，", "加群，", "？"]),
    st.lists(st.integers(0, 10**6), max_size=12),
)
def test_what_must_not_be_said_is_never_said(
    ban: list[str | int], no_repeat: str, start: str, choices: list[int]
) -> None:
    """At every step exactly those tokens are forbidden that would complete a forbidden text, however it is cut."""
    sampling = Sampling(ban=tuple(ban), no_repeat=no_repeat, min_tokens=0)
    draft = Draft(0, Prompt((), stops=(), start_with=start), sampling, SHREDS, 0)
    texts = [word.encode() for word in ban if isinstance(word, str)] + [2 * mark.encode() for mark in no_repeat]
    said = start.encode()
    for choice in choices:
        away = set(draft.forbidden.tolist()) if draft.forbidden is not None else set()
        for token in range(1, SHREDS.tokenizer.size):
            longer = said + SHREDS.entry(token)
            comes_up = any(longer.count(text, max(0, len(said) - len(text) + 1)) for text in texts)
            if b"\n" not in SHREDS.entry(token):
                assert (token in away) == (comes_up or token in ban), (said, SHREDS.entry(token))
        allowed = [token for token in range(1, SHREDS.tokenizer.size) if token not in away]
        near = sorted(allowed, key=lambda token: -nearness(said + SHREDS.entry(token), texts))
        token = near[choice % min(len(near), 8)]  # mostly what comes close to a forbidden text
        said += SHREDS.entry(token)
        draft.take(token)


def test_the_same_mark_never_comes_twice_in_a_row() -> None:
    """In World: not as one token, not as two, not byte by byte; another mark may follow."""
    draft = Draft(0, Prompt(()), Sampling(no_repeat="，：？！"), WORLD, 0)
    for token in WORLD.tokenizer.encode(" 真的？"):
        draft.take(token)
    away = {WORLD.entry(token).decode("utf-8", "replace") for token in draft.forbidden.tolist()}
    assert {"？", "？”", "！！"} <= away
    assert all(text[0] == "？" or any(2 * mark in text for mark in "，：？！") for text in away)
    assert "！" not in away


def biased(*bias: tuple[str | int, float], before: str = "", said: str = "") -> dict[str, float]:
    """What the next tokens of World get, by their texts."""
    encode = WORLD.tokenizer.encode
    draft = Draft(0, Prompt(()), Sampling(logit_bias=bias, presence=0, frequency=0), WORLD, 0, encode(before))
    for token in encode(said):
        draft.take(token)
    logits = torch.zeros(1, WORLD.rows)
    distributions(logits, [draft.chances])
    return {WORLD.entry(token).decode(): logits[0, token].item() for token in logits[0].nonzero().flatten().tolist()}


def test_a_word_is_pushed_or_held_back_token_by_token() -> None:
    """桂花 is two tokens: pushed from the first on; held back at the second alone, so 桂林 does not suffer."""
    assert biased(("桂花", 2.0)) == {"桂": 2.0}
    assert biased(("桂花", 2.0), said="有桂") == {"桂": 2.0, "花": 2.0}
    assert biased(("桂花", -2.0)) == {}
    assert biased(("桂花", -2.0), before="说到桂") == {"花": -2.0}


def test_a_word_may_be_named_twice_and_by_its_id() -> None:
    """All of it adds up."""
    (token,) = WORLD.tokenizer.encode("花")
    assert biased(("花", -3.0), (token, -1.0), (token, 2.0)) == {"花": -2.0}


@pytest.mark.parametrize(
    ("sampling", "said"),
    [
        (Sampling(logit_bias=((65536, 1.0),)), "sampling.logit_bias：模型没有编号 65536 的 token，应小于 65536"),
        (Sampling(ban=(70000,)), "sampling.ban：模型没有编号 70000"),
    ],
)
def test_ids_that_the_model_lacks_are_said(sampling: Sampling, said: str) -> None:
    """Where the vocabulary is known."""
    with pytest.raises(WordingError, match=re.escape(said)):
        Draft(0, Prompt(()), sampling, WORLD, 0)


def test_dry_looks_at_the_prompt_and_stops_at_breakers() -> None:
    """What the prompt said word for word costs; a line break or a colon ends a stretch."""
    sampling = Sampling(dry_multiplier=1.0, presence=0, frequency=0)
    before = WORLD.tokenizer.encode("小铃: 桂花糕真好吃\n\n小铃:")
    draft = Draft(0, Prompt(()), sampling, WORLD, 0, before)
    ids, _ = draft.chances.repetitions()
    assert len(ids) == 0  # after "小铃:" stands a breaker: the cue may be followed by anything
    for word in ["桂", "花"]:
        draft.take(*WORLD.tokenizer.encode(word))
    ids, costs = draft.chances.repetitions()
    assert [(WORLD.entry(token).decode(), cost) for token, cost in zip(ids.tolist(), costs, strict=True)] == [
        ("糕", 1.0)
    ]


def test_digits_spaces_and_tabs_are_exempt_from_penalties() -> None:
    """Amounts may repeat digits."""
    exempt = {WORLD.entry(token) for token in WORLD.exempt}
    assert {b"0", b"10", b" ", b"\t", b"  "} <= exempt
    assert not {b"", b"\n", b"a", b" a"} & exempt


def test_a_prompt_is_encoded_part_by_part() -> None:
    """A part never merges with its neighbour; `keep` counts parts and becomes places."""
    prompt = Prompt(("你好。", "\n\n", "小溪:"), keep=(1, 2), start_with=" 嗯")
    tokens, keep = WORLD.encode_prompt(prompt)
    encode = WORLD.tokenizer.encode
    assert tokens == [*encode("你好。"), *encode("\n\n"), *encode("小溪:"), *encode(" 嗯")]
    assert keep == [len(encode("你好。")), len(encode("你好。")) + 1]


@pytest.mark.parametrize("parts", [(), ("",)])
def test_an_empty_prompt_begins_after_the_end_of_a_text(parts: tuple[str, ...]) -> None:
    """A model has to read something."""
    assert WORLD.encode_prompt(Prompt(parts, keep=(0, 1, 5)))[0] == [0]


def test_ids_that_the_vocabulary_does_not_know_are_silent(tiny_path: Path, tiny: Model) -> None:
    """A model's table may be longer than its vocabulary."""
    vocabulary = Vocabulary(find_tokenizer(tiny_path, tiny.vocab), tiny.vocab)
    assert vocabulary.entry(tiny.vocab - 1) == b""
