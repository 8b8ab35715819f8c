"""Who touches the disk: bot.save alone writes under Save/, and what is called pure reads and writes nothing."""

from __future__ import annotations

import ast

import pytest

from tests.syntax import called, calls_in, imports, modules

# Whoever else writes, and where. None of it is under Save/.
ELSEWHERE = {
    "bot.scenario_commands": "the file that a person named for an export",
    "bot.web.tokens": "the user's configuration folder",
    "bot.engine.states.folder": "the cache folder",
    "bot.engine.states.whole_files": "the cache folder",
    "bot.engine.kernels.build": "compiled kernels, in the cache folder",
    "bot.engine.models.convert": "the model file that a person named",
    "bot.engine.models.part": "the folder of models",
    "bot.engine.bench.contender": "its own output",
    "bot.engine.worker": "its own output",
    "moderation.commands": "the word list that a person named",
}
CHANGES = {
    *("write_text", "write_bytes", "touch", "truncate", "mkdir", "makedirs", "rename", "renames", "unlink", "rmdir"),
    *("rmtree", "copyfile", "copyfileobj", "copytree", "copy2", "symlink_to", "hardlink_to", "chmod", "mkstemp"),
    *("mkdtemp", "removedirs", "extractall", "NamedTemporaryFile"),
}
PURE = (
    "bot.cards",
    "bot.chapter",
    "bot.figures",
    "bot.desk.story",
    "bot.desk.steps",
    "bot.desk.history",
    "bot.desk.tree",
)
OUTSIDE = {"os", "shutil", "tempfile", "socket", "sqlite3", "subprocess", "asyncio", "threading", "random", "secrets"}
OUTWARD = CHANGES | {"open", "read_text", "read_bytes", "now", "utcnow", "today", "time", "monotonic", "uuid1", "uuid4"}


def writes(call: ast.Call) -> bool:
    """Whether this may change what is on a disk, as far as its own words say."""
    match called(call):
        case "open" | "fdopen":
            return opens_to_write(call)
        case "connect":
            return ast.unparse(call.func) == "sqlite3.connect"
        case "replace":  # a text's takes two texts; dataclasses' and a date's take names
            of_os = ast.unparse(call.func) == "os.replace"
            return of_os or (isinstance(call.func, ast.Attribute) and len(call.args) == 1 and not call.keywords)
        case "remove" | "move" | "copy" | "link" | "symlink":  # lists and mappings have some of them, too
            return ast.unparse(call.func).startswith(("os.", "shutil."))
        case name:
            return name in CHANGES


def opens_to_write(call: ast.Call) -> bool:
    """By mode or flags; `desk.open(…)` has neither."""
    words = [*call.args, *(keyword.value for keyword in call.keywords)]
    modes = {word.value for word in words if isinstance(word, ast.Constant) and isinstance(word.value, str)}
    flags = any(f"os.O_{flag}" in ast.unparse(word) for word in words for flag in ("WRONLY", "RDWR", "CREAT"))
    return flags or any(set(mode) <= set("rwaxbt+") and set(mode) & set("wax+") for mode in modes)


@pytest.mark.parametrize(
    "words",
    [
        *('open("a", "w")', 'path.open("xb")', 'path.open(mode="a")', 'open(os.open(path, os.O_CREAT), "r")'),
        *('path.write_text("a")', "part.replace(path)", "os.replace(a, b)", "path.unlink(missing_ok=True)"),
        *("shutil.rmtree(folder)", "os.remove(path)", "sqlite3.connect(path)", "shutil.move(a, b)"),
    ],
)
def test_what_writes_is_seen(words: str) -> None:
    assert next(writes(call) for call in calls_in(ast.parse(words)))


@pytest.mark.parametrize(
    "words",
    [
        *(
            'open("config.yaml")',
            'path.open("rb")',
            "desk.open(series, name)",
            'text.replace("a", "b")',
            "replace(line, text=a)",
        ),
        *("moment.replace(day=1)", "lines.remove(one)", "headers.copy()", "socket.connect(address)"),
    ],
)
def test_what_does_not_write_is_left_alone(words: str) -> None:
    assert not any(writes(call) for call in calls_in(ast.parse(words)))


def test_only_save_writes_under_the_folder() -> None:
    """Everybody who writes elsewhere is named above, and nobody is named who does not."""
    found = {module for module, tree in modules() if any(writes(call) for call in calls_in(tree))}
    ours = {module for module in found if module.startswith("bot.save.")}
    assert {"bot.save.database", "bot.save.files", "bot.save.library", "bot.save.recorder"} <= ours
    assert found - ours == set(ELSEWHERE)


def test_what_is_pure_asks_nobody() -> None:
    """No disk, no clock, no dice, no network. Two read their own style sheet when they are loaded."""
    pure = [(module, tree) for module, tree in modules() if module.startswith(PURE)]
    assert len(pure) > 30
    for module, tree in pure:
        assert not {imported.split(".")[0] for imported in imports(tree)} & OUTSIDE, module
    found = {
        (module, ast.unparse(call.func))
        for module, tree in pure
        for call in calls_in(tree)
        if called(call) in OUTWARD and not ast.unparse(call.func).startswith("packed.")  # an archive in memory
    }
    style = "(Path(__file__).parent / '{}.css').read_text".format
    assert found == {("bot.chapter.epub", style("book")), ("bot.chapter.page", style("page"))}
