"""Mistakes in the settings of moderation that types do not tell: categories that there are not, or nobody is excepted from;
services without an address or a name of their own."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from difflib import get_close_matches

from bot.config.file import Key, Mistake, Tree
from bot.config.texts import say
from moderation.categories import CATEGORIES
from moderation.policy import EXCEPTABLE, ROLES

# What was not checked has no level: it always stops.
LEVELLED = tuple(name for name in CATEGORIES if name != "unchecked")


def policy_mistakes(tree: Tree, lang: str) -> Iterator[Mistake]:
    for direction in ("messages", "replies"):
        levels = tree.get(f"moderation.levels.{direction}")
        for category in levels if isinstance(levels, dict) else ():
            if category not in LEVELLED:
                yield _no_category(tree, ("moderation", "levels", direction, str(category)), category, LEVELLED, lang)
    for role in ROLES:
        categories = tree.get(f"moderation.exceptions.{role.value}")
        for category in categories if isinstance(categories, list) else ():
            key: Key = ("moderation", "exceptions", role.value)
            if not isinstance(category, str):
                continue  # its type is a mistake already
            if category in CATEGORIES and category not in EXCEPTABLE:
                can = "、".join(sorted(EXCEPTABLE)) if lang == "zh" else ", ".join(sorted(EXCEPTABLE))
                yield tree.mistake(lang, key, say(lang, "no_exception", name=category, can=can))
            elif category not in CATEGORIES:
                yield _no_category(tree, key, category, sorted(EXCEPTABLE), lang)


def service_mistakes(tree: Tree, lang: str) -> Iterator[Mistake]:
    """Each has an address and a name of its own: the name stands beside what it finds."""
    services = tree.get("moderation.services")
    seen: set[object] = set()
    for number, service in enumerate(services if isinstance(services, list) else ()):
        if not isinstance(service, dict):
            continue  # its type is a mistake already
        key: Key = ("moderation", "services", number)
        for name in ("name", "url"):
            if service.get(name, "") == "":
                yield tree.mistake(lang, (*key, name), say(lang, "no_service", what=name))
        name = service.get("name", "")
        if isinstance(name, str) and name in seen:
            yield tree.mistake(lang, (*key, "name"), say(lang, "service_twice", name=name))
        seen |= {name} if isinstance(name, str) and name else set()


def _no_category(tree: Tree, key: Key, name: object, known: Collection[str], lang: str) -> Mistake:
    near = get_close_matches(str(name), list(known), n=1, cutoff=0.6)
    hint = say(lang, "may_be", name=near[0]) if near else say(lang, "can_be", names=", ".join(known))
    return tree.mistake(lang, key, say(lang, "no_category", name=name, hint=hint))
