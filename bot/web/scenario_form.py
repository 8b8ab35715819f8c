"""The form of a scenario, as the page shows it and sends it back: what is on the form changes, all else is kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from pydantic import ConfigDict, Field

from bot.save.library import Kept
from bot.scenario import Character, Scenario, Side, parse, render
from bot.web.bodies import Body
from bot.web.texts import Denied

LORE_BUDGET = 512  # tokens, where the file does not say

MOST_WORDS = 400_000
Sampling = str | dict[str, Any]


class CharacterForm(Body):
    """`was`: the name under which the file has this character. None: the file's is kept; "": there is none."""

    name: str = Field(min_length=1, max_length=100)
    side: Side = "AI"
    was: str = Field("", max_length=1000)
    note: str | None = Field(None, max_length=MOST_WORDS)
    sampling: Sampling | None = None


class LoreForm(Body):
    """One entry of the lorebook. Keys that we do not know are kept."""

    model_config = ConfigDict(strict=True, frozen=True, extra="allow")

    name: str = Field("", max_length=1000)
    keys: list[str] = Field(max_length=1000)
    secondary: list[str] = Field([], max_length=1000)
    text: str = Field(max_length=MOST_WORDS)
    priority: int = 0
    enabled: bool = True
    constant: bool = False
    case: bool = False


class AuthorsNoteForm(Body):
    text: str = Field("", max_length=MOST_WORDS)
    depth: int = Field(4, ge=0, le=10_000)


class ScenarioForm(Body):
    """None: the file's is kept."""

    background: str | None = Field(None, max_length=MOST_WORDS)
    opening: str | None = Field(None, max_length=MOST_WORDS)
    characters: list[CharacterForm] | None = Field(None, max_length=200)
    form: Literal["", "name", "chat"] | None = None
    sampling: Sampling | None = None
    lorebook: list[LoreForm] | None = Field(None, max_length=5000)
    lore_budget: int | None = Field(None, ge=0, le=1_000_000)
    authors_note: AuthorsNoteForm | None = None

    def over(self, scenario: Scenario) -> Scenario:
        """The scenario with what is on the form. Raises Denied: two characters of one name, a name that cannot be."""
        cast = scenario.characters if self.characters is None else _cast(self.characters, scenario.characters)
        background = scenario.background if self.background is None else self.background
        opening = render(scenario.opening) if self.opening is None else self.opening
        background, opening = (self._with_new_names(text) for text in (background, opening))
        extra = _merged(
            scenario.extra,
            PromptForm=self.form,
            Sampling=self.sampling,
            Lorebook=None if self.lorebook is None else [entry.model_dump() for entry in self.lorebook],
            LoreBudget=self.lore_budget,
            AuthorsNote=None if self.authors_note is None else _note(self.authors_note),
        )
        said = parse(opening, [character.name for character in cast])
        return replace(scenario, background=background, opening=said, characters=cast, extra=extra)

    def _with_new_names(self, text: str) -> str:
        """Whoever got another name speaks under it."""
        renamed = self.renamed()
        if not renamed:
            return text
        names = "|".join(re.escape(name) for name in sorted(renamed, key=len, reverse=True))
        return re.sub(rf"(?m)^({names})(?=[ \t]*[:：])", lambda found: renamed[found[1]], text)

    def renamed(self) -> dict[str, str]:
        """The characters that got another name."""
        return {one.was: one.name for one in self.characters or () if one.was and one.was != one.name}


class NewScenario(ScenarioForm):
    series: str = Field(min_length=1, max_length=200)
    name: str = Field(min_length=1, max_length=200)


class Edit(ScenarioForm):
    """`digest`: of the scenario that the form was filled from."""

    digest: str = Field(max_length=100)


class OpeningText(Body):
    """`names`: who can speak in it."""

    text: str = Field(max_length=MOST_WORDS)
    names: list[str] = Field([], max_length=200)


class Place(Body):
    series: str = Field(min_length=1, max_length=200)
    name: str = Field(min_length=1, max_length=200)


class Copy(Body):
    name: str = Field("", max_length=200)


class InBin(Body):
    id: str = Field(max_length=300)


class Emptied(Body):
    """None: everything in the bin."""

    ids: list[str] | None = Field(None, max_length=10_000)


def form_json(kept: Kept) -> dict[str, Any]:
    """What `ScenarioForm.over` takes, filled from a scenario."""
    scenario, extra = kept.scenario, kept.scenario.extra
    return {
        "series": kept.series,
        "name": kept.name,
        "title": scenario.name,
        "digest": kept.digest,
        "changed": kept.changed,
        "background": scenario.background,
        "opening": render(scenario.opening),
        "characters": [character_json(character) for character in scenario.characters],
        "form": extra.get("PromptForm", ""),
        "sampling": extra.get("Sampling", ""),
        "lorebook": book if isinstance(book := extra.get("Lorebook", []), list) else None,  # another program's is kept
        "lore_budget": extra.get("LoreBudget", LORE_BUDGET),
        "authors_note": {
            "text": "",
            "depth": 4,
            **(note if isinstance(note := extra.get("AuthorsNote"), dict) else {}),
        },
    }


def character_json(character: Character) -> dict[str, Any]:
    note, sampling = character.extra.get("Note", ""), character.extra.get("Sampling", "")
    return {"name": character.name, "side": character.side, "note": note, "sampling": sampling}


def _cast(forms: list[CharacterForm], before: tuple[Character, ...]) -> tuple[Character, ...]:
    known = {character.name: character for character in before}
    names = [form.name for form in forms]
    for name in names:
        if names.count(name) > 1:
            raise _wrong_cast(f"{name} 写了两次 / is there twice")
    return tuple(_character(form, known.get(form.was or form.name)) for form in forms)


def _character(form: CharacterForm, before: Character | None) -> Character:
    extra = _merged(before.extra if before else {}, Note=form.note, Sampling=form.sampling)
    try:
        return Character(form.name, form.side, extra)
    except ValueError:
        wanted = "角色名不能有冒号、换行和首尾空格 / no colon, line break or outer spaces"
        raise _wrong_cast(f"{form.name} {wanted}") from None


def _wrong_cast(what: str) -> Denied:
    return Denied("bad_request", f"characters：{what}", fields={"characters": what})


def _note(form: AuthorsNoteForm) -> dict[str, Any]:
    return form.model_dump() if form.text.strip() else {}


def _merged(extra: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """None leaves a key as it is; what is empty takes it away."""
    merged = dict(extra)
    for key, value in changes.items():
        if value is not None:
            merged[key] = value
            if value in ("", [], {}):
                del merged[key]
    return merged
