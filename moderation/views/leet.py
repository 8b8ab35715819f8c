"""Digits and signs read as the Latin letters that they look like."""

from __future__ import annotations

import re

from moderation.views.tight import tight
from moderation.views.view import View

_SIGNS = "0134578@$|+"
# A sign beside a Latin letter. An exclamation mark is one only inside a word.
_LEETED = re.compile(rf"[a-z](?:[{_SIGNS}]|!(?=[a-z\d]))|[{_SIGNS}!][a-z]")
_SHOUT = re.compile(rf"!(?![a-z{_SIGNS}])")
# i, l and 1 look alike, so they are one letter here, in terms as in texts.
LEET = str.maketrans("0134578@$|+!l", "oieastbasitii")


def leet(seen: View) -> View | None:
    """A tight view of the text with such letters; None where nothing looks like one."""
    if not _LEETED.search(seen.text):
        return None
    return tight(View(_SHOUT.sub(" ", seen.text).translate(LEET), seen.starts, seen.ends))
