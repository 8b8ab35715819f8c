"""The desk, served by the real application. Only the engine is scripted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.save import Save
from tests.desk.atelier import RAIN, Atelier, Writer
from tests.web.conftest import Site
from tests.web.conftest import site as site

TEXTS = ["进来坐。", "喝口热茶吧。", "外面冷。", "今晚不走了？"]


@pytest.fixture
def atelier(tmp_path: Path, site: Site) -> Atelier:
    folder = tmp_path / "Desk"
    save = Save(folder)
    save.library.create(RAIN)
    save.close()
    return Atelier(folder, site, TEXTS)


@pytest.fixture
async def writer(atelier: Atelier) -> AsyncIterator[Writer]:
    async with atelier.life() as writer:
        await writer.open()
        yield writer
