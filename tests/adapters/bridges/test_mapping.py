"""A mapping that a user writes: what it can say, and what it is told when it says something wrong."""

import json
from typing import Any

import pytest
import yaml

from adapters.bridges.mapping import Passed, Rules, problems
from adapters.wire import FrameError
from bot.messages import Kind, Message, Role, Withdrawn

NOW = 1_800_000_000.0

MINE = """
rules:
  - when: {kind: say, user.mod: false}
    type: danmaku
    id: n | seq
    user: {id: "tv:{user.id}", name: user.nick, roles: {member: {user.level: [2, 3]}}}
    text: words.0.t
    time: at
  - {when: {kind: [gift, "7"]}, type: gift, user: {name: user.nick}, text: "{what} x{count}", price: each, unit: 0.5, count: many}
  - {when: {kind: del}, type: withdraw, ids: "no-{list}", users: who}
  - {when: {kind: hush}, type: ignore}
"""


def read(frame: object, mapping: str = MINE) -> list[object]:
    return list(Rules(yaml.safe_load(mapping)).read(json.dumps(frame), "tv", NOW))


def say(**more: Any) -> dict[str, Any]:
    return {"kind": "say", "n": "", "seq": 9, "user": {"id": 5, "nick": "小柚"}, "words": [{"t": "嗨"}], **more}


def test_paths_alternatives_texts_and_conditions():
    """An index into a list, the first path that leads to something, a text around a value, a list of values."""
    (message,) = read(say(user={"id": 5, "nick": "小柚", "level": "3"}, at=1_700_000_000_000))
    assert isinstance(message, Message)
    assert (message.id, message.text, message.time) == ("tv:9", "嗨", 1_700_000_000)
    assert (message.viewer.key, message.viewer.name) == (("tv", "tv:5"), "小柚")
    assert message.viewer.roles == {Role.MEMBER}


def test_a_price_is_of_one_and_in_its_own_unit():
    """Number in a string or not, the kind too."""
    for kind in ("gift", 7):
        (gift,) = read({"kind": kind, "user": {"nick": "小柚"}, "what": "花", "each": "3", "many": "4"})
        assert isinstance(gift, Message)
        assert (gift.kind, gift.text, gift.price) == (Kind.GIFT, "花 x4", 6.0)


def test_a_text_with_a_missing_value_is_nothing():
    """Then the viewer is known by name, and a gift has no words."""
    (message,) = read(say(user={"nick": "小柚"}))
    assert isinstance(message, Message) and message.viewer.id == "name:小柚"


def test_numbers_with_a_fraction_are_words_too():
    """In a text; and a whole number is itself however it is written."""
    mapping = '{rules: [{when: {kind: 7}, type: gift, user: {name: who}, text: "{what} {each} 元"}]}'
    (gift,) = read({"kind": 7.0, "who": "小柚", "what": "花", "each": 5.5}, mapping)
    assert isinstance(gift, Message) and gift.text == "花 5.5 元"
    assert read({"who": "小柚", "what": "花", "each": 5.5}, mapping) == [Passed("no_rule")]


def test_what_is_taken_back():
    """Lists of ids and of viewers, with a text around each."""
    (gone,) = read({"kind": "del", "list": [1, "2", None], "who": 7})
    assert gone == Withdrawn("tv", frozenset({"tv:no-1", "tv:no-2"}), frozenset({"7"}))


@pytest.mark.parametrize(
    ("frame", "reason"),
    [({"kind": "hush"}, "ignored"), ({"kind": "else"}, "no_rule"), (say(user={"mod": 1, "nick": "x"}), "no_rule")],
)
def test_a_frame_without_a_message_has_a_reason(frame: object, reason: str):
    """A rule that says so, or none that fits; `false` wants nothing there."""
    assert read(frame) == [Passed(reason)]


@pytest.mark.parametrize(
    ("frame", "field"),
    [(say(words=[]), "text"), (say(user={}), "user.name"), (say(n="x" * 300), "id"), ({"kind": "del"}, "")],
)
def test_a_frame_that_fits_but_lacks_what_a_message_needs_is_a_mistake(frame: object, field: str):
    """It names the field of our own frame."""
    (mistake,) = read(frame)
    assert isinstance(mistake, FrameError) and mistake.field == field


def test_odd_values_cost_only_themselves():
    """A price that is a list, a time that is a word, an id that is an object."""
    (message,) = read(say(n={"a": 1}, seq=[2], at="yesterday"))
    assert isinstance(message, Message)
    assert message.time == NOW and len(message.id) > len("tv:")


def test_html_and_json_in_a_string():
    """Both by one line of the mapping."""
    mapping = "{json: box.in, html: true, rules: [{type: danmaku, user: {name: box.in.who}, text: box.in.text}]}"
    frame = {"box": {"in": json.dumps({"who": "<b>A</b>", "text": "a&lt;b <img alt=':)'>"})}}
    (message,) = read(frame, mapping)
    assert isinstance(message, Message) and (message.viewer.name, message.text) == ("A", "a<b :)")


WRONG = {
    "[]": ["应为一组设置，现为 []"],
    "{}": ["rules: 应为规则的列表，现为 null"],
    "{rules: []}": ["rules: 应为规则的列表，现为 []"],
    "{rules: [7]}": ["rules.0: 应为一组设置，现为 7"],
    "{rulez: [], rules: [{type: like}]}": ["rulez: 没有这一项。可以写的有：json, html, rules"],
    "{rules: [{type: chat}]}": ["rules.0.type: 应为以下之一：danmaku"],
    "{rules: [{type: like, test: 1}]}": ["rules.0.test: 没有这一项"],
    "{rules: [{type: like, text: 7}]}": ["rules.0.text: 应为路径"],
    "{rules: [{type: like, text: 'a{b'}]}": ["rules.0.text: 应为路径"],
    "{rules: [{type: like, id: ''}]}": ["rules.0.id: 应为路径"],
    "{rules: [{type: like, unit: 0}]}": ["rules.0.unit: 应为大于 0 的数，现为 0"],
    "{rules: [{type: like, unit: yuan}]}": ["rules.0.unit: 应为大于 0 的数"],
    "{rules: [{type: like, user: me}]}": ["rules.0.user: 应为一组设置"],
    "{rules: [{type: like, user: {nick: a}}]}": ["rules.0.user.nick: 没有这一项。可以写的有：id, name, roles"],
    "{rules: [{type: like, user: {roles: {boss: {a: 1}}}}]}": ["rules.0.user.roles: 应为一组设置，名称是 streamer"],
    "{rules: [{type: like, user: {roles: {member: 1}}}]}": ["rules.0.user.roles.member: 应为一组条件"],
    "{rules: [{type: like, when: {a: {b: 1}}}]}": ["rules.0.when.a: 应为一个值"],
    "{rules: [{type: like, when: {a: 1.5}}]}": ["rules.0.when.a: 应为一个值"],
    "{rules: [{type: like, when: [a]}]}": ["rules.0.when: 应为一组条件"],
    "{json: 7, html: maybe, rules: [{type: like}]}": ["json: 应为路径", "html: 应为一组条件"],
}


@pytest.mark.parametrize("text", WRONG)
def test_every_mistake_is_told_with_its_place(text: str):
    """All at once, and the rules are not made."""
    mapping = yaml.safe_load(text)
    told = [f"{'.'.join(map(str, problem.key))}: {problem.text()}".removeprefix(": ") for problem in problems(mapping)]
    assert len(told) == len(WRONG[text])
    for line, beginning in zip(told, WRONG[text], strict=True):
        assert line.startswith(beginning)
    with pytest.raises(ValueError):
        Rules(mapping)
    assert all(problem.text("en") for problem in problems(mapping))
