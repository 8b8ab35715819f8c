"""How a scene begins with what other programs wrote."""

from __future__ import annotations

from dataclasses import replace

from bot.scenario import Line, Log, Origin, dump_log
from tests.desk.atelier import RAIN, Atelier, Writer


async def test_a_log_with_half_an_emoji_is_opened(atelier: Atelier, writer: Writer) -> None:
    """As other programs leave it where they cut a text. Whatever they call a line, it can be edited."""
    half = replace(RAIN, name="雨\ud83d")
    log = dump_log(Log(half, (Line("我\ud83d", "来了\ud83d", Origin.PERSON, id="号" * 200),)))
    await writer.open(log=atelier.save.library.add_log("旧城", "雨夜", log.encode()))
    scene = await writer.get()
    assert [(line["character"], line["text"]) for line in scene["lines"]] == [("我\ufffd", "来了\ufffd")]
    assert scene["title"] == "雨\ufffd"
    await writer.do("edit", line=scene["lines"][0]["id"], text="来了！")
