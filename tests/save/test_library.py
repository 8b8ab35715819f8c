"""The library of scenarios, on a real folder: nothing leaves Save/, nothing is overwritten, nothing is half done."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import Refused, UserError
from bot.save import SaveError, files
from bot.save.library import BIN, Library, New
from bot.scenario import SCENARIO_FILE, Character, Line, Log, Origin, Scenario, dump_log, dump_scenario
from tests.save.test_names import HOSTILE, any_name

SCENE = Scenario("雾岛", "初见", "雾很大", (), (Character("小麦"), Character("我", "User")), {"Author": "某人"})
LOG = Log(SCENE, (Line("小麦", "早。", Origin.MODEL),))
NOON = 1_700_000_000.0


@pytest.fixture
def library(tmp_path: Path) -> Library:
    (tmp_path / "Save").mkdir()
    return Library(tmp_path / "Save", clock=lambda: NOON)


def save(tmp_path: Path) -> Path:
    return tmp_path / "Save"


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below, hidden ones too."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def names(library: Library) -> list[str]:
    return [f"{one.series}/{one.name}" for one in library.listing()]


# ---- reading and writing ----------------------------------------------------------------------------------------


def test_what_was_kept_is_read_again(library: Library) -> None:
    """Folder, scenario, pictures and logs."""
    kept = library.create(SCENE, avatars={"小麦": b"png"}, logs={"20240101-0000_Log.json": dump_log(LOG).encode()})
    assert (kept.series, kept.name, kept.scenario) == ("雾岛", "初见", SCENE)
    (listed,) = library.listing()
    assert (listed.scenario, listed.avatars, listed.problem) == (SCENE, {"小麦"}, "")
    assert [(log.file, log.lines) for log in listed.logs] == [("20240101-0000_Log.json", 1)]
    assert library.read_log("雾岛", "初见", "20240101-0000_Log.json") == LOG
    assert library.avatars("雾岛", "初见")["小麦"].read_bytes() == b"png"


def test_a_name_that_no_folder_can_have_is_kept_as_the_title(library: Library) -> None:
    """The folder is the identity, the file says what the person typed."""
    kept = library.create(Scenario("雾/岛", "12: 30?", characters=(Character("甲/乙"),)), avatars={"甲/乙": b"png"})
    assert (kept.series, kept.name) == ("雾／岛", "12： 30？")
    assert (kept.scenario.series, kept.scenario.name) == ("雾/岛", "12: 30?")
    assert library.avatar(kept.series, kept.name, "甲/乙") is not None
    assert library.find("雾/岛", "12: 30?") == library.find(kept.series, kept.name) == (kept.series, kept.name)


def test_a_broken_file_is_listed_with_its_mistake(library: Library, tmp_path: Path) -> None:
    """The others are listed as ever; mending the file mends the list."""
    library.create(SCENE)
    for folder, content in (("坏", b"{"), ("空", None)):
        path = save(tmp_path) / "雾岛" / folder
        path.mkdir()
        (path / ("20240101-0000_Log.json" if content is None else SCENARIO_FILE)).write_bytes(content or b"[]")
    problems = {one.name: one.problem for one in library.listing()}
    assert problems["初见"] == "" and "第 1 行" in problems["坏"] and SCENARIO_FILE in problems["空"]
    (log,) = next(one.logs for one in library.listing() if one.name == "空")
    assert log.lines is None and "最外层" in log.problem
    (save(tmp_path) / "雾岛" / "坏" / SCENARIO_FILE).write_text(dump_scenario(SCENE), encoding="utf-8")
    assert next(one.problem for one in library.listing() if one.name == "坏") == ""


def test_a_file_that_has_not_changed_is_not_read_again(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long list stays quick."""
    library.create(SCENE, logs={"20240101-0000_Log.json": dump_log(LOG).encode()})
    library.listing()
    monkeypatch.setattr(files, "read_bytes", lambda path: pytest.fail(f"{path} was read"))
    assert names(library) == ["雾岛/初见"]


def test_an_edit_needs_what_was_read(library: Library) -> None:
    """Two tabs do not overwrite each other; unknown keys are kept."""
    kept = library.create(SCENE)
    first = library.edit("雾岛", "初见", Scenario("雾岛", "初见", "一"), kept.digest)
    with pytest.raises(Refused) as refused:
        library.edit("雾岛", "初见", Scenario("雾岛", "初见", "二"), kept.digest)
    assert refused.value.code == "stale_revision"
    assert library.read("雾岛", "初见") == first and first.scenario.background == "一"
    assert library.edit("雾岛", "初见", first.scenario, first.digest).digest == first.digest


def test_of_many_who_edit_at_once_one_is_first(library: Library) -> None:
    """The others are told, and no word of theirs is mixed in."""
    digest, outcomes = library.create(SCENE).digest, []

    def edit(number: int) -> None:
        try:
            library.edit("雾岛", "初见", Scenario("雾岛", "初见", str(number) * 1000), digest)
            outcomes.append(number)
        except Refused:
            pass

    threads = [threading.Thread(target=edit, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 1
    assert library.read("雾岛", "初见").scenario.background == str(outcomes[0]) * 1000


def test_a_name_that_is_taken_is_told(library: Library) -> None:
    """Also where only case or the way of composing letters differs, which is one name on many disks."""
    library.create(Scenario("Caf\u00e9", "Anna"))
    for series, name in (("Café", "Anna"), ("CAFE\u0301", "ANNA"), ("cafe\u0301", "anna.")):
        with pytest.raises(Refused) as refused:
            library.create(Scenario(series, name))
        assert refused.value.code == "name_taken"
    library.create(Scenario("cafe\u0301", "Bo"))
    assert names(library) == ["Caf\u00e9/Anna", "Caf\u00e9/Bo"]


def test_other_folders_of_save_are_no_series(library: Library, tmp_path: Path) -> None:
    """Recordings, the database and hidden things are left alone."""
    (save(tmp_path) / "show.db").write_bytes(b"db")
    with pytest.raises(Refused, match="系列不能叫"):
        library.create(Scenario("RECORDINGS", "一"))
    (save(tmp_path) / "recordings" / "bilibili").mkdir(parents=True)
    for series in ("recordings", "Recordings", "show.db"):
        with pytest.raises(Refused, match="系列不能叫"):
            library.create(Scenario(series, "一"))
    assert names(library) == []


# ---- moving -----------------------------------------------------------------------------------------------------


def test_a_scenario_gets_another_name(library: Library) -> None:
    """Folder and title, with everything in it; a series that is empty then goes."""
    library.create(SCENE, avatars={"小麦": b"png"})
    assert library.rename("雾岛", "初见", "新/岛", "再见") == ("新／岛", "再见")
    assert names(library) == ["新／岛/再见"] and not (library.folder("新／岛", "再见").parents[1] / "雾岛").exists()
    kept = library.read("新／岛", "再见")
    assert (kept.scenario.series, kept.scenario.name, kept.scenario.extra) == ("新/岛", "再见", SCENE.extra)
    assert library.avatar("新／岛", "再见", "小麦") is not None
    library.rename("新／岛", "再见", "新/岛", "再见")
    assert names(library) == ["新／岛/再见"]


def test_a_name_may_change_its_case(library: Library) -> None:
    """It is its own twin, which does not stand in the way; another one does."""
    library.create(Scenario("s", "anna"))
    assert library.rename("s", "anna", "s", "Anna") == ("s", "Anna")
    library.create(Scenario("s", "bo"))
    with pytest.raises(Refused, match="已经有"):
        library.rename("s", "bo", "s", "ANNA")
    assert names(library) == ["s/Anna", "s/bo"]


def test_a_copy_has_pictures_and_no_logs(library: Library) -> None:
    """A second copy gets a number, a name of one's own choice is taken or refused."""
    library.create(SCENE, avatars={"小麦": b"png"}, logs={"20240101-0000_Log.json": dump_log(LOG).encode()})
    assert library.duplicate("雾岛", "初见") == ("雾岛", "初见 副本")
    assert library.duplicate("雾岛", "初见") == ("雾岛", "初见 副本 2")
    assert library.contents("雾岛", "初见 副本").keys() == {SCENARIO_FILE, "小麦.png"}
    assert library.read("雾岛", "初见 副本").scenario.name == "初见 副本"
    with pytest.raises(Refused, match="已经有"):
        library.duplicate("雾岛", "初见", "初见 副本")


def test_the_bin_gives_back_what_it_was_given(library: Library, tmp_path: Path) -> None:
    """Every file of it; under another name when its own is taken by now."""
    library.create(SCENE, avatars={"小麦": b"png"}, logs={"20240101-0000_Log.json": dump_log(LOG).encode()})
    before = tree(save(tmp_path))
    first = library.discard("雾岛", "初见")
    assert names(library) == [] and [(one.series, one.name) for one in library.binned()] == [("雾岛", "初见")]
    assert not (save(tmp_path) / "雾岛").exists()
    assert library.restore(first) == ("雾岛", "初见") and tree(save(tmp_path)) == before
    second = library.discard("雾岛", "初见")
    library.create(SCENE)
    assert second == library.binned()[0].id and library.restore(second) == ("雾岛", "初见 2")
    assert library.binned() == [] and names(library) == ["雾岛/初见", "雾岛/初见 2"]


def test_two_of_one_name_lie_in_the_bin_side_by_side(library: Library) -> None:
    """Emptying it deletes for good, one or all; what is not there is told."""
    ids = []
    for background in ("一", "二"):
        library.create(Scenario("雾岛", "初见", background))
        ids.append(library.discard("雾岛", "初见"))
    assert len({*ids}) == 2 and library.empty((ids[0],)) == 1
    with pytest.raises(Refused):
        library.restore(ids[0])
    with pytest.raises(Refused):
        library.empty((ids[1], "nothing"))
    assert library.restore(ids[1]) == ("雾岛", "初见") and library.read("雾岛", "初见").scenario.background == "二"
    library.discard("雾岛", "初见")
    assert library.empty() == 1 and library.binned() == [] and library.empty() == 0


# ---- logs and pictures ------------------------------------------------------------------------------------------


def test_logs_of_one_minute_have_names_of_their_own(library: Library) -> None:
    """Nothing is overwritten; the newest is first."""
    library.create(SCENE)
    written = [library.write_log("雾岛", "初见", LOG) for _ in range(3)]
    stem = written[0].removesuffix("_Log.json")
    assert written == [f"{stem}_Log.json", f"{stem}-2_Log.json", f"{stem}-3_Log.json"]
    assert [log.file for log in library.logs("雾岛", "初见")] == written[::-1]
    assert library.add_log("雾岛", "初见", dump_log(LOG).encode(), "20200101-0000_Log.json") == "20200101-0000_Log.json"
    for hostile in ("../x_Log.json", "_Log.json", "a_Log.json", "20200101-0000_Log.json\n", ".."):
        assert library.add_log("雾岛", "初见", b"{}", hostile).startswith(stem)


def test_a_picture_takes_the_place_of_the_old_one(library: Library) -> None:
    """It follows a character who gets another name, and goes when it is told to."""
    library.create(SCENE)
    for content in (b"one", b"two"):
        library.write_avatar("雾岛", "初见", "小麦", content)
    assert library.avatars("雾岛", "初见")["小麦"].read_bytes() == b"two"
    library.rename_avatar("雾岛", "初见", "小麦", "小豆")
    assert library.avatar("雾岛", "初见", "小麦") is None
    library.remove_avatar("雾岛", "初见", "小豆")
    with pytest.raises(Refused):
        library.remove_avatar("雾岛", "初见", "小豆")


# ---- all or nothing ---------------------------------------------------------------------------------------------


def test_a_full_disk_leaves_nothing_half_done(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a new folder, nor half of an import, nor half a file, whichever write it is that fails."""
    kept = library.create(SCENE, avatars={"小麦": b"png"})
    before = tree(save(tmp_path))
    two = [New(Scenario("s", name), {"a": b"png"}) for name in ("一", "二")]
    works: list[tuple[int, Callable[[], object]]] = [
        (4, lambda: library.take_in(two)),
        (2, lambda: library.duplicate("雾岛", "初见")),
        (1, lambda: library.write_avatar("雾岛", "初见", "小麦", b"new")),
        (1, lambda: library.write_log("雾岛", "初见", LOG)),
        (1, lambda: library.edit("雾岛", "初见", Scenario("雾岛", "初见", "新"), kept.digest)),
    ]
    write, room = os.write, 0

    def full(handle: int, content: bytes) -> int:
        nonlocal room
        room -= 1
        if room < 0:
            raise OSError(28, "No space left on device")
        return write(handle, content)

    monkeypatch.setattr(os, "write", full)
    for writes, work in works:
        for allowed in range(writes):
            room = allowed
            with pytest.raises(SaveError, match="No space left"):
                work()
            assert tree(save(tmp_path)) == before and names(library) == ["雾岛/初见"]
    room = 1000
    assert [work() for _, work in works] and len(names(library)) == 4


def test_an_import_that_loses_a_race_leaves_nothing(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program has made a folder of that name a moment ago: neither it nor the first of the import is kept by us."""
    real = Path.rename

    def rename(path: Path, target: Path) -> Path:
        if target.name == "二":
            target.mkdir(parents=True)
            (target / SCENARIO_FILE).write_text(dump_scenario(SCENE), encoding="utf-8")
        return real(path, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(SaveError):
        library.take_in([New(Scenario("s", "一")), New(Scenario("s", "二"))])
    assert [one.name for one in library.listing()] == ["二"] and library.read("s", "二").scenario == SCENE
    assert [path.name for path in save(tmp_path).iterdir()] == ["s"]


def test_what_a_killed_program_left_is_swept_away(library: Library, tmp_path: Path) -> None:
    """Not what another one is making right now."""
    for name, at in ((".new-old", NOON - 7200), (".new-fresh", NOON - 10)):
        (save(tmp_path) / name).mkdir()
        os.utime(save(tmp_path) / name, (at, at))
    Library(save(tmp_path), clock=lambda: NOON)
    assert [path.name for path in save(tmp_path).iterdir()] == [".new-fresh"]
    assert names(library) == []


# ---- nothing leads out of Save/ ---------------------------------------------------------------------------------


def test_links_lead_nowhere(library: Library, tmp_path: Path) -> None:
    """Neither a series nor a scenario, a file, a picture, a log or the bin that is really elsewhere is touched."""
    outside = tmp_path / "outside" / "初见"
    outside.mkdir(parents=True)
    (outside / SCENARIO_FILE).write_text(dump_scenario(SCENE), encoding="utf-8")
    (outside / "20240101-0000_Log.json").write_text(dump_log(LOG), encoding="utf-8")
    before = tree(tmp_path / "outside")
    library.create(Scenario("真", "真", characters=SCENE.characters))
    real = library.folder("真", "真")
    (save(tmp_path) / "系列").symlink_to(tmp_path / "outside", target_is_directory=True)
    (save(tmp_path) / "真" / "链").symlink_to(outside, target_is_directory=True)
    (real / "小麦.png").symlink_to(outside / SCENARIO_FILE)
    (real / "20240101-0000_Log.json").symlink_to(outside / "20240101-0000_Log.json")
    assert names(library) == ["真/真"] and library.contents("真", "真").keys() == {SCENARIO_FILE}
    for series, name in (("系列", "初见"), ("真", "链")):
        with pytest.raises(Refused):
            library.read(series, name)
    with pytest.raises(Refused):
        library.read_log("真", "真", "20240101-0000_Log.json")
    assert library.avatar("真", "真", "小麦") is None
    library.write_avatar("真", "真", "小麦", b"png")
    library.rename("真", "真", "真", "实")
    library.empty((library.discard("真", "实"),))
    assert tree(tmp_path / "outside") == before


@settings(max_examples=60)
@given(any_name, any_name, any_name, st.sampled_from(HOSTILE))
def test_no_name_leads_out_of_save(
    tmp_path_factory: pytest.TempPathFactory, one: str, two: str, three: str, four: str
) -> None:
    """Whatever a name says, what is around Save/ stays as it is, and nothing is found there."""
    tmp_path = tmp_path_factory.mktemp("around")
    (tmp_path / "neighbour").mkdir()
    (tmp_path / "neighbour" / SCENARIO_FILE).write_text(dump_scenario(SCENE), encoding="utf-8")
    (tmp_path / "Save" / "真" / "真").mkdir(parents=True)
    (tmp_path / "Save" / "真" / "真" / SCENARIO_FILE).write_text(dump_scenario(SCENE), encoding="utf-8")
    around = tree(tmp_path / "neighbour")
    library = Library(tmp_path / "Save", clock=lambda: NOON)
    attempts = [
        lambda: library.create(Scenario(one, two), logs={three: b"{}"}),
        lambda: library.create(Scenario(one, two, characters=()), avatars={three: b"png"}),
        lambda: library.take_in(
            [New(SCENE, {four: b"png"}, {one: b"{}"}, (two, three)), New(SCENE, place=(one, four))]
        ),
        lambda: library.duplicate("真", "真", four),
        lambda: library.write_avatar("真", "真", one, b"png"),
        lambda: library.rename_avatar("真", "真", one, four),
        lambda: library.remove_avatar("真", "真", two),
        lambda: library.log_file("真", "真", f"{one}_Log.json"),
        lambda: library.avatar("真", "真", f"../../../neighbour/{one}"),
        lambda: library.read("..", "neighbour"),
        lambda: library.read(one, two),
        lambda: library.read("真", f"../../{one}"),
        lambda: library.discard(four, three),
        lambda: library.discard("..", "neighbour"),
        lambda: library.empty((one, "..", "../..")),
        lambda: library.restore(f"../{four}"),
        lambda: library.rename("真", "真", one, two),
    ]
    for attempt in attempts:
        try:
            attempt()
        except (Refused, UserError):
            continue
    assert tree(tmp_path / "neighbour") == around
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Save", "neighbour"]
    found = save(tmp_path).rglob(SCENARIO_FILE)
    assert all(path.parents[2] == save(tmp_path) or BIN in path.parts for path in found)
    for listed in library.listing():
        assert library.folder(listed.series, listed.name).parents[1] == save(tmp_path)
