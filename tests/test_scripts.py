"""The pages' modules, as text: nothing is imported or exported in vain."""

from __future__ import annotations

import re
from pathlib import Path

STATIC = Path(__file__).parents[1] / "bot" / "web" / "static"
SCRIPTS = {path: path.read_text(encoding="utf-8") for path in sorted(STATIC.rglob("*.js"))}

_IMPORT = re.compile(r"^import \{([^}]*)\} from", re.MULTILINE)
_EXPORT = re.compile(r"^export (?:async )?(?:function\*?|const|let|class) (\w+)", re.MULTILINE)


def imported(text: str) -> list[str]:
    """The names that a module imports, as it calls them."""
    return [
        name.split(" as ")[-1].strip() for names in _IMPORT.findall(text) for name in names.split(",") if name.strip()
    ]


def times(name: str, text: str) -> int:
    return len(re.findall(rf"(?<![\w$]){re.escape(name)}(?![\w$])", text))


def test_what_is_imported_is_used() -> None:
    vain = [(path.name, name) for path, text in SCRIPTS.items() for name in imported(text) if times(name, text) < 2]
    assert any(imported(text) for text in SCRIPTS.values())
    assert vain == []


def test_what_is_exported_is_used_elsewhere() -> None:
    for path, text in SCRIPTS.items():
        for name in _EXPORT.findall(text):
            assert any(times(name, other) for there, other in SCRIPTS.items() if there != path), (path.name, name)
