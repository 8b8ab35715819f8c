"""Where the tokens come from, and that they stay there."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from bot.errors import UserError
from bot.web.tokens import VARIABLES, Tokens, load_tokens, tokens_file

GIVEN = {variable: f"given-{name}" for name, variable in VARIABLES.items()}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "tokens.json"


def test_they_are_made_once(path: Path) -> None:
    """Three different ones, too long to guess, and the same at the next start."""
    tokens = load_tokens(path, {})
    made = {tokens.operator, tokens.overlay, tokens.chat}
    assert len(made) == 3 and all(len(token) >= 32 for token in made)
    assert load_tokens(path, {}) == tokens
    assert load_tokens(path.with_name("other.json"), {}) != tokens


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes; the folder is the user's own")
def test_only_the_user_reads_the_file(path: Path) -> None:
    """From the first moment on; and a file that was opened to others is closed again."""
    old = os.umask(0)
    try:
        load_tokens(path, {})
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.chmod(0o644)
    load_tokens(path, {})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["tokens.json"]


def test_the_environment_stands_above_the_file(path: Path) -> None:
    """One by one, and without a trace in the file."""
    kept = load_tokens(path, {})
    tokens = load_tokens(path, {"COHOST_OPERATOR_TOKEN": " mine\n", "COHOST_CHAT_TOKEN": ""})
    assert tokens == Tokens("mine", kept.overlay, kept.chat)
    assert "mine" not in path.read_text(encoding="utf-8")


def test_no_file_is_made_when_all_are_given(path: Path) -> None:
    """A container may have no place to write."""
    assert load_tokens(path, GIVEN) == Tokens("given-operator", "given-overlay", "given-chat")
    assert not path.exists()


def test_a_token_that_is_missing_is_added(path: Path) -> None:
    """A newer version may need one more; the others stay."""
    path.parent.mkdir()
    path.write_text(json.dumps({"operator": "kept", "overlay": ""}), encoding="utf-8")
    tokens = load_tokens(path, {})
    assert tokens.operator == "kept" and tokens.overlay
    assert load_tokens(path, {}) == tokens


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "\ufffd"])
def test_a_broken_file_says_what_to_do(path: Path, content: str) -> None:
    """It is not silently replaced: the token in OBS would stop working."""
    path.parent.mkdir()
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=r"tokens\.json：令牌文件已损坏。删除它"):
        load_tokens(path, {})
    assert path.read_text(encoding="utf-8") == content


def test_a_place_that_cannot_be_used_says_what_to_do(tmp_path: Path) -> None:
    """One line, with the way around it."""
    (tmp_path / "config").write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(UserError, match="COHOST_OPERATOR_TOKEN") as error:
        load_tokens(tmp_path / "config" / "tokens.json", {})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("token", ["两个字", "a b", "a\tb", "a\x00b"])
def test_a_token_that_no_header_carries_is_refused(path: Path, token: str) -> None:
    """Named by its variable, without repeating it."""
    with pytest.raises(UserError, match="COHOST_OVERLAY_TOKEN") as error:
        load_tokens(path, {**GIVEN, "COHOST_OVERLAY_TOKEN": token})
    assert token not in str(error.value)


def test_one_token_for_two_doors_is_refused(path: Path) -> None:
    """The overlay's token lies open in OBS."""
    with pytest.raises(UserError, match="不能相同"):
        load_tokens(path, {**GIVEN, "COHOST_OVERLAY_TOKEN": GIVEN["COHOST_OPERATOR_TOKEN"]})


def test_printing_shows_no_token() -> None:
    """Not in a traceback either."""
    assert repr(Tokens("a-secret", "b-secret", "c-secret")) == "Tokens()"


def test_the_file_is_the_users() -> None:
    """In the configuration folder of this system, under the project's name."""
    assert tokens_file().name == "tokens.json"
    assert "rwkv-cohost" in tokens_file().parts
