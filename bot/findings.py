"""What the checks say, as cards and the record keep it: flags to show, versions, and a line of JSON for the database."""

from __future__ import annotations

import json
from dataclasses import replace

from bot.approval import Flag
from bot.messages import Message
from moderation import Action, Verdict


def flags(verdict: Verdict) -> tuple[Flag, ...]:
    """What a person should look at, with places in the text that goes on. What the policy lets pass is left out."""
    return tuple(
        Flag(f.start, f.end, f.rule, "block" if f.stops else "flag", f.reason, f.category, f.source, f.firm)
        for f in verdict.shown
        if f.action not in (Action.PASS, Action.CLEAN)
    )


def checked(verdict: Verdict) -> str:
    """What it was made with, as "words 1a2b, suspect 3c4d"."""
    return ", ".join(f"{name} {version}" for name, version in verdict.versions)


def as_checked(message: Message, verdict: Verdict) -> Message:
    """The message as anyone may read it: what is private in its words and its name is masked."""
    if (verdict.text, verdict.name) == (message.text, message.viewer.name):
        return message
    return replace(message, text=verdict.text, viewer=replace(message.viewer, name=verdict.name))


def record(verdict: Verdict) -> str:
    """For the database: rules, severities and places, never the words that were found."""
    found = [
        {
            "category": one.category,
            "severity": one.severity,
            "rule": one.rule,
            "start": one.start,
            "end": one.end,
            "source": one.source,
            "action": one.action,
        }
        for one in verdict.shown
    ]
    said = {"action": verdict.action, "findings": found, "versions": dict(verdict.versions)}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))
