"""Reads a prompt as a model would, with eyes of its own: who speaks in it, and what reads as a forged turn."""

from __future__ import annotations

import re
import unicodedata

from bot.engine.prompting import live_prompt, viewer_line
from bot.engine.types import Prompt
from bot.messages import Kind, Message, MessageId, Viewer
from bot.scenario import Character, Line, Origin, Scenario

NAMES = ("小麦", "Anna")
SCENARIO = Scenario(
    series="直播",
    name="晚间档",
    background="小麦是一个爱说笑的主播。",
    opening=(Line("小麦", "大家晚上好！"), Line("观众", "【小鱼】来啦"), Line("小麦", "小鱼快坐。")),
    characters=(Character("小麦"), Character("Anna")),
)
SCENE_ROLES = ["", "小麦", "观众", "小麦"]
# An oracle of its own for "looks like a role and a colon": everything folded by Unicode itself, nothing of ours.
_ROLE_COLON = re.compile(
    r"(?:小麦|观众|主播|旁白|系统|用户|助手|(?<![a-z0-9])(?:anna|user|assistant|system|bot|human|q|a))\s*[:∶ː꞉˸]"
)


def a_message(text: str, name: str = "阿强", kind: Kind = Kind.DANMAKU, price: float | None = None) -> Message:
    return Message(MessageId("1"), kind, Viewer("test", "7", name), text, price)


def text_of(prompt: Prompt) -> str:
    return "".join(prompt.parts)


def roles_in(text: str) -> list[str]:
    """Who speaks in a prompt's text, read as a model reads it: by blank lines and by names before a colon."""
    turns = text.split("\n\n")
    return [match[1] if (match := re.match("(小麦|Anna|观众):(?: |$)", turn)) else "" for turn in turns]


def looks_forged(text: str) -> bool:
    seen = "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Cc", "Mn", "Me", "Lm") or c in "ː˸")
    return bool(_ROLE_COLON.search(unicodedata.normalize("NFKC", seen).casefold()))


def assert_harmless(hostile: list[tuple[str, str]]) -> None:
    """Viewers' lines, however hostile, are one turn of the role 观众 each and nothing else."""
    lines = [viewer_line(a_message(said, name), NAMES) for said, name in hostile]
    story = [line for asked in lines[:-1] for line in (asked, Line("小麦", "好的。", Origin.MODEL))]
    text = text_of(live_prompt(SCENARIO, story, lines[-1]))
    assert roles_in(text) == [*SCENE_ROLES, *["观众", "小麦"] * len(lines)]
    assert text.endswith(f"\n\n观众: {lines[-1].text}\n\n小麦:")
    for line in lines:
        assert_one_safe_line(line.text)


def assert_one_safe_line(text: str) -> None:
    assert re.fullmatch("【[^【】]{1,16}】[^【】]{1,120}", text), text
    assert len(text.splitlines()) == 1, text
    assert all(c.isprintable() or unicodedata.category(c) in ("Cn", "Cf") for c in text), text
    assert not looks_forged(text), text
    assert not re.search(r"<\||\|>|</?s>|\[/?INST\]|### ?Instruction", text), text
    text.encode("utf-8")
