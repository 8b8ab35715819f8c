"""Where model files lie on this machine, and which one a name means. Opens none of them.

`COHOST_MODELS` in the environment says where; else it is `models/` in the project; and for a program that was installed
without its project, `models` in the user's own data folder.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from platformdirs import user_data_path

from bot.errors import UserError

PROJECT = Path(__file__).parents[3]
ENDINGS = (".pth", ".safetensors")


def models_folder(environment: Mapping[str, str] = os.environ, project: Path = PROJECT) -> Path:
    """The folder for models; it need not exist yet."""
    if environment.get("COHOST_MODELS"):
        return Path(environment["COHOST_MODELS"]).expanduser().absolute()
    if (project / "pyproject.toml").is_file():
        return project / "models"
    return user_data_path("rwkv-cohost", appauthor=False) / "models"


def models_in(folder: Path) -> list[Path]:
    """The finished model files of a folder, by name."""
    return sorted(path for path in folder.glob("*") if path.suffix in ENDINGS and path.is_file())


def find_model(name: str | os.PathLike[str], folder: Path) -> Path:
    """The file that `name` means: a path, or a file in `folder` by its name or by a beginning that fits one only.

    What is found nowhere comes back as a path, so that whoever opens it says that it is missing. Several: UserError.
    """
    path = Path(name).expanduser()
    if path.is_file() or len(path.parts) != 1:
        return path
    files = models_in(folder)
    found = [file for file in files if path.name in (file.name, file.stem)]
    found = found or [file for file in files if file.name.startswith(path.name)]
    if len(found) > 1:
        names = "、".join(file.name for file in found)
        raise UserError(f'"{name}" 有好几个：{names}。请写全文件名。 / More than one model fits; write the whole name.')
    return found[0] if found else path
