"""What is said of a value that cannot be: what it should be, what it is, what to write instead."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel

from bot.config.file import Mistake, Tree
from bot.config.platforms import ORIGIN, PLATFORM
from bot.config.sections import NAME
from bot.config.settings import Config, setting_names
from bot.config.texts import knows, say


def mistake_of(tree: Tree, detail: Mapping[str, Any], lang: str) -> Mistake:
    """One of pydantic's errors in our words."""
    key = tuple(detail["loc"])
    kind = str(detail["type"])
    if kind == "extra_forbidden":
        return tree.mistake(lang, key, say(lang, "unknown", near=_near(key, lang)))
    what = _wanted(kind, detail.get("ctx", {}), lang)
    secret = key[-1] in ("api_key", "token")
    value = "***" if secret else tree.shown(key, detail["input"]) if detail["input"] is not None else "null"
    return tree.mistake(lang, key, say(lang, "wrong", what=what, value=value, hint=hint_for(key, kind, lang)))


_SHAPES = {ORIGIN: "origin", PLATFORM: "name", NAME: "one_word"}


def _wanted(kind: str, limits: Mapping[str, Any], lang: str) -> str:
    """What the value should be, from the type of pydantic's error."""
    match kind:
        case "int_type" | "int_parsing" | "int_from_float":
            return say(lang, "int")
        case "bool_type":
            return say(lang, "bool")
        case "string_type":
            return say(lang, "str")
        case "float_type":
            return say(lang, "float")
        case "finite_number":
            return say(lang, "finite")
        case "tuple_type":
            return say(lang, "list")
        case "literal_error":
            return say(lang, "choice", choices=str(limits["expected"]).replace(" or ", ", ").replace("'", ""))
        case "greater_than_equal":
            return say(lang, "at_least", least=short(limits["ge"]), what=_number(limits["ge"], lang))
        case "less_than_equal":
            return say(lang, "at_most", most=short(limits["le"]), what=_number(limits["le"], lang))
        case "greater_than":
            return say(lang, "above", least=short(limits["gt"]), what=_number(limits["gt"], lang))
        case "string_too_short":
            return say(lang, "filled")
        case "string_too_long":
            return say(lang, "shorter", most=limits["max_length"])
        case "string_pattern_mismatch":
            return say(lang, _SHAPES.get(limits["pattern"], "web_url" if "http" in limits["pattern"] else "url"))
    return say(lang, "section")


def short(number: float) -> str:
    return f"{number:g}"


def _number(limit: float, lang: str) -> str:
    return say(lang, "int" if isinstance(limit, int) else "float")


def hint_for(key: tuple[str | int, ...], kind: str, lang: str) -> str:
    """What to write: the key's own hint, or its section's, or one for the type."""
    names = [str(part) for part in key if isinstance(part, str)]
    for length in range(len(names), 0, -1):
        if knows(".".join(names[:length])):
            return say(lang, ".".join(names[:length]))
    default = _default(names)
    if kind == "literal_error":
        return say(lang, "write_choice")
    if kind == "tuple_type":
        return say(lang, "write_list")
    if isinstance(default, BaseModel) or kind in ("model_type", "model_attributes_type", "dict_type"):
        return say(lang, "write_section")
    if default is None:
        return say(lang, "write_nothing")
    return say(lang, "write_default", default=yaml_text(default))


def yaml_text(value: object) -> str:
    """A default as one writes it in the file."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return short(value)
    return f'"{value}"' if isinstance(value, str) else str(value)


def _default(names: list[str]) -> object:
    value: object = Config()
    for name in names:
        value = getattr(value, name, None)
    return value


def _near(key: tuple[str | int, ...], lang: str) -> str:
    """The known key that was probably meant: alike in the same section, of the same name elsewhere, or alike anywhere."""
    *section, name = [str(part) for part in key]
    known = setting_names()
    if name in known:
        section_name, _, last = name.rpartition(".")
        return say(lang, "two_lines", section=section_name, name=last)
    depth = len(section)
    beside = [each.split(".")[depth] for each in known if each.split(".")[:depth] == section]
    alike = get_close_matches(name, beside, n=1, cutoff=0.6)
    if alike:
        return say(lang, "near", key=".".join([*section, alike[0]]))
    last_names = {each.rpartition(".")[2]: each for each in reversed(known)}
    close = [last_names[each] for each in get_close_matches(name, last_names, n=1, cutoff=0.6)]
    return say(lang, "near", key=close[0]) if close else say(lang, "not_near")
