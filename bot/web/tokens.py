"""The three tokens: made on the first start, kept in the user's own configuration folder, readable by the user alone.

Never under Save/, which people share on their network. The environment stands above the file. Nothing here is logged.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from bot.errors import UserError

VARIABLES = {
    "operator": "COHOST_OPERATOR_TOKEN",
    "overlay": "COHOST_OVERLAY_TOKEN",
    "chat": "COHOST_CHAT_TOKEN",
}


@dataclass(frozen=True, slots=True)
class Tokens:
    """`operator` opens the panel, `overlay` the browser source in OBS, `chat` the websocket adapter's server.

    Left out of `repr`, so that no log or traceback shows them.
    """

    operator: str = field(repr=False)
    overlay: str = field(repr=False)
    chat: str = field(repr=False)


def tokens_file() -> Path:
    return platformdirs.user_config_path("rwkv-cohost", appauthor=False) / "tokens.json"


def load_tokens(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Tokens:
    """The tokens of this user; those that do not exist yet are made. Raises UserError with what to do."""
    given = {name: environ.get(variable, "").strip() for name, variable in VARIABLES.items()}
    kept = {} if all(given.values()) else _keep(path or tokens_file())
    tokens = {name: given[name] or kept[name] for name in VARIABLES}
    for name, token in tokens.items():
        if not (token.isascii() and token.isprintable()) or " " in token:
            where = VARIABLES[name] if given[name] else path or tokens_file()
            raise UserError(
                f"{where}：令牌只能用英文字母、数字和符号，不含空格。 A token is printable ASCII without spaces."
            )
    if len(set(tokens.values())) < len(tokens):
        raise UserError(
            "场控、悬浮窗、弹幕三个令牌不能相同：请改环境变量 COHOST_*_TOKEN。 The three tokens must differ."
        )
    return Tokens(**tokens)


def _keep(path: Path) -> dict[str, str]:
    """What the file holds, completed; its folder and itself are the user's alone."""
    try:
        kept = _read(path)
        missing = {name: secrets.token_urlsafe(24) for name in VARIABLES if name not in kept}
        if missing:
            _write(path, kept | missing)
        elif path.stat().st_mode & 0o077:
            path.chmod(0o600)
        return kept | missing
    except OSError as error:
        raise UserError(
            f"{path}：读写令牌文件失败（{error.strerror or error}）。请检查这个文件夹的权限，"
            "或用环境变量 COHOST_OPERATOR_TOKEN、COHOST_OVERLAY_TOKEN、COHOST_CHAT_TOKEN 给出令牌。"
            " The token file cannot be used: check the folder's permissions or set the variables."
        ) from error


def _read(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise UserError(
            f"{path}：令牌文件已损坏。删除它，下次启动会生成新的令牌。"
            " The token file is broken: delete it, and new tokens will be made."
        )
    return {name: token for name, token in found.items() if name in VARIABLES and isinstance(token, str) and token}


def _write(path: Path, tokens: dict[str, str]) -> None:
    """Never readable by others, not even for a moment, and never half written."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(tokens, file, indent=2)
    os.replace(draft, path)
