"""Reads fields of decoded JSON from elsewhere; every mistake is noted with its place and told at the end."""

from __future__ import annotations

import json
from typing import Any

from bot.scenario import ScenarioError


class Fields:
    """An object of a file. A field that is missing or null is empty; one of another type is a mistake."""

    def __init__(self, value: object, file: str, where: str = "", mistakes: list[ScenarioError] | None = None) -> None:
        self.file, self.where = file, where
        self.mistakes: list[ScenarioError] = [] if mistakes is None else mistakes
        self.raw: dict[str, Any] = value if isinstance(value, dict) else {}
        if not isinstance(value, dict):
            self.wrong("", value, "应为对象 / must be an object")

    def wrong(self, key: str, value: object, wanted: str) -> None:
        shown = json.dumps(value, ensure_ascii=False)
        shown = shown if len(shown) <= 40 else shown[:40] + "…"
        self.mistakes.append(ScenarioError(self.file, self.place(key) or "最外层", f"{wanted}，现为 {shown}。"))

    def place(self, key: str) -> str:
        return ".".join(part for part in (self.where, key) if part)

    def text(self, key: str) -> str:
        value = self.raw.get(key)
        if value is None or isinstance(value, str):
            return value or ""
        self.wrong(key, value, "应为文字 / must be a text")
        return ""

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.raw.get(key)
        if value is None:
            return ()
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return tuple(value)
        self.wrong(key, value, "应为文字的列表 / must be a list of texts")
        return ()

    def flag(self, key: str, otherwise: bool = False) -> bool:
        value = self.raw.get(key)
        if value is None or isinstance(value, bool):
            return otherwise if value is None else value
        self.wrong(key, value, "应为 true 或 false / must be true or false")
        return otherwise

    def number(self, key: str, otherwise: int | None = None) -> int | None:
        """Fractions are rounded."""
        value = self.raw.get(key)
        if value is None:
            return otherwise
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**53:
            return round(value)
        self.wrong(key, value, "应为数字 / must be a number")
        return otherwise

    def inner(self, key: str) -> Fields | None:
        """An object within; None when there is none."""
        value = self.raw.get(key)
        return None if value is None else Fields(value, self.file, self.place(key), self.mistakes)

    def each(self, key: str) -> list[Fields]:
        """The objects of a list."""
        value = self.raw.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.wrong(key, value, "应为列表 / must be a list")
            return []
        return [Fields(one, self.file, f"{self.place(key)}[{n}]", self.mistakes) for n, one in enumerate(value)]

    def finish(self) -> None:
        """Raises ScenarioError with every mistake, if there was one."""
        if self.mistakes:
            first, *more = self.mistakes
            raise ScenarioError(first.file, first.where, first.problem, more)
