"""WBI: how Bilibili's web pages sign a request. Pure.

The key comes from the names of two pictures that `x/web-interface/nav` tells; it changes about once a day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from adapters.fields import at, text

_PLACES = (
    *(46, 47, 18, 2, 53, 8, 23, 32, 15, 50, 10, 31, 58, 3, 45, 35),
    *(27, 43, 5, 49, 33, 9, 42, 19, 29, 28, 14, 39, 12, 38, 41, 13),
)
_LEFT_OUT = str.maketrans("", "", "!'()*")


def key(image: str, sub: str) -> str:
    """32 characters from the names (without ending) of the two pictures; "" when they are too short."""
    letters = image + sub
    return "".join(letters[place] for place in _PLACES) if len(letters) > max(_PLACES) else ""


def key_of(nav: object) -> str:
    """The key in an answer of `nav`, which holds it for guests too; "" when there is none."""
    pictures = at(nav, "data", "wbi_img")
    return key(_stem(at(pictures, "img_url")), _stem(at(pictures, "sub_url")))


def signed(parameters: Mapping[str, object], key: str, now: float) -> dict[str, str]:
    """The parameters, sorted, with `wts` (the time in seconds) and `w_rid` (the signature)."""
    values = {name: str(value).translate(_LEFT_OUT) for name, value in parameters.items()}
    values["wts"] = str(int(now))
    values = dict(sorted(values.items()))
    return values | {"w_rid": hashlib.md5((urlencode(values) + key).encode()).hexdigest()}


def _stem(url: object) -> str:
    return urlsplit(text(url)).path.rpartition("/")[2].partition(".")[0]
