"""Who speaks next. It proposes; a person may ask for anybody. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bot.desk.mention import mention
from bot.desk.story import Turns
from bot.scenario import Line, Origin


def next_speakers(lines: Sequence[Line], present: Sequence[str], turns: Turns) -> tuple[str, ...]:
    """All who are present, the likeliest first. `lines`: the story so far, pending ones too.

    By hand: in their own order. In turn: after the one of them who spoke last, round the circle. By mention: whom the
    last line names, in the order in which it does, and then in turn.
    """
    told = [line for line in lines if line.origin is not Origin.SYSTEM]
    match turns:
        case Turns.HAND:
            return tuple(present)
        case Turns.TURN:
            return _in_turn(told, present)
        case Turns.MENTION:
            return tuple(dict.fromkeys((*_named(told, present), *_in_turn(told, present))))


def _in_turn(lines: Sequence[Line], present: Sequence[str]) -> tuple[str, ...]:
    last = next((line.character for line in reversed(lines) if line.character in present), None)
    if last is None:
        return tuple(present)
    after = list(present).index(last) + 1
    return (*present[after:], *present[:after])


def _named(lines: Sequence[Line], present: Sequence[str]) -> list[str]:
    """Of two names that begin at one place ("小麦", "小麦麦") the longer one is meant first."""
    if not lines:
        return []
    last = lines[-1]
    found = [(place, -len(name), name) for name in present if (place := mention(last.text, name)) is not None]
    return [name for _, _, name in sorted(found) if name != last.character]
