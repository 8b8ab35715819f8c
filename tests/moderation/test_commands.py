"""`cohost moderation …` as a person types it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.__main__ import main


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No config.yaml here: the defaults."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


def words(folder: Path, text: str) -> str:
    file = folder / "mine.tsv"
    file.write_text(text, encoding="utf-8")
    return file.name


def test_a_text_is_shown_in_every_view_with_what_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    """Places in the original, what hides written out, and what follows."""
    assert main(["moderation", "test", "主播 [傻]\u202e bi"]) == 0
    said = capsys.readouterr().out
    for part in ("主播 [傻]⟨U+202E⟩ bi", "zhu bo sha bi", "word:傻逼", "4:9", "words.tsv:", "hold"):
        assert part in said, part


def test_a_text_can_be_tested_as_a_reply(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["moderation", "test", "--reply", "晚上好"]) == 0
    assert "clean" in capsys.readouterr().out


def test_our_own_list_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["moderation", "lint"]) == 0
    assert "fine" in capsys.readouterr().out


def test_a_list_that_flags_everyday_chat_is_refused_unless_forced(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says how often, and which words do."""
    mine = words(elsewhere, "主播\n紫薯精\n")
    assert main(["moderation", "lint", mine]) == 1
    said = capsys.readouterr().out
    assert "mine.tsv:1" in said and "refused" in said and "紫薯精" not in said
    assert main(["moderation", "lint", mine, "--force"]) == 0


def test_hits_are_counted_on_one_s_own_chat(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A room has words of its own that are fine there."""
    (elsewhere / "chat.txt").write_text("紫薯精来了\n紫薯精好\n", encoding="utf-8")
    assert main(["moderation", "lint", words(elsewhere, "紫薯精\n"), "--benign", "chat.txt"]) == 1
    assert "2 句平常的话里误伤 2 句" in capsys.readouterr().out


def test_a_bad_line_is_one_clear_line(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["moderation", "lint", words(elsewhere, "紫薯精\n绿\n")]) == 1
    assert capsys.readouterr().err.startswith("mine.tsv:2：“绿”太短")


def test_a_list_is_imported_once(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing that is there is overwritten; what was left out is said."""
    (elsewhere / "other.txt").write_text("紫薯精,绿,绿皮怪", encoding="utf-8")
    command = ["moderation", "import", "other.txt", "mine.tsv", "--category", "insult", "--severity", "3"]
    assert main(command) == 0
    assert "left out：绿" in capsys.readouterr().out
    assert (elsewhere / "mine.tsv").read_text(encoding="utf-8").splitlines()[1:] == [
        "紫薯精\tinsult\t3",
        "绿皮怪\tinsult\t3",
    ]
    assert main(command) == 1
    assert "mine.tsv" in capsys.readouterr().err
    assert main(["moderation", "import", "gone.txt", "new.tsv"]) == 1
