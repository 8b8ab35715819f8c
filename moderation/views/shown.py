"""A text for a person who decides: what cannot be seen, or changes the order on the screen, is written out."""

from __future__ import annotations

import re

from bot.letters import BIDI, CONTROL, INVISIBLE
from moderation.views.view import View, view_of

_HIDDEN = re.compile(f"{INVISIBLE.pattern}|{CONTROL.pattern}|[{BIDI}]")


def shown(text: str) -> View:
    """Each such letter as ⟨U+202E⟩; what is on the screen is then what is in the text, letter for letter."""
    hidden = {one.start() for one in _HIDDEN.finditer(text)}
    return view_of(
        (f"⟨U+{ord(letter):04X}⟩" if place in hidden else letter, place, place + 1) for place, letter in enumerate(text)
    )
