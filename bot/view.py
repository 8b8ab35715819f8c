"""Items, messages and figures as the JSON that the panel and other programs read. The shapes are a contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from adapters.base import Adapter, AdapterState, Phase, state_of
from bot.approval import Draft, Flag, Item
from bot.engine.types import EngineStatus
from bot.held import Held, Mute
from bot.intake import Passed, Waiting
from bot.messages import Message

Json = dict[str, Any]


def message_json(message: Message) -> Json:
    return {
        "id": message.id,
        "kind": message.kind.value,
        "text": message.text,
        "viewer": message.viewer.name,
        "viewer_id": message.viewer.id,
        "known": message.viewer.known,
        "platform": message.viewer.platform,
        "price": message.price,
        "roles": sorted(role.value for role in message.viewer.roles),
        "time": message.time,
    }


def flag_json(flag: Flag) -> Json:
    return asdict(flag)


def draft_json(draft: Draft) -> Json:
    return {
        "text": draft.text,
        "done": draft.done,
        "flags": [flag_json(flag) for flag in draft.flags],
        "by_person": draft.by_person,
        "checked": draft.checked,
    }


def item_json(item: Item, history: Sequence[Json] = ()) -> Json:
    """`history`: what this viewer wrote before and what was decided on it."""
    return {
        "id": item.id,
        "revision": item.revision,
        "state": item.state.value,
        "created": item.created,
        "expires": item.expires,
        "message": message_json(item.message) if item.message else None,
        "merged": len(item.merged),
        "others": [message_json(message) for message in item.merged],
        "class": item.wait_class,
        "reasons": list(item.reasons),
        "findings": [flag_json(flag) for flag in item.findings],
        "withdrawn": item.withdrawn,
        "quote": {"viewer": item.quote.viewer, "text": item.quote.text} if item.quote else None,
        "character": item.character,
        "drafts": [draft_json(draft) for draft in item.drafts],
        "drafting": item.drafting,
        "error": item.error,
        "text": item.text,
        "flags": [flag_json(flag) for flag in item.flags],
        "screened": item.screened,
        "checked": item.checked,
        "override": item.override,
        "edited": item.edited,
        "by": item.by,
        "decided": item.decided,
        "aired": item.aired,
        "until": item.until,
        "history": list(history),
    }


def waiting_json(waiting: Waiting) -> Json:
    return {
        "message": message_json(waiting.message),
        "class": waiting.klass.value,
        "merged": len(waiting.others),
        "since": waiting.since,
        "expires": waiting.expires,
        "score": round(waiting.score, 3),
        "reasons": list(waiting.reasons),
    }


def passed_json(passed: Passed) -> Json:
    return {"message": message_json(passed.message), "reason": passed.reason.value, "time": passed.time}


def held_json(held: Held) -> Json:
    return {
        "message": message_json(held.message),
        "flags": [flag_json(flag) for flag in held.flags],
        "screened": held.screened,
        "since": held.since,
    }


def mute_json(mute: Mute) -> Json:
    viewer = mute.viewer
    return {"platform": viewer.platform, "viewer_id": viewer.id, "viewer": viewer.name, "until": mute.until}


def engine_json(status: EngineStatus) -> Json:
    return {
        "state": status.state.value,
        "model": status.model,
        "detail": status.detail,
        "figures": dict(status.figures),
    }


def adapter_json(listener: Adapter, now: float) -> Json:
    """A platform's state. An adapter whose author keeps none is shown as live. Notices that are over are left out."""
    state = state_of(listener) or AdapterState(Phase.LIVE)
    return {
        "state": state.state.value,
        "detail": state.detail,
        "last_message": state.last_message,
        "next_try": state.next_try,
        "received": state.received,
        "bad": state.bad,
        "dropped": state.dropped,
        "duplicates": state.duplicates,
        "echoes": state.echoes,
        "reconnects": state.reconnects,
        "notices": [
            {"key": key, "text": notice.text, "since": notice.since}
            for key, notice in state.notices.items()
            if notice.until is None or now < notice.until
        ],
    }
