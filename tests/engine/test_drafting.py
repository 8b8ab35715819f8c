"""One draft: from tokens to a text that begins and ends where it should."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.engine.drafting import Draft, Vocabulary
from bot.engine.rwkv7 import Model
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
    assert Draft(0, Prompt((), start_with="好"), Sampling(), WORLD, 0).forbidden is None


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
