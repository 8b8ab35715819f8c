"""For every test: a busy machine is no failure, and nothing is kept where the user keeps his own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from bot.save import Save

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(autouse=True, scope="session")
def own_states(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the models of this run keep their states on disk."""
    folder = tmp_path_factory.mktemp("states")
    before = os.environ.get("COHOST_STATES")
    os.environ["COHOST_STATES"] = str(folder)
    yield folder
    if before is None:
        del os.environ["COHOST_STATES"]
    else:
        os.environ["COHOST_STATES"] = before


@pytest.fixture
def save(tmp_path: Path) -> Iterator[Save]:
    """An empty folder, with its record."""
    save = Save(tmp_path / "Save")
    yield save
    save.close()
