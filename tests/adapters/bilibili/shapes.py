"""The project's own commands in Bilibili's shapes, with what becomes of them (`tests/data/bilibili`).

A case has `commands`, and for each in `gives` what comes of it: a message, a withdrawal (`messages`, `viewers`),
`told`, a `reason`, or a list of messages. `later` comes when everything has waited long enough. With `any_order` the
commands are played in every order, and `all` is all that may come. An id that ends in `*` is one of our own making.
`pb` is written as an object of field numbers; here it becomes the base64 of a protobuf.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from adapters.bilibili.normaliser import Normaliser
from adapters.bilibili.reading import Reading, Reason, Told
from bot.messages import Event, Kind, Message, MessageId, Role, Viewer, Withdrawn

FOLDER = Path(__file__).parents[2] / "data" / "bilibili"
NOW = 1_800_000_000.0
LATER = NOW + 60


def cases() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted(FOLDER.glob("*.json")):
        for case in json.loads(file.read_text(encoding="utf-8")):
            case["commands"] = [with_protobuf(command) for command in case["commands"]]
            yield f"{file.stem}: {case['what']}", case


def commands() -> list[Any]:
    """Every command of every case."""
    return [command for _, case in cases() for command in case["commands"]]


def play(commands: list[Any], owner: str = "") -> tuple[list[Reading], list[Event]]:
    """What each command brings, and what comes later."""
    normaliser = Normaliser(owner)
    readings = [normaliser.read(command, NOW) for command in commands]
    return readings, normaliser.due(LATER)


def expected(entry: Any) -> Reading:
    """What an entry of `gives` says."""
    if isinstance(entry, list):
        return Reading(tuple(event(one) for one in entry))
    if "told" in entry:
        return Reading(told=Told(entry["told"]), detail=entry.get("detail", ""))
    if "reason" in entry:
        return Reading(reason=Reason(entry["reason"]), detail=entry.get("detail", ""))
    return Reading((event(entry),))


def event(entry: dict[str, Any]) -> Event:
    if "kind" not in entry:
        return Withdrawn(
            "bilibili",
            frozenset(MessageId(name) for name in entry.get("messages", ())),
            frozenset(entry.get("viewers", ())),
        )
    own_id, name, *roles = entry["viewer"]
    return Message(
        MessageId(entry["id"]),
        Kind(entry["kind"]),
        Viewer("bilibili", own_id, name, frozenset(Role(role) for role in roles)),
        entry.get("text", ""),
        entry.get("price"),
        entry["time"],
    )


def starred(found: Event, wanted: Event) -> Event:
    """`found`, with `*` for the part of its id that `wanted` leaves open."""
    if isinstance(found, Message) and isinstance(wanted, Message) and wanted.id.endswith("*"):
        assert found.id.startswith(wanted.id[:-1]) and len(found.id) == len(wanted.id) + 15, found.id
        return replace(found, id=wanted.id)
    return found


def with_protobuf(command: Any) -> Any:
    """A copy in which an object at `data.pb` is the base64 of the message that it describes."""
    match command:
        case {"data": {"pb": dict() as fields}}:
            pb = base64.b64encode(protobuf(fields)).decode()
            return command | {"data": command["data"] | {"pb": pb}}
    return command


def protobuf(fields: dict[str, Any]) -> bytes:
    """https://protobuf.dev/programming-guides/encoding/ : varints and what has a length."""
    out = b""
    for number, value in fields.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, int):
                out += varint(int(number) << 3) + varint(one)
            else:
                body = protobuf(one) if isinstance(one, dict) else one.encode()
                out += varint(int(number) << 3 | 2) + varint(len(body)) + body
    return out


def varint(value: int) -> bytes:
    more, low = divmod(value, 128)
    return bytes([low | 128]) + varint(more) if more else bytes([low])
