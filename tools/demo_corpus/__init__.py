"""The demo model's corpus: reads the files beside this one and makes shows of them. Trains nothing.

A file holds intents: `== name`, then what viewers say (`> …`), then what 小铃 answers (`< …`). `(甲|乙|)` is a choice,
`{game}` a slot of slots.txt that keeps its value from the viewer's line to the reply. About every seventh of the lines
of viewers is held out, whole, from training: `Corpus.held_out`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from zlib import crc32

from bot.engine.prompting import viewer_line
from bot.messages import Kind, Message, MessageId, Viewer
from tools.demo_corpus.names import draw_name, invent

HERE = Path(__file__).parent
SPEAKERS = ("小铃", "观众")
HELD_OUT = 7
"""One line of viewers in this many. Which ones depends on their words alone, so a line stays held out when others come."""

# What a deed is answered with. A super chat's words may also be any everyday line.
DEEDS = {Kind.ENTER: "enter", Kind.FOLLOW: "follow", Kind.LIKE: "like", Kind.GUARD: "guard"}
EVERYDAY = ("greet", "greet_evening", "which_game", "doing", "laugh", "six", "question_mark", "thanks", "bye", "who")
# Where the reply takes up a word of the viewer's: slow to learn.
TAKEN_UP = ("play_request", "game_opinion", "food", "like_thing", "city")
# Slots whose words nobody can list: now and then a word that does not exist stands there, so that the model learns to
# take up whatever was said instead of guessing at what it knows.
OPEN = ("game", "food", "thing", "city", "job")

_CHOICE = re.compile(r"\(([^()]*)\)")
SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Intent:
    name: str
    says: tuple[str, ...]  # of viewers, for training
    held_out: tuple[str, ...]
    replies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exchange:
    """`viewer` is a whole line of the role 观众, `reply` one of 小铃's to it."""

    intent: str
    kind: Kind
    viewer: str
    reply: str
    templates: tuple[str, ...]  # every reply that fits


class Corpus:
    def __init__(self, intents: dict[str, Intent], slots: dict[str, tuple[str, ...]]) -> None:
        self.intents, self.slots = intents, slots
        self.spoken = [intent for intent in intents.values() if intent.says]
        weights = {intent.name: (3.0 + len(intent.says)) ** 0.7 for intent in self.spoken}
        for name in (*EVERYDAY, *TAKEN_UP):
            weights[name] *= 1.6
        self.weights = list(weights.values())
        replies = [text for intent in intents.values() for reply in intent.replies for text in expand(reply)]
        clauses = dict.fromkeys(clause for reply in replies for clause in re.split("[，。！？…]+", reply))
        self._clauses = [clause for clause in clauses if 6 <= len(clause) <= 14 and not SLOT.search(clause)]

    def exchange(self, draw: Random, said: frozenset[str] = frozenset()) -> Exchange:
        """Anything that may happen in a show; replies in `said` (templates) are avoided."""
        kind = draw.choices(list(Kind), (86, 4, 5, 1, 2, 2, 1))[0]
        if kind is Kind.DANMAKU and draw.random() < 0.05:
            return self._answer(draw, self.intents["unknown"], kind, (self._strange(draw), {}), said)
        if kind is Kind.DANMAKU:
            intent = draw.choices(self.spoken, self.weights)[0]
            return self._answer(draw, intent, kind, _scrawl(draw, self._say(draw, intent)), said)
        return self.deed(draw, kind, said)

    def deed(self, draw: Random, kind: Kind, said: frozenset[str] = frozenset()) -> Exchange:
        """What is no danmaku: entering, gifts, super chats and so on."""
        if kind is Kind.SUPER_CHAT:
            return self._super_chat(draw, said)
        if kind is Kind.GIFT:
            if draw.random() < 0.1:
                return self._answer(draw, self.intents["gift_empty"], kind, ("", {}), said)
            gift = draw.choice(self.slots["gift"])
            count = draw.choice(("", f" x{draw.choice(self.slots['n'])}"))
            return self._answer(draw, self.intents["gift"], kind, (gift + count, {"gift": gift}), said)
        guard = draw.choice(self.slots["guard"])
        known = {"guard": guard} if kind is Kind.GUARD else {}
        return self._answer(draw, self.intents[DEEDS[kind]], kind, (known.get("guard", ""), known), said)

    def held_out(self, draw: Random) -> Iterator[Exchange]:
        """One exchange for every viewer's line that training never sees."""
        seen = {text for intent in self.spoken for say in intent.says for text in expand(say)}
        for intent in self.spoken:
            for say in intent.held_out:
                fresh = [text for text in expand(say) if text not in seen]
                if fresh:
                    yield self._answer(draw, intent, Kind.DANMAKU, self._fill(draw, draw.choice(fresh)), frozenset())

    def texts(self) -> Iterator[str]:
        """Every text of training once, slots named: for the vocabulary."""
        for intent in self.intents.values():
            for template in (*intent.says, *intent.replies):
                yield from expand(template)[:12]
        for values in self.slots.values():
            yield from values

    def _super_chat(self, draw: Random, said: frozenset[str]) -> Exchange:
        intent = self.intents["super_chat"]
        if draw.random() < 0.5:
            return self._answer(draw, intent, Kind.SUPER_CHAT, self._say(draw, intent), said)
        other = self.intents[draw.choice(EVERYDAY)]
        text, known = self._say(draw, other)
        answer = self._answer(draw, other, Kind.SUPER_CHAT, (text, known), said)
        thanks = draw.choice(("谢谢醒目留言！", "谢谢你的醒目留言，破费啦！", "醒目留言收到，谢谢！"))
        return Exchange(answer.intent, answer.kind, answer.viewer, thanks + answer.reply, answer.templates)

    def _strange(self, draw: Random) -> str:
        """Something that fits no intent: a piece of what 小铃 might say, or words that do not exist among others."""
        if draw.random() < 0.5:
            return draw.choice(self._clauses)
        piece = draw.choice(self._clauses)
        at = draw.randrange(len(piece))
        return draw.choice(
            (invent(draw) + piece[at:], piece[:at] + invent(draw), invent(draw) + draw.choice(LINKS) + invent(draw))
        )

    def _say(self, draw: Random, intent: Intent) -> tuple[str, dict[str, str]]:
        return self._fill(draw, draw.choice(expand(draw.choice(intent.says))))

    def _fill(self, draw: Random, text: str) -> tuple[str, dict[str, str]]:
        known: dict[str, str] = {}

        def value(slot: re.Match[str]) -> str:
            chosen = draw.choice(self.slots[slot[1]])
            if slot[1] in OPEN and draw.random() < 0.3:
                chosen = invent(draw)
            if slot[1] == "game" and draw.random() < 0.15:
                chosen = f"《{chosen}》"
            known[slot[1]] = chosen
            return chosen

        return SLOT.sub(value, text), known

    def _answer(
        self, draw: Random, intent: Intent, kind: Kind, say: tuple[str, dict[str, str]], said: frozenset[str]
    ) -> Exchange:
        text, known = say
        fitting = tuple(reply for reply in intent.replies if set(SLOT.findall(reply)) <= set(known))
        template = draw.choice([reply for reply in fitting if reply not in said] or fitting)
        reply = draw.choice(expand(template)).format(**known)
        price = float(draw.choice((1, 2, 5, 10, 30, 30, 50, 100, 500))) if kind is Kind.SUPER_CHAT else None
        message = Message(MessageId("1"), kind, Viewer("demo", "1", draw_name(draw)), text, price)
        return Exchange(intent.name, kind, viewer_line(message, SPEAKERS).text, reply, fitting)


def show(corpus: Corpus, draw: Random) -> Iterator[Exchange]:
    """Exchanges without end, as unrelated as viewers are; the last replies are not said again."""
    said: list[str] = []
    while True:
        exchange = corpus.exchange(draw, frozenset(said[-24:]))
        said += [template for template in exchange.templates if _is_of(exchange.reply, template)]
        yield exchange


@cache
def _pattern(template: str) -> re.Pattern[str]:
    texts = (re.escape(text).replace(r"\{", "{").replace(r"\}", "}") for text in expand(template))
    return re.compile("|".join(SLOT.sub(".+", text) for text in texts))


def _is_of(reply: str, template: str) -> bool:
    return bool(_pattern(template).search(reply))


@cache
def expand(template: str) -> tuple[str, ...]:
    """Every text that the choices of a template allow; slots stay."""
    choice = _CHOICE.search(template)
    if not choice:
        return (template,)
    before, after = template[: choice.start()], template[choice.end() :]
    return tuple(dict.fromkeys(text for option in choice[1].split("|") for text in expand(before + option + after)))


def load_corpus(folder: Path = HERE) -> Corpus:
    intents: dict[str, Intent] = {}
    for file in sorted(folder.glob("[0-9]*.txt")):
        for block in re.split(r"^== ", file.read_text("utf-8"), flags=re.M)[1:]:
            intent = _intent(block)
            if intent.name in intents:
                raise ValueError(f"{file.name}: intent {intent.name} stands twice")
            intents[intent.name] = intent
    return Corpus(intents, _slots(folder / "slots.txt"))


def _intent(block: str) -> Intent:
    name, *lines = block.strip().splitlines()
    says = list(dict.fromkeys(line[2:] for line in lines if line.startswith("> ")))
    held = {say for say in says if crc32(say.encode()) % HELD_OUT == 0}
    return Intent(
        name.strip(),
        tuple(say for say in says if say not in held),
        tuple(say for say in says if say in held),
        tuple(line[2:] for line in lines if line.startswith("< ")),
    )


def _slots(file: Path) -> dict[str, tuple[str, ...]]:
    rows = (line.split(" = ", 1) for line in file.read_text("utf-8").splitlines() if " = " in line and line[0] != "#")
    return {name: tuple(value.strip() for value in values.split(" | ")) for name, values in rows}


# ---- how people type --------------------------------------------------------------------------------------------

BEFORE = (
    *("主播，", "主播", "小铃，", "小铃", "小铃小铃，", "话说", "那个，", "哈哈，", "请问", "诶，", "hi，", "晚上好，"),
    *("主播好，", "哈喽，", "想问下", "666，", "来啦，", "刚来，", "所以", "我想问"),
)
LINKS = tuple("的 是 在 和 把 给 不是 怎么 有 没有 要 会 比 了 为什么 到底 一个 就像 都".split())
AFTER = (
    *("！", "！！", "~", "～", "。", "？", "啊", "呀", "呢", "哈哈", "哈哈哈", "吧", "了", "嘛", "😂", "❤️"),
    *("233", "...", "，主播", "，小铃", "hhh", "🤔", "（狗头）", "（不是）"),
)


def _scrawl(draw: Random, say: tuple[str, dict[str, str]]) -> tuple[str, dict[str, str]]:
    """A line as somebody in a hurry types it. Slots' values stay whole."""
    text, known = say
    if draw.random() < 0.12:
        text = draw.choice(BEFORE) + text
    if draw.random() < 0.25:
        text = text + draw.choice(AFTER)
    if draw.random() < 0.08 and len(text) > 4 and not known:
        at = draw.randrange(len(text))
        text = text[:at] + draw.choice(("", text[at] * 2, " " + text[at])) + text[at + 1 :]
    return text, known
