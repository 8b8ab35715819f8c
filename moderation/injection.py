"""Points out messages that are meant for the model rather than for the show. The rules are in injection_rules.py.

It sorts, it does not protect: what makes a message harmless in a prompt is the sanitiser, and what a model was talked
into saying waits for a person like any other reply.
"""

from __future__ import annotations

from collections.abc import Iterator

from moderation.injection_rules import ENCODED, compiled_signs, compiled_words
from moderation.verdict import NOTABLE, Direction, Finding
from moderation.views import View, leet, plain, tight

_REASONS = {
    "override": "要模型忘掉或不守设定",
    "role": "要模型变成别的角色",
    "hijack": "要模型只说指定的话",
    "leak": "套取设定或提示词",
    "induce": "规定回答的开头或不许拒绝",
    "story": "借故事绕过限制",
    "code": "像是给程序的代码",
    "encoded": "编码过的内容",
    "authority": "冒充开发者、管理员或系统",
    "parrot": "要模型照着念",
    "turn": "像是系统或别人的发言",
}
_WORDS, _SIGNS = compiled_words(), compiled_signs()


class InjectionFilter:
    """Messages only: a reply that breaks its role is another filter's."""

    name = "injection"

    def check(self, text: str, direction: Direction) -> Iterator[Finding]:
        if direction is not Direction.IN:
            return
        seen = plain(text)
        told: set[str] = set()
        for view, rules in ((_close(tight(seen)), _WORDS), (_close(leet(seen)), _WORDS), (seen, _SIGNS)):
            if view is None:
                continue
            for rule, severity, pattern in rules:
                if rule not in told and (match := pattern.search(view.text)):
                    told.add(rule)
                    yield Finding("injection", severity, rule, *view.original(*match.span()), _REASONS[rule])
        if "encoded" not in told and (match := ENCODED.search(text)):
            yield Finding("injection", NOTABLE, "encoded", *match.span(), _REASONS["encoded"])


def _close(seen: View | None) -> View | None:
    """Without the spaces between Latin words, and without the doubled letters that this brings together."""
    if seen is None or " " not in seen.text:
        return seen
    text = seen.text
    kept = [
        place
        for place, letter in enumerate(text)
        if letter != " " and not (letter == text[place - 2 : place - 1] and text[place - 1] == " ")
    ]
    return View(
        "".join(text[place] for place in kept),
        [seen.starts[place] for place in kept],
        [seen.ends[place] for place in kept],
    )
