"""RWKV-Drama's folders come in, are fed and go out without loss."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cards import Kind, archive, read, writing
from bot.save.library import Library, New
from bot.scenario import Log, Origin, Scenario, ScenarioError, dump_log, dump_scenario, parse_log, render
from tests.cards.people import picture
from tests.test_scenario import lines, scenarios

SERIES, NAME, LOG = "雾港修表铺", "00001.开端", "20230722-2215_Log.json"
FOLDER = Path(__file__).parents[1] / "fixtures" / "drama_folder" / SERIES / NAME
FILES = {path.name: path.read_bytes() for path in FOLDER.iterdir()}


def same_json(left: bytes, right: bytes) -> bool:
    return bool(json.loads(left) == json.loads(right))


def test_the_sample_is_built_like_theirs() -> None:
    """A scenario, a picture, and 65 lines with all five tags, of which the last ones have an id."""
    chat = json.loads(FILES[LOG])["Chat"]
    tags = Counter(line["InputTag"] for line in chat)
    assert len(chat) == 65
    assert tags == {"用户输入": 28, "模型生成": 25, "初始对话": 6, "系统提示": 3, "模型生成(人工编辑)": 3}
    assert [("UUID" in line) for line in chat] == [False] * 60 + [True] * 5
    assert {line["Character"] for line in chat} == {"系统提示", "旁白", "阿砚", "我"}


def test_a_folder_opens_as_it_is_and_goes_out_as_it_was() -> None:
    """Nothing is written for it, and every file leaves with the same words."""
    library = Library(FOLDER.parents[1])
    (listed,) = library.listing()
    assert (listed.series, listed.name, listed.avatars, listed.problem) == (SERIES, NAME, {"阿砚"}, "")
    assert [(log.file, log.lines, log.problem) for log in listed.logs] == [(LOG, 65, "")]
    kept = library.read(SERIES, NAME)
    assert same_json(writing.drama_file(kept.scenario), FILES["场景剧本.json"])
    assert same_json(dump_log(library.read_log(SERIES, NAME, LOG)).encode(), FILES[LOG])
    assert {path.name: path.read_bytes() for path in FOLDER.iterdir()} == FILES


def test_a_scenario_and_its_log_come_in(tmp_path: Path) -> None:
    """As two files, and as a zip of the folder: on the disk they say what they said, and the same is fed."""
    (scenario,) = read(FILES["场景剧本.json"], "场景剧本.json")
    (log,) = read(FILES[LOG], LOG)
    (folder,) = read(writing.folder_file(SERIES, NAME, FILES), "雾港.zip")
    assert (scenario.kind, log.kind, folder.kind) == (Kind.SCENARIO, Kind.LOG, Kind.FOLDER)
    library = Library(tmp_path / "Save")
    library.take_in([New(folder.scenario, folder.avatars, folder.logs, folder.place)])
    library.take_in([New(scenario.scenario, logs=log.logs)])
    for name in (NAME, f"{NAME} 2"):
        contents = library.contents(SERIES, name)
        assert same_json(contents["场景剧本.json"], FILES["场景剧本.json"]) and contents[LOG] == FILES[LOG]
        original = parse_log(FILES[LOG].decode())
        assert library.read_log(SERIES, name, LOG) == original
        assert render(library.read(SERIES, name).scenario.lines) == render(original.scenario.lines)
    example = json.loads(FILES["场景剧本.json"])
    assert render(scenario.scenario.lines) == f"{example['Prompt']}\n\n{example['Example']}"


def test_a_zip_comes_back_the_same(tmp_path: Path) -> None:
    """Picture and log included; a picture loses its metadata only."""
    library = Library(tmp_path / "Save")
    (found,) = read(writing.folder_file(SERIES, NAME, FILES), "x.zip")
    library.take_in([New(found.scenario, found.avatars, found.logs, found.place)])
    (again,) = read(writing.folder_file(SERIES, NAME, library.contents(SERIES, NAME)), "x.zip")
    assert again == found and found.avatars.keys() == {"阿砚"}


@settings(max_examples=60)
@given(scenarios(), st.lists(lines, max_size=4))
def test_any_scenario_and_log_come_back_from_their_files(scenario: Scenario, said: list) -> None:  # type: ignore[type-arg]
    """From a file each, and from a zip of the folder."""
    log = dump_log(Log(scenario, tuple(said))).encode()
    assert read(dump_scenario(scenario).encode(), "场景剧本.json")[0].scenario == scenario
    (found,) = read(log, "20240101-0000_Log.json")
    assert found.scenario == scenario and parse_log(found.logs["20240101-0000_Log.json"].decode()).lines == tuple(said)
    files = {"场景剧本.json": dump_scenario(scenario).encode(), "20240101-0000_Log.json": log}
    (folder,) = read(archive.pack({f"a/b/{name}": content for name, content in files.items()}), "a.zip")
    assert (folder.scenario, dict(folder.logs), folder.place) == (scenario, {"20240101-0000_Log.json": log}, ("a", "b"))


def test_several_folders_come_in_one_zip() -> None:
    """Those of a whole Save/, with what is no scenario's left out and told; a log without a folder counts, too."""
    scenario = FILES["场景剧本.json"]
    members = {"Save/甲/一/场景剧本.json": scenario, "Save/甲/二/场景剧本.json": scenario, "Save/甲/二/笔记.txt": b"x"}
    found = read(archive.pack(members | {"别处/20240101-0000_Log.json": FILES[LOG]}), "all.zip")
    assert [(one.kind, one.place) for one in found] == [
        (Kind.FOLDER, ("甲", "一")), (Kind.FOLDER, ("甲", "二")), (Kind.LOG, None)
    ]  # fmt: skip
    assert "笔记.txt" in found[1].notes[0]


def test_a_mistake_in_a_zip_says_in_which_file() -> None:
    """And nothing of the rest is taken."""
    bad_log = dump_log(Log(Scenario("a", "b"), ())).replace('"Chat": []', '"Chat": [3]')
    for name, content in (("甲/一/20240101-0000_Log.json", bad_log.encode()), ("甲/一/阿砚.png", b"\x89PNG\r\n\x1a\n")):
        with pytest.raises(ScenarioError, match=f"^{name}"):
            read(archive.pack({"甲/一/场景剧本.json": FILES["场景剧本.json"], name: content}), "a.zip")


def test_lines_of_every_origin_keep_it() -> None:
    """Five tags in, five tags out."""
    log = parse_log(FILES[LOG].decode())
    assert {line.origin for line in log.lines} == set(Origin)


def test_a_picture_of_a_zip_is_cleaned() -> None:
    """Where somebody took it is nobody's business."""
    members = {"甲/一/场景剧本.json": FILES["场景剧本.json"], "甲/一/阿砚.png": picture()}
    (found,) = read(archive.pack(members), "a.zip")
    assert b"home" not in found.avatars["阿砚"] and PurePosixPath("甲/一").parts == found.place
