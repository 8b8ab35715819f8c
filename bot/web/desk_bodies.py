"""The JSON bodies of the desk's POST requests, checked. The orders themselves are in bot/desk/orders.py."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import Field

from bot.desk.drafting import Wanted
from bot.desk.orders import AnyOrder, Id, Name
from bot.desk.scratch import Edit, Scratch
from bot.web.bodies import Body, Seen

MOST_SCRATCH = 20_000  # characters: what is pasted to be cut into lines
SCRATCH_LIMIT = 256 * 1024  # bytes: all boxes of a tab, as full as they may be


class NewScene(Body):
    """A scene of a scenario, from its opening or from one of its logs; or, with `show` (series/name), of what was aired
    live, with `day` only of what was aired then."""

    series: str = Field("", max_length=200)
    name: str = Field("", max_length=200)
    log: str = Field("", max_length=200)
    show: str = Field("", max_length=400)
    day: date | None = None
    title: Name = ""


class Nothing(Body):
    """All is said by the address."""


class Do(Seen):
    order: AnyOrder


class Drafts(Seen):
    """`ask`: the one that more drafts are for. `sampling`: a preset's name, or values over the usual ones. `continue`: the
    line that the drafts go on with."""

    character: Name = ""
    count: int = Field(4, ge=1, le=8)
    start_with: str = Field("", max_length=500)
    min_length: int = Field(0, ge=0, le=1000)
    hint: str = Field("", max_length=500)
    sampling: str | dict[str, Any] | None = None
    continues: Id = Field("", alias="continue")
    ask: Id = ""

    def wanted(self) -> Wanted:
        return Wanted(**self.model_dump(exclude={"revision"}))


class AskOf(Body):
    ask: Id


class SummaryOf(Body):
    """`last`: how many lines at the end need not be summed up."""

    last: int = Field(ge=0, le=1000)


class EditOf(Body):
    id: Id
    character: Name = ""
    text: str = Field("", max_length=MOST_SCRATCH)
    cursor: int = Field(0, ge=0)


class ScratchOf(Body):
    tab: str = Field(min_length=1, max_length=100)
    text: str = Field("", max_length=MOST_SCRATCH)
    cursor: int = Field(0, ge=0)
    character: Name = ""
    mode: str = Field("", max_length=20)
    writer: Name = ""
    start: str = Field("", max_length=500)
    hint: str = Field("", max_length=500)
    edit: EditOf | None = None

    def scratch(self) -> Scratch:
        edit = None if self.edit is None else Edit(**self.edit.model_dump())
        return Scratch(**self.model_dump(exclude={"tab", "edit"}), edit=edit)
