"""Builds the text that the model reads, and makes what comes from outside harmless first. Knows no tokens and no model.

Every prompt is a tuple of parts that are encoded one by one, so words can never melt into the separator beside them.
Viewers never speak under their own names: one fixed role says everything, the name stands inside in 【】. The rule that
a viewer can write nothing that reads as a turn, a role or a control token is kept here, by `sanitise`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

from bot.engine.prompt_form import ByName, form_of, pieces_of, stops
from bot.engine.types import Prompt
from bot.letters import COLONS, CONTROL, CONTROL_TOKEN, INVISIBLE, PLAIN_LETTERS, few_marks
from bot.messages import Kind, Message
from bot.scenario import (
    COMMON_ROLES,
    VIEWER,
    Line,
    Origin,
    Scenario,
    names_pattern,
    parse,
    render,
)

__all__ = [
    "VIEWER",
    "live_prompt",
    "parse",
    "recent",
    "render",
    "sanitise",
    "sanitise_name",
    "scene_parts",
    "stops",
    "viewer_line",
]

NAMELESS = "一位观众"
READ_LIMIT = 400  # what lies beyond is not even looked at
NAME_LIMIT = 16

_LITERAL_BREAK = re.compile(r"\\+(?:[rnt]|u000[ad]|x0[ad])|<br\s*/?>|&#(?:10|13|x0?[ad]);|%0[ad]", re.IGNORECASE)
_COLON = re.compile(f"\\s*[{COLONS}]")
_TOKEN_EDGE = re.compile("[<＜]\\s*[|｜]|[|｜]\\s*[>＞]")
_BRACKETS = str.maketrans("【】〖〗", "「」「」")


# ---- what comes from outside ------------------------------------------------------------------------------------


def sanitise(text: str, names: Iterable[str] = (), limit: int = 120) -> str:
    """One line of at most `limit` characters in which nothing reads as a turn, a role or a control token.

    `names` are the speakers of the scene; common role names are always known. "" when nothing visible is left.
    Idempotent: it is repeated until nothing changes, since taking one thing out can bring another together.
    """
    roles = _roles(frozenset(names))
    text = text[:READ_LIMIT]
    for _ in range(READ_LIMIT):
        cleaned = _clean(text, roles)[:limit]
        if cleaned == text:
            return text
        text = cleaned
    return ""  # no text is known that gets here


def _clean(text: str, roles: re.Pattern[str]) -> str:
    text = unicodedata.normalize("NFC", text)
    text = _LITERAL_BREAK.sub(" ", CONTROL.sub(" ", text))
    text = few_marks(INVISIBLE.sub("", text)).translate(PLAIN_LETTERS)
    text = " ".join(text.split())  # line breaks of every kind are white space to `split`
    text = _COLON.sub("：", text).translate(_BRACKETS)
    text = roles.sub(r"「\1」", text)
    return _TOKEN_EDGE.sub("", CONTROL_TOKEN.sub("", text))


@lru_cache(maxsize=32)
def _roles(names: frozenset[str]) -> re.Pattern[str]:
    """A role's name, what people put around it, and the colon after it."""
    return re.compile(f"({names_pattern((*names, *COMMON_ROLES))})[」』\\])）】\"'*_]*：", re.IGNORECASE)


def sanitise_name(name: str, names: Iterable[str] = ()) -> str:
    """A viewer's name to put inside 【】: at most 16 characters, no brackets, no colons, never a role's own name."""
    known = tuple(names)
    cleaned = name
    while (shorter := sanitise(re.sub(f"[【】〖〗「」{COLONS}]", "", cleaned), known, NAME_LIMIT)) != cleaned:
        cleaned = shorter
    taken = {role.casefold() for role in (*known, *COMMON_ROLES)}
    return NAMELESS if not cleaned or cleaned.casefold() in taken else cleaned


def viewer_line(message: Message, names: Iterable[str] = (), id: str = "") -> Line:
    """What a viewer did, as a line of the role 观众 that is safe to feed. `id` is the new line's."""
    known = tuple(names)
    who = sanitise_name(message.viewer.name, known)
    return Line(VIEWER, f"【{who}】{_deed(message, sanitise(message.text, known))}", Origin.PERSON, id)


def _deed(message: Message, text: str) -> str:
    match message.kind:
        case Kind.DANMAKU:
            return text or "……"
        case Kind.SUPER_CHAT:
            paid = f" {_yuan(message.price)} 元" if message.price else ""
            return f"（醒目留言{paid}）{text}"
        case Kind.GIFT:
            return f"送出了礼物 {text}" if text else "送出了一份礼物"
        case Kind.GUARD:
            return f"开通了{text or '舰长'}"
        case Kind.ENTER:
            return "进入了直播间"
        case Kind.FOLLOW:
            return "关注了主播"
        case Kind.LIKE:
            return "点了赞"


def _yuan(price: float) -> str:
    return f"{price:.2f}".rstrip("0").rstrip(".")


# ---- parts ------------------------------------------------------------------------------------------------------


def scene_parts(lines: Iterable[Line]) -> tuple[str, ...]:
    """The parts of these lines. Notices of the program and lines without words are left out."""
    return pieces_of(ByName(), lines)


def live_prompt(
    scenario: Scenario,
    transcript_lines: Sequence[Line],
    viewer: Line | None,
    turns: int = 16,
    start_with: str = "",
    *,
    character: str = "",
    hint: str = "",
) -> Prompt:
    """Background, opening, the last rounds of the story, the viewer's line, and the cue for the one who answers.

    `viewer` None: somebody is to speak of their own accord. `character` "" means the scenario's. `hint` is a stage
    direction by the operator, told as narration just before the cue. `start_with` is the beginning of the reply.
    Guidance leads away from what would be said to the same line without background and story.
    """
    form = form_of(scenario)
    scene = form.background(scenario.background) + pieces_of(form, scenario.opening)
    story = pieces_of(form, recent([line for line in transcript_lines if line.told], turns))
    who = character or scenario.speaker
    cue, begun = form.cue(who, start_with)
    now = pieces_of(form, [viewer] if viewer else []) + form.told(hint) + cue
    return Prompt(
        parts=(*scene, *story, *now),
        stops=form.stops([*scenario.speakers, who, *(line.character for line in transcript_lines)]),
        start_with=begun,
        keep=tuple(dict.fromkeys((len(scene), len(scene) + len(story)))),
        against=now,
    )


def recent(lines: Sequence[Line], turns: int) -> Sequence[Line]:
    """The last `turns` to 2 × `turns` - 1 rounds. The window moves in jumps, so that kept states stay of use."""
    starts = _round_starts(lines)
    first = max(0, (len(starts) - turns) // turns * turns)
    return lines[starts[first] :] if starts else lines


def _round_starts(lines: Sequence[Line]) -> list[int]:
    """Where rounds begin: a viewer's line and the answer to it are one round, any other line is one by itself."""
    answers = {
        index
        for index, (before, line) in enumerate(pairwise(lines), start=1)
        if before.character == VIEWER and line.character != VIEWER
    }
    return [index for index in range(len(lines)) if index not in answers]
