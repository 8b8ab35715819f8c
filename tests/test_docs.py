"""README and its kin say what is so: these fail when the documents lag behind the program."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import bot
import start
from bot.__main__ import command_line
from bot.approval import TABLE, Action, State
from bot.scenario import parse_scenario

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
STATIC = ROOT / "bot" / "web" / "static"

DOCUMENTS = ["README.md", "CONTRIBUTING.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]

CHINESE, ENGLISH = README.split("# In English", 1)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    """Pictures too."""
    file = ROOT / document
    found = re.findall(r'\]\(([^)#]+)\)|src="([^"]+)"', file.read_text(encoding="utf-8"))
    targets = [link or picture for link, picture in found]
    assert [target for target in targets if "://" not in target and not (file.parent / target).exists()] == []


def test_anchors_have_headings() -> None:
    """A link to a part of the page is spelt as the heading is."""
    headings = {heading.strip().lower().replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", README, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= headings


def test_commands_exist() -> None:
    """Every command that a reader may copy is one that the program takes."""
    text = "\n".join((ROOT / document).read_text(encoding="utf-8") for document in DOCUMENTS)
    commands = re.findall(r"^python3 start\.py(.*?)(?:#.*)?$|`python3 start\.py([^`]*)`", text, re.MULTILINE)
    assert len(commands) >= 20
    for block, inline in commands:
        program, arguments = start.route(shlex.split(block or inline))
        if program == "cohost":
            command_line().parse_args(arguments)


def test_files_that_are_named_are_there() -> None:
    """Those of the program, in backticks."""
    for document in DOCUMENTS:
        text = (ROOT / document).read_text(encoding="utf-8")
        named = re.findall(r"`((?:bot|adapters|moderation|tests|tools|docs)/[\w./-]*)`", text)
        assert [path for path in named if not (ROOT / path).exists()] == [], document


def test_what_a_writer_is_told_to_press_is_there() -> None:
    """Whatever stands in “…” about the desk are words of a page, letter by letter; a count in them may be left out."""
    guide = (ROOT / "docs" / "desk.md").read_text(encoding="utf-8").split("# The script desk")[0]
    section = CHINESE.split("\n## 写作台\n")[1].split("\n## ")[0]
    told = re.findall(r"“([^”]+)”", guide + section)
    pages = "".join(file.read_text(encoding="utf-8") for file in [*STATIC.rglob("texts.js"), STATIC / "page.js"])
    words = {re.sub(r"（\{n\}）$", "", text) for text in re.findall(r'": \["([^"]+)",', pages)}
    assert len(told) >= 40
    assert [text for text in told if text not in words] == []


@pytest.mark.parametrize("part", [CHINESE, ENGLISH], ids=["zh", "en"])
def test_state_table_is_the_programs(part: str) -> None:
    """Each change of state stands in the row of its state, and no other does."""
    rows = [row.split("|")[1:4] for row in part.splitlines() if row.startswith("| ") and "`" in row]
    table = {state: row[2] for row in rows for state in re.findall(r"`(\w+)`", row[0]) if state in set(State)}
    assert set(table) == set(State)
    for state, actions in TABLE.items():
        assert len(re.findall(r"→", table[state])) == len(actions), state


def test_state_table_names_where_each_action_leads() -> None:
    """The Chinese table: the word for the action, and the word for the state."""
    actions = {
        Action.APPROVE: "认可", Action.REJECT: "丢弃", Action.EXPIRE: "超时", Action.AIR: "播出",
        Action.UNDO: "撤销", Action.RECALL: "撤回", Action.FINISH: "时间到",
    }  # fmt: skip
    states = {
        State.PENDING: "等待中", State.APPROVED: "已认可", State.AIRED: "播出中", State.DONE: "已播出",
        State.REJECTED: "已丢弃", State.EXPIRED: "已过期", State.RECALLED: "已撤回",
    }  # fmt: skip
    for state, row in TABLE.items():
        line = next(line for line in CHINESE.splitlines() if line.startswith("| ") and f"`{state}`" in line)
        for action, leads_to in row.items():
            assert f"{actions[action]} → {states[leads_to]}" in line


@pytest.mark.parametrize("part", [CHINESE, ENGLISH], ids=["zh", "en"])
def test_overlay_parameters_are_those_of_the_page(part: str) -> None:
    """Each that the page reads is explained."""
    script = (STATIC / "overlay.js").read_text(encoding="utf-8")
    read = set(re.findall(r'(?:query\.(?:get|has)|number|chosen)\("(\w+)"', script)) - {"token"}
    assert read
    assert {name for name in read if not re.search(rf"`{name}[`=]|[ `]{name}`", part)} == set()


def test_keys_are_those_of_the_panel() -> None:
    """The table of keys has each command's first key."""
    script = (STATIC / "keys.js").read_text(encoding="utf-8")
    commands = re.search(r"COMMANDS = \[(.*?)\];", script, re.DOTALL)
    assert commands
    first = re.findall(r'keys: \["([^"]+)"', commands[1])
    shown = {"Escape Escape": "`Esc` `Esc`", "1": "`1`–`5`"}
    table = CHINESE[CHINESE.index("### 按键") : CHINESE.index("### 手机")]
    for key in first:
        words = shown.get(key, f"`{'Shift+' + key[6:].upper() if key.startswith('shift+') else key.upper()}`")
        assert words in table, key


def test_scenario_in_the_readme_is_one() -> None:
    """A reader who copies it has a character that speaks."""
    (example,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    scenario = parse_scenario(example)
    assert (scenario.series, scenario.name, scenario.speaker) == ("日常", "夜谈", "小禾")
    assert [line.character for line in scenario.opening] == ["观众", "小禾"]


def test_changelog_begins_with_this_version() -> None:
    """The version of the package is the newest that is described."""
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert version
    assert newest
    assert newest[1] == version[1]


def test_the_map_of_the_program_is_whole() -> None:
    """Each file and each package under bot/ has its line, and nothing else has."""
    here = [path for path in (ROOT / "bot").iterdir() if not path.name.startswith("_")]
    there = {path.stem for path in here if path.suffix == ".py"} | {f"{path.name}/" for path in here if path.is_dir()}
    named = re.findall(r"^ {4}(\S+) {2,}\S", bot.__doc__ or "", re.MULTILINE)
    assert sorted(named) == sorted(there)
