"""Finds what belongs to somebody: numbers, accounts, mail, addresses, plates, and links. Says what to put in its place.

In a message it is masked before the model, the record and the log see it. In a reply it stops the reply until it is
edited, except what the operator has allowed. Rules of form only: a name or a secret told in plain words is not found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

from moderation.plain import plain
from moderation.verdict import MILD, NOTABLE, SEVERE, Direction, Finding

Links = Literal["allow", "flag", "block"]

NAMES = {
    "mobile": "手机号",
    "landline": "电话",
    "id_card": "证件号",
    "bank_card": "卡号",
    "qq": "QQ号",
    "wechat": "微信号",
    "mail": "邮箱",
    "address": "地址",
    "plate": "车牌",
    "link": "网址",
}
MASKS = {rule: f"[{name}]" for rule, name in NAMES.items()}

_GAP = r"[\W_]"  # what people write between digits; every repetition is bounded
_MAYBE = f"{_GAP}{{0,3}}"
_SOME = f"{_GAP}{{1,3}}"
_ABROAD = rf"(?<!\d)(?:(?:\+|00)?86{_MAYBE})?"


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


_MOBILE = _compile(
    rf"{_ABROAD}(?:"
    r"1[3-9]\d{9}"
    rf"|1{_MAYBE}[3-9]{_MAYBE}\d{_SOME}\d{{4}}{_SOME}\d{{4}}"  # 3-4-4, the first three parted or not
    rf"|1[3-9]\d{_SOME}(?:\d{{3}}{_SOME}\d{{5}}|\d{{8}})"
    rf"|1[3-9]\d{{2}}{_SOME}\d{{3}}{_SOME}\d{{4}}|1[3-9]\d{{5}}{_SOME}\d{{4}}"
    r")(?!\d)"
)
_MOBILE_LOOSE = _compile(rf"(?<!\d)1{_MAYBE}[3-9](?:{_MAYBE}\d){{9}}(?!{_MAYBE}\d)")
_CALLED = _compile(r"(?:手机|电话|号码|联系|打给|call|phone|mobile)[\W_号是码为]{0,5}$")
_MOBILE_LETTERS = _compile(r"(?<![0-9a-z])[1li|][3-9][0-9oli|]{9}(?![0-9a-z])")
_LANDLINE = _compile(
    rf"(?<!\d)\(?0(?:10|2\d|[3-9]\d{{2}})\)?{_MAYBE}[1-9]\d{{2,3}}{_GAP}?\d{{4}}(?!\d)"
    rf"|(?<!\d)[48]00{_GAP}?\d{{3}}{_GAP}?\d{{4}}(?!\d)|(?<!\d)[48]00{_GAP}\d{{4}}{_GAP}\d{{3}}(?!\d)"
    rf"|(?<![\da-z])\+[1-9]\d{{0,2}}(?:[ .()-]{{0,2}}\d){{7,12}}(?!\d)"
)
_LANDLINE_CALLED = _compile(
    rf"(?:电话|座机|固话|热线|来电|(?<![a-z])tel|phone)[\W_号是码为]{{0,5}}([2-9]\d{{2,3}}{_GAP}?\d{{4}})(?!\d)"
)
_ID = _compile(rf"(?<!\d)[1-9](?:{_GAP}?\d){{16}}{_GAP}?[\dx](?!\d)")
_CARD = _compile(r"(?<!\d)(?:62|4|5[1-5]|3[457])\d{0,3}(?:[ -]?\d){11,17}(?!\d)")
_QQ = _compile(
    r"(?:(?<![a-z])(?:q{1,2}|q[ ._-]q)|扣扣|[抠叩][抠叩]|企鹅|秋秋|[蔻寇][蔻寇]|球球|🐧|(?:加|进|入)[群裙q]|[群裙]号)"
    rf"[\W_号是为群裙码:]{{0,6}}([1-9](?:{_GAP}{{0,2}}\d){{4,10}})(?!\d)"
)
_WECHAT = _compile(
    r"(?:[微薇威徽维v][信❤]|卫星|(?<![a-z])(?:v ?x|w ?x|wechat|weixin|wei信|v(?= ?:))|[加+]我?[v威薇微])"
    r"[\W_号是为]{0,5}([a-z](?=[a-z_-]{0,18}[\d_-])[a-z\d_-]{5,19}(?![a-z\d_-])|[a-z](?: [a-z\d_-]){5,19})"
)
_DOT = r"(?:\.|。|\(\.\)|\[\.\]|\[dot\]|\(dot\)| ?点 ?| dot )"
_TOP = (
    "com|cn|net|org|xyz|vip|shop|site|club|info|icu|edu|gov|"
    "top|cc|me|io|tv|fun|live|app|link|ly|gg|ru|jp|kr|hk|tw|uk|de|us|co|dev|ai"
)
_MAIL = _compile(
    r"(?<![a-z\d._+-])[a-z\d][a-z\d._+-]{0,63} ?(?:@|#|\[at\]|\(at\)|(?<= )at(?= )) ?"
    rf"[a-z\d-]{{1,63}}(?:{_DOT}[a-z\d-]{{1,63}}){{0,3}}{_DOT}(?:{_TOP})(?![a-z\d-])"
)
_LINK = _compile(
    r"(?:https?|hxxps?|ftp)\s?:\s?//[^\s\u3000-\u9fff]+|magnet:\?[^\s\u3000-\u9fff]+"
    r"|(?<![a-z\d])www\s?[.。]\s?[a-z\d][^\s\u3000-\u9fff]+"
    rf"|(?<![a-z\d.-])[a-z\d-]{{1,63}}(?:{_DOT}[a-z\d-]{{1,63}}){{0,4}}?{_DOT}(?:{_TOP})(?![a-z\d-])(?::\d{{1,5}})?(?:/[^\s\u3000-\u9fff]*)?"
    r"|(?<![a-z\d])(?:[a-z\d] ){3,20}\. ?(?:c ?o ?m|n ?e ?t|c ?n)(?![a-z])"
    r"|[\u4e00-\u9fffa-z\d-]{2,20}\.(?:中国|公司|网络|网址)(?![\u4e00-\u9fff])"
    r"|(?<![\d.])[1-9]\d{1,2}(?:\.\d{1,3}){3}(?![\d.])(?::\d{1,5})?(?:/[^\s\u3000-\u9fff]*)?"
)
_SHORT_LABEL = _compile(rf"[a-z\d-]{{1,2}}{_DOT}[a-z]+")
_EVERYDAY = _compile(rf"[a-z\d-]+{_DOT}(?:top|cc|me|io|tv|fun|live|app|link|gg|us|de|co|ai)")
_NUMBER = "[0-9十百千]{1,6}"
_STREET = _compile(
    rf"(?:路|街|大道[东南西北中]?[段路]?|巷|胡同|里弄|弄){_NUMBER}(?:号|弄)"
    rf"|(?:小区|花园|公寓|苑|家园|新村|大厦|广场|城|府|号院){_NUMBER}(?:号楼|栋|幢|座|单元)"
)
_STREET_BEFORE = _compile(r"[\u4e00-\u9fff0-9a-z]{1,24}$")
_STREET_AFTER = _compile(rf"(?:[院之-]?{_NUMBER}(?:号楼|号院|号|栋|幢|座|楼|单元|层|室|房))*(?:{_NUMBER})?")
_NOT_THE_ADDRESS = _compile(r".*(?:我家?|他家?|她家?|住|在|到|寄|址|是|去|来|看)")
_PLATE = _compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]"
    rf"{_GAP}{{0,2}}[a-hj-z](?:{_GAP}{{0,2}}[a-hj-np-z\d]){{5,6}}(?![a-z\d])"
)
_MASKED = re.compile(r"\[(?:" + "|".join(NAMES.values()) + r")\]")  # what was masked before stays pointed out
# A text without any of these holds nothing that is looked for.
_WORTH_A_LOOK = _compile(
    r"\d\D{0,3}\d|[.。点@#]|dot|//|magnet|[微薇威徽维v][信❤]|v ?x|w ?x|wechat|weixin|[加+]我?[v威薇微]|卫星|[路街道巷弄]"
)


def _checksum(digits: str) -> bool:
    """ISO 7064 MOD 11-2, as GB 11643 uses it, and a date of birth that can be."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))
    born = 1900 <= int(digits[6:10]) < 2100 and 1 <= int(digits[10:12]) <= 12 and 1 <= int(digits[12:14]) <= 31
    return born and "10x98765432"[total % 11] == digits[17]


def _luhn(digits: str) -> bool:
    """ISO/IEC 7812, and not one digit over and over."""
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
    return 13 <= len(digits) <= 19 and len(set(digits)) > 1 and sum(n - 9 * (n > 9) for n in doubled) % 10 == 0


def _letters(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum())


def _is_link(found: str, after: str) -> bool:
    """Not `Mr.Me`, `no.com plaints`, `hhh.me too`: what people type with a full stop and no space."""
    goes_on = re.match(r"\s?[a-z]", after) is not None
    if _SHORT_LABEL.fullmatch(found) and (goes_on or _EVERYDAY.fullmatch(found)):
        return False
    if re.match(r"[\d.]+(?:[:/]|$)", found):
        return all(int(part) <= 255 for part in re.findall(r"\d+", found)[:4])
    return not (_EVERYDAY.fullmatch(found) and goes_on)


def _is_loose_mobile(text: str, start: int, end: int) -> bool:
    """Eleven digits parted in any way: nearly each by itself, or after a word that announces a number."""
    groups = re.findall(r"\d+", text[start:end])
    return len(groups) >= 9 or _CALLED.search(text, max(0, start - 12), start) is not None


def _is_plate(found: str) -> bool:
    return sum(letter.isdigit() for letter in found) >= 3


Span = tuple[str, int, int]


def _numbers(text: str) -> Iterator[Span]:
    yield from (("id_card", *m.span()) for m in _ID.finditer(text) if _checksum(_letters(m[0])))
    yield from (("bank_card", *m.span()) for m in _CARD.finditer(text) if _luhn(_letters(m[0])))
    yield from (("mobile", *m.span()) for m in _MOBILE.finditer(text))
    yield from (("mobile", *m.span()) for m in _MOBILE_LOOSE.finditer(text) if _is_loose_mobile(text, *m.span()))
    yield from (("landline", *m.span()) for m in _LANDLINE.finditer(text))
    yield from (("landline", *m.span(1)) for m in _LANDLINE_CALLED.finditer(text))
    yield from (("qq", *m.span(1)) for m in _QQ.finditer(text))
    yield from (("plate", *m.span()) for m in _PLATE.finditer(text) if _is_plate(m[0]))


def _accounts(text: str) -> Iterator[Span]:
    for match in _MOBILE_LETTERS.finditer(text):
        if 8 <= sum(letter.isdigit() for letter in match[0]) < 11:
            yield "mobile", *match.span()
    yield from (("wechat", *m.span(1)) for m in _WECHAT.finditer(text))
    yield from (("mail", *m.span()) for m in _MAIL.finditer(text))


def _places(text: str) -> Iterator[Span]:
    for match in _STREET.finditer(text):
        before, after = (
            _STREET_BEFORE.search(text, max(0, match.start() - 24), match.start()),
            _STREET_AFTER.match(text, match.end()),
        )
        start = before.start() if before else match.start()
        if before and (lead := _NOT_THE_ADDRESS.match(before[0])) and lead.end() < len(before[0]):
            start += lead.end()
        yield "address", start, after.end() if after else match.end()


def _links(text: str) -> Iterator[Span]:
    yield from (("link", *m.span()) for m in _LINK.finditer(text) if _is_link(m[0], text[m.end() : m.end() + 2]))


def _first_of_each_place(spans: Iterable[Span]) -> list[Span]:
    """Without those that overlap one that was found before them."""
    kept: list[Span] = []
    for rule, start, end in spans:
        if all(end <= first or last <= start for _, first, last in kept):
            kept.append((rule, start, end))
    return kept


_SEARCHES: tuple[Callable[[str], Iterator[Span]], ...] = (_accounts, _links, _numbers, _places)


def _spans(text: str) -> list[Span]:
    return _first_of_each_place(span for search in _SEARCHES for span in search(text))


def _values(text: str) -> list[str]:
    """What an operator's line allows: all of it, and each number or account in it."""
    return [_letters(text), *(_letters(text[start:end]) for _, start, end in _spans(text))]


class PrivateFilter:
    """`allow`: numbers and accounts of the operator's own. `links`: what a link leads to; "allow" lets it stand."""

    name = "private"
    masks = True

    def __init__(self, *, links: Links = "block", allow: Sequence[str] = ()) -> None:
        self._links = links
        self._allowed = frozenset(letters for value in allow for letters in _values(plain(value).text))

    def check(self, text: str, direction: Direction) -> Iterator[Finding]:
        yield from (Finding("privacy", MILD, "masked", *match.span(), "已隐去") for match in _MASKED.finditer(text))
        seen = plain(text)
        if not _WORTH_A_LOOK.search(seen.text):
            return
        for rule, start, end in _spans(seen.text):
            if _letters(seen.text[start:end]) not in self._allowed:
                yield from self._finding(rule, text, direction, *seen.original(start, end))

    def _finding(self, rule: str, text: str, direction: Direction, start: int, end: int) -> Iterator[Finding]:
        if rule == "link":
            yield from self._link(start, end)
        else:
            severity = SEVERE if direction is Direction.OUT else NOTABLE
            reason = f"{NAMES[rule]}（尾号 {text[start:end][-2:]}）"
            yield Finding("privacy", severity, rule, start, end, reason, mask=MASKS[rule])

    def _link(self, start: int, end: int) -> Iterator[Finding]:
        if self._links != "allow":
            severity = SEVERE if self._links == "block" else NOTABLE
            yield Finding("ads_fraud", severity, "link", start, end, "链接", mask=MASKS["link"])
