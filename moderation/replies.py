"""Points out replies that a model should not have written: loops, another language, out of its role, half a sentence.

Nothing here blocks: it is style and honesty, and the person who reads the card decides. Form is checked in shape.py,
what the reply shares with other texts in echo.py.
"""

# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from moderation.verdict import MILD, NOTABLE, Direction, Finding
from moderation.views import plain

Language = Literal["zh", "en", ""]

_LOOP = re.compile(r"(.{1,20}?)\1{2,}", re.DOTALL)
_LEAST_LOOP = 12  # shorter ones are laughter
_HAN, _KANA = re.compile("[\u3400-\u9fff]"), re.compile("[\u3041-\u30ff]")
_LATIN, _WORD = re.compile("[a-zA-Z\u00c0-\u024f]"), re.compile("[a-zA-Z\u00c0-\u024f']+")
_FOREIGN = re.compile("[\u0400-\u052f\u0590-\u0dff\u0e00-\u0eff\u1100-\u11ff\uac00-\ud7af]")

_RULES: tuple[tuple[str, int, str, re.Pattern[str]], ...] = (
    ("role", NOTABLE, "不像角色，像 AI 助手", re.compile(
        "作为(?:一[个款名位])?(?:ai|人工智能|大?语言模型|聊天机器人|虚拟助手)|语言模型|训练数据|知识截止"
        "|我(?:只|其实)?是(?:一[个款名位])?(?:ai|人工智能|大模型|chatgpt|gpt|claude|deepseek|通义|文心|豆包|rwkv)"
        "|(?:抱歉|对不起|不好意思|遗憾)[,，。]?\\s?我?(?:无法|不能|没有?办法)(?:回答|提供|完成|满足|协助|讨论|帮|生成)"
        "|我?是?由.{2,12}(?:公司|团队|实验室)?(?:开发|训练)的|还有什么可以帮(?:助)?您|以下是(?:我的)?(?:回答|回复)|根据您的(?:要求|请求|描述)"
        "|as an? (?:ai|artificial)|language model|i(?:'m| am) (?:an ai|just an ai)|i (?:cannot|can't|can not) (?:help|assist|do that|provide)"
        "|can't help with|aiとして|モデルとして|お答えできません"
    )),
    ("promise", NOTABLE, "像是承诺或派送", re.compile(
        "保证|答应你|我答应|发誓|承诺|担保|说到做到|稳赚|退款|包邮|抽奖|抽.{0,3}[个位名人]|中奖的(?:朋友|人|观众)|送.{0,2}(?:皮肤|红包|周边|键盘|手机|会员|福利|点券)"
        "|(?:都|就|免费)送|送大家|i promise|guarantee|give ?away|for free"
    )),
    ("price", NOTABLE, "提到价钱或付款", re.compile(
        "\\d[\\d.]*\\s?(?:元|块(?!儿)|rmb|人民币|美元|刀)|[一二三四五六七八九十百千万两]{2,}(?:元|块(?!儿))|[¥￥$]\\s?\\d"
        "|现价|原价|打折|充值|付款|下单|月卡|季卡|年卡|\\d\\s?(?:dollars|bucks|usd)"
    )),
    ("turn", NOTABLE, "像是另一个人的发言", re.compile("(?:\\A|(?<=\n))\\s*【[^】\n]{1,16}】|(?<=\n)\\s*(?:[^\\s:：,，。！？]{1,10}\\s*[:：])")),
)  # fmt: skip
_CUT_OFF = re.compile(
    "[,，、:：;；(（“「『《-]$|(?:然后|因为|所以|但是|而且|如果|虽然|不过|可是|或者|以及|看到|觉得|认为|就是)$"
    "|[,，](?:我|你|他|她|它|我们|你们)$|(?<=.{7})(?:的|和|与|跟|在|把|被|给|就|会|要|很|最|让|从)$"
    "|\\b(?:the|a|an|of|to|and|or|but|about|with|is|are|my|your|for|in|on|at|that|because)$"
)
_PAIRS = ("“”", "（）", "「」", "『』", "《》", "【】")


class ReplyFilter:
    """`language`: what the character speaks; "" where any will do."""

    name = "replies"

    def __init__(self, language: Language = "zh") -> None:
        self._language = language

    def check(self, text: str, direction: Direction) -> Iterator[Finding]:
        if direction is not Direction.OUT or not text:
            return
        yield from _loops(text)
        if self._drifts(text):
            yield Finding("quality", NOTABLE, "drift", 0, len(text), "换了一种语言")
        seen = plain(text)
        for rule, severity, reason, pattern in _RULES:
            if match := pattern.search(seen.text):
                yield Finding("quality", severity, rule, *seen.original(*match.span()), reason)
        yield from _cut_off(text)

    def _drifts(self, text: str) -> bool:
        han, kana, latin, foreign = (len(each.findall(text)) for each in (_HAN, _KANA, _LATIN, _FOREIGN))
        letters = han + kana + latin + foreign
        if self._language == "zh":
            spoken_otherwise = latin > 1.5 * han and len(_WORD.findall(text)) >= 5
            return spoken_otherwise or (kana >= 5 and kana > han) or (foreign >= 3 and foreign > 0.1 * letters)
        return self._language == "en" and han + kana + foreign >= 4 and han + kana + foreign > 0.3 * letters


def _loops(text: str) -> Iterator[Finding]:
    """More than half of it one piece over and over, or a third of all runs of six letters for the second time."""
    loops = [match.span() for match in _LOOP.finditer(text) if match.end() - match.start() >= _LEAST_LOOP]
    if sum(end - start for start, end in loops) >= 0.5 * len(text):
        yield Finding("quality", NOTABLE, "loop", loops[0][0], loops[-1][1], "同样的话转圈")
        return
    runs = [text[place : place + 6] for place in range(len(text) - 5)]
    if len(runs) >= 24 and len(set(runs)) < 0.7 * len(runs):
        yield Finding("quality", NOTABLE, "loop", 0, len(text), "同样的话转圈")


def _cut_off(text: str) -> Iterator[Finding]:
    words = text.rstrip()
    open_pair = any(words.count(pair[0]) > words.count(pair[1]) for pair in _PAIRS)
    if open_pair or _CUT_OFF.search(words.casefold()):
        yield Finding("quality", MILD, "unfinished", max(0, len(words) - 4), len(words), "像是没说完")


def language_of(text: str) -> Language:
    """What a card is written in: "zh", "en", or "" where it is another language or too short to tell."""
    han, kana, latin, foreign = (len(each.findall(text)) for each in (_HAN, _KANA, _LATIN, _FOREIGN))
    if kana > 0.1 * (han + kana + latin) or foreign > 10:
        return ""
    if han > 0.3 * (han + latin):
        return "zh"
    return "en" if latin > 20 and text.isascii() else ""
