"""Somebody else's JSON as messages, by rules that are data: a preset's, or those that a user writes in config.yaml.

    json: Data                          # where JSON stands in a string (may be missing)
    html: true                          # names and texts are HTML (may be missing)
    rules:                              # the first whose conditions hold is used
      - when: {method: Chat}            # path: value, or a list of values; true: there is something, false: nothing
        type: danmaku                   # a type of docs/adapters.md, or `withdraw`, or `ignore`
        id: msg.id | msg.seq            # paths; the first that leads to something
        user: {id: "tw:{user.id}", name: user.nick, roles: {moderator: {user.mod: true}}}
        text: "{gift.name} x{count}"    # with braces: a text with the values in it, nothing when one is missing
        price: gift.coins               # one of them
        unit: 0.1                       # what 1 of `price` is in yuan
        count: gift.total               # how many; the price is multiplied, `{count}` is this number
        streak: gift.row                # `count` is a running total by viewer and this: what is new counts
        ended: {gift.end: 1}            # the total is repeated to say that it is final
        time: sent

A rule only moves values into the frame of adapters/wire.py, which then is checked like any other. `ids` and `users` are
for `withdraw`; their paths may lead to lists. No I/O; remembers nothing but the gifts that are being counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from adapters.bridges.markup import plain
from adapters.bridges.streaks import Streaks
from adapters.fields import NAME_LENGTH, TEXT_LENGTH, at, number, text, whole
from adapters.texts import say
from adapters.wire import WITHDRAW, FrameError, event_from_frame, read_json
from bot.messages import Event, Kind, Role

IGNORE = "ignore"

Path = tuple[str | int, ...]
Value = Callable[[object], object]  # of a frame
Test = Callable[[object], bool]  # of a frame
Key = tuple[str | int, ...]

_FIELD = re.compile(r"\{([^{}]*)\}")
_COUNT = "count"


@dataclass(frozen=True, slots=True)
class Passed:
    """A frame that is no message, and rightly so; `reason` is a key of adapters/texts.py."""

    reason: str


Outcome = Event | Passed | FrameError


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a mapping that somebody wrote: where, and what to write."""

    key: Key
    advice: str
    values: Mapping[str, object]

    def text(self, lang: str = "zh") -> str:
        return say(lang, self.advice, **self.values)


class Rules:
    """A mapping, ready to use. ValueError where `problems` has something to say about it."""

    def __init__(self, mapping: Mapping[str, Any]) -> None:
        for problem in problems(mapping):
            raise ValueError(f"{'.'.join(map(str, problem.key))}: {problem.text('en')}")
        self._json = _path(mapping["json"]) if "json" in mapping else None
        self._html = _test(mapping["html"]) if "html" in mapping else None
        self._rules = [_Rule(rule) for rule in mapping["rules"]]
        self._streaks = Streaks()

    def read(self, data: str | bytes, platform: str, now: float) -> Iterator[Outcome]:
        """What a frame holds: one, or one for each entry of a list. Raises nothing."""
        try:
            frame = read_json(data)
        except FrameError as error:
            yield error
            return
        for one in frame if isinstance(frame, list) else [frame]:
            try:
                yield self.outcome(one, platform, now)
            except FrameError as error:
                yield error

    def outcome(self, frame: object, platform: str, now: float) -> Event | Passed:
        """What one object is. Raises FrameError."""
        if not isinstance(frame, dict):
            raise FrameError("", None, "not_object")
        if self._json:
            _unfold(frame, self._json)
        rule = next((rule for rule in self._rules if rule.applies(frame)), None)
        if rule is None or rule.kind == IGNORE:
            return Passed("no_rule" if rule is None else "ignored")
        clean = plain if self._html and self._html(frame) else None
        made = rule.withdrawal(frame) if rule.kind == WITHDRAW else rule.message(frame, clean, self._streaks, now)
        return Passed("counted") if made is None else event_from_frame(made, platform, now)


class _Rule:
    """One rule, its paths taken apart."""

    def __init__(self, rule: Mapping[str, Any]) -> None:
        user = rule.get("user", {})
        self.kind = str(rule["type"])
        self.applies = _test(rule.get("when", {}))
        self._id = _value(rule.get("id"))
        self._viewer = _value(user.get("id"))
        self._name = _value(user.get("name"))
        self._roles = [(role, _test(test)) for role, test in user.get("roles", {}).items()]
        self._text = _value(rule.get("text"))
        self._price = _value(rule.get("price"))
        self._unit = float(rule.get("unit", 1))
        self._count = _value(rule.get("count")) if "count" in rule else None
        self._streak = _value(rule["streak"]) if "streak" in rule else None
        self._ended = _test(rule["ended"]) if "ended" in rule else None
        self._time = _value(rule.get("time"))
        self._ids, self._users = _values(rule.get("ids")), _values(rule.get("users"))

    def message(
        self, frame: dict[str, Any], clean: Callable[[str], str] | None, streaks: Streaks, now: float
    ) -> dict[str, Any] | None:
        """The wire frame; None: it only repeats a total that was told."""
        viewer = _word(self._viewer(frame))
        name = _word(self._name(frame))
        count = 1
        if self._count is not None:
            count = self._counted(frame, viewer or name, streaks, now)
            if count < 1:
                return None
            frame = {**frame, _COUNT: count}
        words = _word(self._text(frame))
        price = number(self._price(frame))
        user = {
            "id": "" if viewer == "0" else viewer,
            "name": (clean(name) if clean else name)[:NAME_LENGTH],
            "roles": [role for role, has in self._roles if has(frame)],
        }
        return {
            "type": self.kind,
            "id": _word(self._id(frame)),
            "user": user,
            "text": clean(words) if clean else words,
            "price": round(price * self._unit * count, 4) if price is not None and price > 0 else None,
            "time": number(self._time(frame)),
        }

    def _counted(self, frame: dict[str, Any], who: str, streaks: Streaks, now: float) -> int:
        """How many there are to tell of."""
        assert self._count is not None
        total = max(1, whole(self._count(frame)))
        if self._streak is None:
            return total
        row = _word(self._streak(frame))
        ended = self._ended is not None and self._ended(frame)
        return streaks.given(f"{who}\n{row}", total, now, ended=ended, numbered=self._ended is None)

    def withdrawal(self, frame: dict[str, Any]) -> dict[str, Any]:
        return {"type": WITHDRAW, "ids": self._ids(frame), "users": self._users(frame)}


# -- paths, values, conditions -----------------------------------------------------------------------------------------


def _path(written: str) -> Path:
    return tuple(int(step) if step.isdecimal() else step for step in written.strip().split("."))


def _value(written: str | None) -> Value:
    """What a path, several with `|` between them, or a text with braces stands for."""
    if written is None:
        return _nothing
    if "{" in written:
        fields = [_value(field) for field in _FIELD.findall(written)]
        return partial(_filled, _FIELD.split(written)[::2], fields)
    paths = [_path(path) for path in written.split("|")]
    if len(paths) == 1:
        return partial(_at, paths[0])
    return partial(_first, paths)


def _nothing(frame: object) -> object:
    return None


def _at(path: Path, frame: object) -> object:
    for step in path:
        if type(frame) is dict:
            frame = frame.get(step) if type(step) is str else frame.get(str(step))
        elif type(frame) is list and type(step) is int and step < len(frame):
            frame = frame[step]
        else:
            return None
    return frame


def _first(paths: list[Path], frame: object) -> object:
    return next((found for path in paths if (found := _at(path, frame)) not in (None, "")), None)


def _filled(between: list[str], fields: list[Value], frame: object) -> str:
    words = [_word(field(frame)) for field in fields]
    if not all(words):
        return ""
    return between[0] + "".join(word + rest for word, rest in zip(words, between[1:], strict=True))


def _word(value: object) -> str:
    """As `text`, and a number with a fraction, too."""
    return f"{value:.12g}" if isinstance(value, float) else text(value, TEXT_LENGTH)


def _values(written: str | None) -> Callable[[object], list[str]]:
    """As `_value`, where the path may lead to a list: all that it holds, a text with one pair of braces around each."""
    if written is None:
        return lambda frame: []
    field = _FIELD.search(written)
    find = _value(field[1] if field else written)
    before, after = (written[: field.start()], written[field.end() :]) if field else ("", "")

    def values(frame: object) -> list[str]:
        found = find(frame)
        words = map(_word, found if isinstance(found, list) else [found])
        return [before + word + after for word in words if word and word != "0"]

    return values


def _test(conditions: Mapping[str, Any] | bool) -> Test:
    if isinstance(conditions, bool):
        return lambda frame: conditions
    tests = [_condition(path, wanted) for path, wanted in conditions.items()]
    if len(tests) == 1:
        return tests[0]
    return lambda frame: all(test(frame) for test in tests)


def _condition(written: str, wanted: object) -> Test:
    """`1` and `"1"` are the same: many programs write numbers as strings."""
    value = _value(written)
    if isinstance(wanted, bool):
        return lambda frame: _something(value(frame)) is wanted
    allowed = {_word(one) for one in (wanted if isinstance(wanted, list | tuple) else [wanted])}
    return lambda frame: _word(value(frame)) in allowed


def _something(value: object) -> bool:
    return value not in (None, "", 0, "0", False, "false", [], {})


def _unfold(frame: dict[str, Any], path: Path) -> None:
    """Reads the JSON that stands in a string, in its place. Raises FrameError."""
    *way, last = path
    inside = at(frame, *way)
    if isinstance(inside, dict) and isinstance(inside.get(last), str):
        inside[last] = read_json(inside[last])


# -- what people write -------------------------------------------------------------------------------------------------

_KINDS = (*Kind, WITHDRAW, IGNORE)
_TEXTS = ("id", "text", "price", "count", "streak", "time", "ids", "users")
_RULE_KEYS = ("when", "type", "user", "unit", "ended", *_TEXTS)
_STEPS = re.compile(r"[^{}|]+(\|[^{}|]+)*|([^{}]*\{[^{}|]+(\|[^{}|]+)*\})+[^{}]*")


def problems(mapping: object) -> Iterator[Problem]:
    """Everything that is wrong with a mapping that somebody wrote."""
    if not isinstance(mapping, dict):
        yield _wrong((), "map_mapping", mapping)
        return
    yield from _unknown(mapping, ("json", "html", "rules"), ())
    if "json" in mapping and not (isinstance(mapping["json"], str) and re.fullmatch(r"[^{}|]+", mapping["json"])):
        yield _wrong(("json",), "map_path", mapping["json"])
    if not isinstance(mapping.get("html", True), bool):
        yield from _test_problems(mapping["html"], ("html",))
    rules = mapping.get("rules")
    if not isinstance(rules, list | tuple) or not rules:
        yield _wrong(("rules",), "map_rules", rules)
        return
    for index, rule in enumerate(rules):
        yield from _rule_problems(rule, ("rules", index))


def _rule_problems(rule: object, key: Key) -> Iterator[Problem]:
    if not isinstance(rule, dict):
        yield _wrong(key, "map_rule", rule)
        return
    yield from _unknown(rule, _RULE_KEYS, key)
    if rule.get("type") not in _KINDS:
        yield _wrong((*key, "type"), "map_type", rule.get("type"), kinds=", ".join(_KINDS))
    for name in _TEXTS:
        if name in rule:
            yield from _text_problem(rule[name], (*key, name))
    for name in ("when", "ended"):
        yield from _test_problems(rule.get(name, {}), (*key, name))
    unit = number(rule.get("unit", 1))
    if unit is None or unit <= 0 or isinstance(rule.get("unit"), str):
        yield _wrong((*key, "unit"), "map_unit", rule["unit"])
    yield from _user_problems(rule.get("user", {}), (*key, "user"))


def _user_problems(user: object, key: Key) -> Iterator[Problem]:
    if not isinstance(user, dict):
        yield _wrong(key, "map_user", user)
        return
    yield from _unknown(user, ("id", "name", "roles"), key)
    for name in ("id", "name"):
        if name in user:
            yield from _text_problem(user[name], (*key, name))
    roles = user.get("roles", {})
    if not isinstance(roles, dict) or not set(roles) <= set(Role):
        yield _wrong((*key, "roles"), "map_roles", roles, roles=", ".join(Role))
        return
    for role, test in roles.items():
        yield from _test_problems(test, (*key, "roles", role))


def _test_problems(test: object, key: Key) -> Iterator[Problem]:
    if not isinstance(test, dict):
        yield _wrong(key, "map_when", test)
        return
    for path, wanted in test.items():
        if not isinstance(path, str) or not _STEPS.fullmatch(path):
            yield _wrong(key, "map_path", path)
        several = wanted if isinstance(wanted, list | tuple) else [wanted]
        if not all(isinstance(one, str | int) for one in several):
            yield _wrong((*key, path), "map_wanted", wanted)


def _text_problem(written: object, key: Key) -> Iterator[Problem]:
    if not isinstance(written, str) or not _STEPS.fullmatch(written):
        yield _wrong(key, "map_path", written)


def _unknown(values: Mapping[Any, Any], known: tuple[str, ...], key: Key) -> Iterator[Problem]:
    for name in values:
        if name not in known:
            yield Problem((*key, str(name)), "map_unknown", {"known": ", ".join(known)})


def _wrong(key: Key, advice: str, value: object, **values: object) -> Problem:
    shown = json.dumps(value, ensure_ascii=False, default=str)
    return Problem(key, advice, {"value": shown[:60], **values})
