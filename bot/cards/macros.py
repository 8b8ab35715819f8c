"""The placeholders of character cards, put into words: {{user}}, {{char}} and their older forms.

As the card specifications have them (https://github.com/kwaroran/character-card-spec-v3): in any case, comments leave
nothing behind. What only a chat program could fill in while it runs (dice, times) is left and told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.letters import one_newline

_NAMES = re.compile(r"\{\{\s*(user|char|bot)\s*\}\}|<(user|char|bot)>", re.IGNORECASE)
_SILENT = re.compile(r"\{\{\s*(?://|comment:|hidden_key:)[^{}]*\}\}|\{\{\s*original\s*\}\}", re.IGNORECASE)
_OTHER = re.compile(r"\{\{[^{}\n]{1,80}\}\}")


@dataclass(frozen=True, slots=True)
class Names:
    char: str
    user: str

    def put_into(self, text: str) -> str:
        """The text with the names in their places and line breaks of one kind."""
        text = _SILENT.sub("", one_newline(text))
        return _NAMES.sub(lambda found: self.user if (found[1] or found[2]).lower() == "user" else self.char, text)


def left_over(text: str) -> list[str]:
    """Placeholders that nobody will fill in."""
    return list(dict.fromkeys(_OTHER.findall(text)))
