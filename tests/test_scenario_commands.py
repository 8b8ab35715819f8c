"""`cohost scenario …` on a real folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.cards import archive
from tests.cards.people import V2, as_bytes, picture, text
from tests.cards.test_drama import FILES, FOLDER, LOG, NAME, SERIES


@pytest.fixture
def cohost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    """Runs a command in a folder with settings of its own; gives its exit code and what it said."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text("save: 存档\n", encoding="utf-8")

    def run(*arguments: str) -> tuple[int, str]:
        code = main(["scenario", *arguments])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def test_a_folder_comes_in_is_listed_and_goes_out(cohost, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """With its log and its picture; each kind of file goes by its end; nothing is overwritten."""
    assert cohost("list") == (0, "还没有剧本。 There are no scenarios yet.\n")
    code, said = cohost("import", str(FOLDER))
    assert code == 0 and f"→ {SERIES}/{NAME}\n" in said
    assert cohost("list") == (0, f"{SERIES}/{NAME}  阿砚、我  1 份回放\n")
    for file in ("out.json", "out.png", "out.zip"):
        assert cohost("export", f"{SERIES}/{NAME}", file)[0] == 0
        code, said = cohost("validate", file)
        assert (code, said.strip().endswith("OK")) == (0, True)
    assert json.loads((tmp_path / "out.json").read_bytes()) == json.loads(FILES["场景剧本.json"])
    code, said = cohost("export", f"{SERIES}/{NAME}", "out.json", "--form", "card")
    assert code == 1 and "没有覆盖" in said
    assert cohost("export", f"{SERIES}/{NAME}", "card.json", "--form", "card")[0] == 0
    assert json.loads((tmp_path / "card.json").read_bytes())["spec"] == "chara_card_v3"


def test_a_log_joins_its_scenario(cohost, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Whether it comes after it or without it."""
    (tmp_path / LOG).write_bytes(FILES[LOG])
    assert cohost("import", LOG)[0] == 0 and "1 份回放" in cohost("list")[1]
    code, said = cohost("import", LOG)
    assert code == 0 and said.strip().endswith("-2_Log.json")
    assert cohost("list")[1] == f"{SERIES}/{NAME}  阿砚、我  2 份回放\n"


def test_a_card_comes_in_as_the_person_wishes(cohost, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Series, greeting, and who {{user}} is."""
    (tmp_path / "card.png").write_bytes(picture(extra=[text("chara", V2)]))
    code, said = cohost("import", "card.png", "--series", "雾/岛", "--user", "阿舟", "--greeting", "2")
    assert code == 0 and "→ 雾／岛/林守" in said
    saved = json.loads((tmp_path / "存档" / "雾／岛" / "林守" / "场景剧本.json").read_bytes())
    assert saved["Example"] == "林守: 塔里很静。" and saved["CharacterData"]["User"] == ["阿舟"]
    assert (tmp_path / "存档" / "雾／岛" / "林守" / "林守.png").is_file()


def test_mistakes_are_told_and_nothing_is_kept(cohost, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Where, what, and what to write; exit 1."""
    (tmp_path / "bad.json").write_bytes(as_bytes({**V2, "data": {"name": 3, "first_mes": 4}}))
    bad_log = FILES[LOG].replace("模型生成".encode(), "胡说".encode())
    (tmp_path / "bad.zip").write_bytes(
        archive.pack({"甲/一/场景剧本.json": FILES["场景剧本.json"], f"甲/一/{LOG}": bad_log})
    )
    for file, where in (("bad.json", "data.first_mes"), ("bad.zip", "Chat[8].InputTag"), ("gone.json", "读不了")):
        for command in ("import", "validate"):
            code, said = cohost(command, file)
            assert code == 1 and where in said and "Traceback" not in said
    for place in ("nothing", "a/b", "../..", "/"):
        code, said = cohost("export", place, "x.zip")
        assert code == 1 and "没有剧本" in said
    assert cohost("list")[1].startswith("还没有剧本") and not (tmp_path / "x.zip").exists()


def test_a_broken_scenario_is_listed(cohost, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """With what is wrong with it, among the others."""
    folder = tmp_path / "存档" / "雾岛" / "坏"
    folder.mkdir(parents=True)
    (folder / "场景剧本.json").write_text("{", encoding="utf-8")
    code, said = cohost("list")
    assert code == 0 and said.startswith("雾岛/坏  ✗ ") and "第 1 行" in said
