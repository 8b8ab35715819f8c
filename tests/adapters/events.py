"""Messages and withdrawals as the fixtures in tests/data write them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.messages import Event, Kind, Message, MessageId, Role, Viewer, Withdrawn

DATA = Path(__file__).parents[1] / "data"


def cases(file: str) -> list[dict[str, Any]]:
    return json.loads((DATA / file).read_text(encoding="utf-8"))


def event(platform: str, entry: dict[str, Any]) -> Event:
    """`viewer` is id, name and roles; without a `kind` it is a withdrawal."""
    if "kind" not in entry:
        messages, viewers = map(MessageId, entry.get("messages", ())), entry.get("viewers", ())
        return Withdrawn(platform, frozenset(messages), frozenset(viewers), entry.get("everything", False))
    own_id, name, *roles = entry["viewer"]
    viewer = Viewer(platform, own_id, name, frozenset(map(Role, roles)))
    return Message(
        MessageId(entry["id"]), Kind(entry["kind"]), viewer, entry["text"], entry.get("price"), entry["time"]
    )


def starred(found: Event, platform: str) -> Event:
    """An id of the adapter's own making (16 hexadecimal digits) becomes `*`, as the fixtures have it."""
    if isinstance(found, Message):
        own_id = found.id.partition(":")[2]
        if len(own_id) == 16 and set(own_id) <= set("0123456789abcdef"):
            return replace(found, id=MessageId(f"{platform}:*"))
    return found
