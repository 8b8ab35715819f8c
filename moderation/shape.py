"""Checks the form of a text, not its meaning: length, characters nobody sees, forged turns, control tokens.

A reply must stand in a prompt exactly as it stands on the screen; whatever the canonical text form would change in it
cannot be approved, by nobody and for no reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from bot.letters import BIDI, COLONS, CONTROL, CONTROL_TOKEN, INVISIBLE, LONE_SURROGATE, visible
from bot.scenario import COMMON_ROLES, canonical_name, canonical_text, names_pattern
from moderation.verdict import FORBIDDEN, MILD, NOTABLE, SEVERE, Direction, Finding

_BIDI = re.compile(f"[{BIDI}]")
_OTHER_RULE = re.compile(f"[{BIDI}\ud800-\udfff]")  # invisible too, but named by a rule of their own
# What the canonical text form changes, beside control characters and surrogates, which have a rule of their own.
_BREAK = re.compile("[ ]*\n\\s*\n\\s*|\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029\t]")
_REASONS = {
    "break": "空行或特殊的换行，会被读成换人说话",
    "control": "控制字符",
    "bidi": "会改变文字显示顺序的字符",
    "invisible": "看不见的字符",
    "token": "模型的控制标记",
    "turn": "像是在替别人说话（名字加冒号）",
}


class ShapeFilter:
    """`max_length`: messages longer than this are flagged. `reply_length`: the same for replies. `speakers`: the names
    that begin a turn."""

    name = "shape"

    def __init__(
        self,
        *,
        max_length: int = 80,
        reply_length: int = 200,
        speakers: Sequence[str] = (),
    ) -> None:
        self._longest = {Direction.IN: max_length, Direction.OUT: reply_length}
        roles = [role for role in COMMON_ROLES if len(role) > 1]  # "问：" and "A:" are everyday words
        names = names_pattern(canonical_name(name) for name in (*speakers, *roles))
        self._name_colon = re.compile(rf"(?:{names})\s*[{COLONS}]", re.IGNORECASE)

    def check(self, text: str, direction: Direction) -> Iterator[Finding]:
        yield from self._length(text, direction)
        yield from self._seen(text, direction)
        yield from self._turns(text, direction)

    def _length(self, text: str, direction: Direction) -> Iterator[Finding]:
        longest = self._longest[direction]
        if len(text) > longest:
            yield Finding("quality", NOTABLE, "length", longest, len(text), f"{len(text)} 字，超过 {longest} 字")
        if not visible(text) and (text or direction is Direction.OUT):
            severity = FORBIDDEN if direction is Direction.OUT else SEVERE
            yield Finding("quality", severity, "empty", 0, len(text), "没有能看见的字")

    def _seen(self, text: str, direction: Direction) -> Iterator[Finding]:
        """Characters that hide something. The sanitiser takes them out of a message; in a reply they must not be.

        One finding a rule, from the first to the last: a single place would show nothing.
        """
        severity = FORBIDDEN if direction is Direction.OUT else NOTABLE
        hidden = {
            "control": [*CONTROL.finditer(text), *LONE_SURROGATE.finditer(text)],
            "bidi": list(_BIDI.finditer(text)),
            "invisible": [found for found in INVISIBLE.finditer(text) if not _OTHER_RULE.match(found[0])],
        }
        for rule, found in hidden.items():
            if found:
                start, end = min(one.start() for one in found), max(one.end() for one in found)
                yield Finding("quality", severity, rule, start, end, f"{len(found)} 个{_REASONS[rule]}")

    def _turns(self, text: str, direction: Direction) -> Iterable[Finding]:
        yield from _each(CONTROL_TOKEN, text, "token", SEVERE if direction is Direction.IN else FORBIDDEN)
        if direction is Direction.IN:
            plain = INVISIBLE.sub("", text)
            if plain != text and CONTROL_TOKEN.search(plain) and not CONTROL_TOKEN.search(text):
                yield Finding("injection", SEVERE, "token", 0, len(text), _REASONS["token"])
            if self._name_colon.search(plain):
                yield Finding("injection", NOTABLE, "turn", 0, len(text), _REASONS["turn"])
            return
        for match in self._name_colon.finditer(text):
            starts_line = not text[: match.start()].rsplit("\n", 1)[-1].strip()
            yield _finding(match, "turn", FORBIDDEN if starts_line else MILD)
        if canonical_text(text) != text.strip(" \n"):
            yield from _each(_BREAK, text, "break", FORBIDDEN)
            if not any(rule.search(text) for rule in (_BREAK, CONTROL, LONE_SURROGATE)):
                yield Finding("injection", FORBIDDEN, "break", 0, len(text), _REASONS["break"])


def _each(pattern: re.Pattern[str], text: str, rule: str, severity: int) -> Iterator[Finding]:
    return (_finding(match, rule, severity) for match in pattern.finditer(text))


def _finding(match: re.Match[str], rule: str, severity: int) -> Finding:
    category = "injection" if rule in ("token", "turn", "break") else "quality"
    return Finding(category, severity, rule, *match.span(), _REASONS[rule])
