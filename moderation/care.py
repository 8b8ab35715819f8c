"""Two things that are never left to a model: somebody who may harm themselves, and sexual words about children.

The first gets a card with words that a person wrote (bot/show.py), the second can never be approved.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from moderation.verdict import FORBIDDEN, NOTABLE, SEVERE, Direction, Finding
from moderation.views import plain, tight

CARE = "care"  # the rule by which the show knows such a message

_SELF_HARM = re.compile(
    "(?:不想|不愿意?|没法|无法)再?活(?:了|着|下去|在)|活(?:着|下去)(?:真的?|也)?(?:没|有什么|有啥)(?:意思|意义)|活不下去"
    "|(?<!笑)(?<!累)想死(?![你我他她它大这])(?!.{0,3}[哈笑2])|(?:想|要|准备|打算|怎么|如何|试过)自[杀鲨尽]|自[杀鲨](?:的念头|过)|自残"
    "|割(?:了)?手?腕(?!疼)|(?:写|准备)(?:好|完)?了?(?:一封)?遗书|(?:从|在).{0,6}(?:楼|桥|天台).{0,2}跳(?:下|了)|想跳(?:楼|河|桥)(?![机价])"
    "|(?:吞|吃)了?.{0,4}安眠药(?!剂)|想一了百了|结束(?:这一切|生命|自己)|死了?就解脱|(?:不痛|不疼|无痛|没有痛苦)的?死法"
    "|最后一次看.{0,14}(?:永远|走了)|撑不下去.{0,8}(?:不想|活)"
    "|kil myself|(?:i )?wan(?:t to|a) die|don'?t ?want to (?:live|be alive|exist)|end my life|thinking about suicide|comit suicide|suicidal"
    "|死にたい|生きたくない|自[殺杀]したい|消えたい"
)
_MINOR = (
    "未成年|小学生|初中(?:女?生(?!物)|女|男生)|中学女生|幼[女童]|萝莉|正太|儿童|小(?:女|男)孩|(?<!\\d)(?:[1-9]|1[0-7])岁|"
    "ロリ|子供|child|kido?s?(?![a-z])|underage|preten(?![a-z])|(?<!\\d)(?:[1-9]|1[0-7]) ?years? ?old"
)
_SEXUAL = "裸(?!眼)|色情|色图|涩图|做爱(?!心)|性[爱交]|性行为|脱(?:掉|光)?衣服?|福利姬|黄片|エロ|ポルノ|porn|nude|naked|sexual|sex(?![a-z])"
_SEXUAL_MINOR = re.compile(f"(?:{_MINOR}).{{0,16}}(?:{_SEXUAL})|(?:{_SEXUAL}).{{0,16}}(?:{_MINOR})")

_WORDS = {
    "zh": "谢谢你愿意说出来，我很在意你。请现在就告诉身边信得过的人，也可以联系{line}。你不是一个人。",
    "en": "Thank you for telling us. I care about you. Please talk to somebody you trust right now, or call {line}. "
    "You are not alone.",
}
_NO_LINE = {"zh": "当地的心理援助热线", "en": "a crisis line where you live"}


def care_words(help_line: str = "", lang: str = "zh") -> str:
    """What a card for somebody in danger proposes. `help_line` is the operator's, for instance a number and its name."""
    return _WORDS[lang].format(line=help_line.strip() or _NO_LINE[lang])


class CareFilter:
    """In both directions: a reply about either is no reply for a model to write."""

    name = "care"

    def check(self, text: str, direction: Direction) -> Iterator[Finding]:
        seen = tight(plain(text))
        if match := _SELF_HARM.search(seen.text):
            severity = SEVERE if direction is Direction.OUT else NOTABLE
            yield Finding("self_harm", severity, CARE, *seen.original(*match.span()), "可能有人想伤害自己")
        if match := _SEXUAL_MINOR.search(seen.text):
            yield Finding("minors", FORBIDDEN, "minors", *seen.original(*match.span()), "涉及未成年人的性内容")
