"""How fast the script desk is in a long scene. The real program, its real model and disk; what a page does, over HTTP.

`cohost bench desk` prints a table; `--json` these keys (times in seconds, medians over the rounds):

- `model`; `lines` of the scene, `steps` on its record, `tokens` that the model reads of it; `drafts` asked for at once,
  `least` tokens in each; `rounds`.
- `open`: a page asks the program, which has just started, for the scene: until it has all of it (the record is read,
  folded and sent).
- From an order to rewind into the middle, drafts asked for in the same breath: `first_text` of any draft, `last_draft`
  finished, and `tokens_read` for it.
  - `warm`: the scene was read before, in this life of the program.
  - `restart`: it was read in an earlier life, and its states are on disk.
  - `cold`: it never was; for comparison.
- `read`: the whole scene, cold, behind the writer's back.
- `targets`: for each `figure` what is `wanted`, what was `reached`, and whether that is enough (`met`).

Every round makes new states: first cold in one program, then, in another folder, all the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp

from bot.app import run as run_program
from bot.config import load_config
from bot.desk.steps import STEP, Added, Began, Confirmed, Step
from bot.save import Save
from bot.save.desk import SceneRow, StepRow
from bot.scenario import Character, Line, Origin, Scenario, dump_scenario
from bot.web.tokens import Tokens

LINES = 2000
AT_ONCE = 10
"""Lines that the writer of this scene adds and confirms together."""

DRAFTS, LEAST = 3, 40
OPEN, DRAFTED = 1.0, 2.0
"""Targets, in seconds."""

ROUNDS = 3
PATIENCE = 300.0
"""Seconds after which something is broken."""

SETTLED = 0.1
"""Seconds between two looks at the figures."""

TOKENS = Tokens("bench-operator", "bench-overlay", "bench-chat")
SCENARIO = Scenario(
    "测速",
    "长夜",
    "海边的小镇停了电，三个人守着一盏灯，等最后一班船。",
    (Line("小铃", "灯油还够烧到天亮。"),),
    (
        Character("小铃", "AI", {"Note": "灯塔守的女儿，胆子大，话不多。"}),
        Character("阿岩", "AI", {"Note": "修船的，怕黑，爱说笑。"}),
        Character("我", "User"),
    ),
    {"Lorebook": [{"name": "老船", "keys": ["老船"], "text": "老船三十年前沉在礁石外，每逢大雾有人听见它的钟。"}]},
)
SAID = {
    "小铃": ("把灯芯剪短一点", "风向变了", "别往礁石那边看", "老船的钟又响了", "我去把窗关上"),
    "阿岩": ("这雾比昨天还厚", "你听，像是有人敲门", "我可不去", "再讲个笑话吧", "绳子还差一截"),
    "我": ("我跟你一起去", "现在几点了", "船会来的", "先别说话", "给我看看地图"),
    "": ("潮水退下去，露出一排黑色的桩子", "灯闪了一下", "远处有什么东西沉了下去", "谁也没有动"),
}


def run(as_json: bool = False, *, quick: bool = False) -> dict[str, Any]:
    """Measures for less than a minute, prints a table or JSON, and returns what JSON would say."""
    rounds, lines = (1, 60) if quick else (ROUNDS, LINES)
    with tempfile.TemporaryDirectory(prefix="cohost-bench-") as folder:
        report = asyncio.run(_measure(Path(folder), rounds, lines))
    print(json.dumps(report, ensure_ascii=False) if as_json else "\n".join(table(report)))
    return report


async def _measure(folder: Path, rounds: int, lines: int) -> dict[str, Any]:
    steps = write_scene(folder / "Save", lines)
    found: list[dict[str, Any]] = [await _round(folder, number, lines) for number in range(rounds)]
    report: dict[str, Any] = {
        "model": found[0]["model"],
        "lines": lines,
        "steps": steps,
        "tokens": found[0]["tokens"],
        "drafts": DRAFTS,
        "least": LEAST,
        "rounds": rounds,
        **{key: round(median(one[key] for one in found), 3) for key in ("open", "read")},
    }
    for kind in ("warm", "restart", "cold"):
        report[kind] = {
            key: round(median(one[kind][key] for one in found), 3)
            for key in ("first_text", "last_draft", "tokens_read")
        }
    return report | {"targets": list(judged(report))}


def judged(report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    figures = {"open": report["open"], "warm / last_draft": report["warm"]["last_draft"]}
    for (figure, reached), wanted in zip(figures.items(), (OPEN, DRAFTED), strict=True):
        yield {"figure": figure, "wanted": f"< {wanted:g}", "reached": reached, "met": reached < wanted}


def table(report: dict[str, Any]) -> Iterator[str]:
    yield f"{report['lines']:,} 行 lines，{report['steps']} 步 steps，{report['tokens']:,} token，{report['model']}"
    yield f"打开 open {report['open']:.3f} s；读完整幕 reading all of it {report['read']:.2f} s"
    yield f"{'回到中间再要候选 rewind + drafts':34}{'首字 first text':>18}{'全部写完 all done':>20}{'读了 tokens read':>18}"
    names = {"warm": "读过 warm", "restart": "重启后 after a restart", "cold": "没读过 cold"}
    for kind, name in names.items():
        found = report[kind]
        yield f"{name:36}{found['first_text']:>16.3f} s{found['last_draft']:>18.3f} s{found['tokens_read']:>18,.0f}"
    for target in report["targets"]:
        mark = "达到 met" if target["met"] else "没有达到 missed"
        yield f"{target['figure']} {target['reached']:.3f} s，目标 target {target['wanted']} s：{mark}"


# -- the scene ---------------------------------------------------------------------------------------------------------


def story(lines: int) -> Iterator[Line]:
    """The same every time."""
    chance = random.Random(7)
    for _ in range(lines):
        who = chance.choices(list(SAID), (4, 4, 3, 2))[0]
        yield Line(who, "，".join(chance.choices(SAID[who], k=chance.randint(1, 3))) + "。", Origin.PERSON)


def write_scene(folder: Path, lines: int) -> int:
    """Puts it on record as people play it, step by step; the only scene of a new Save/. Returns how many steps."""
    opening, *said = [replace(line, id=f"line{n}") for n, line in enumerate((*SCENARIO.opening, *story(lines - 1)))]
    now = time.time()
    with contextlib.closing(Save(folder)) as save:
        save.library.create(SCENARIO)
        row = SceneRow("bench", "", SCENARIO.series, SCENARIO.name, now, now, 0, 1)
        save.desk.begin(row, _on_record(0, Began(dump_scenario(SCENARIO), (opening,))))
        steps = [
            step for at in range(0, len(said), AT_ONCE) for step in (Added(tuple(said[at : at + AT_ONCE])), Confirmed())
        ]
        for number, step in enumerate(steps, start=1):
            save.desk.step("bench", _on_record(number, step), title="", lines=lines)
    return 1 + len(steps)


def _on_record(number: int, step: Step) -> StepRow:
    return StepRow(number, time.time(), "bench", STEP.dump_json(step).decode())


# -- a life of the program ---------------------------------------------------------------------------------------------


async def _round(folder: Path, number: int, lines: int) -> dict[str, Any]:
    middle = lines // 2
    async with _program(folder, f"cold-{number}") as page:
        opened = await page.open()
        cold = await page.rewound(middle)
    async with _program(folder, f"warm-{number}") as page:
        await page.open()
        read = await page.is_read()
        figures = {"model": page.scene["engine"]["model"], "tokens": page.scene["length"]["tokens"]}
        warm = await page.rewound(middle, await page.tokens_read())
    async with _program(folder, f"warm-{number}") as page:
        await page.open()
        restart = await page.rewound(middle + lines // 50)  # not where drafts were asked for just before
    return {"open": opened, "read": read, "warm": warm, "restart": restart, "cold": cold, **figures}


@asynccontextmanager
async def _program(folder: Path, states: str) -> AsyncIterator[Page]:
    """The program with the demo model, ready, and a browser beside it."""
    config = load_config(
        None,
        {
            "save": str(folder / "Save"),
            "scenario": f"{SCENARIO.series}/{SCENARIO.name}",
            "web.port": 0,
            "adapters.websocket.server.port": 0,
            "engine.states.folder": str(folder / states),
            "log.level": "error",
        },
    )
    said: asyncio.Queue[str] = asyncio.Queue()
    program = asyncio.create_task(run_program(config, TOKENS, said.put_nowait))
    try:
        url = await _address(said, program)
        headers = {"Authorization": f"Bearer {TOKENS.operator}"}
        async with aiohttp.ClientSession(url, headers=headers) as http, asyncio.timeout(PATIENCE):
            page = Page(http)
            await page.until_ready()
            yield page
    finally:
        program.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await program


async def _address(said: asyncio.Queue[str], program: asyncio.Task[None]) -> str:
    while True:
        line = asyncio.create_task(said.get())
        await asyncio.wait({line, program}, return_when=asyncio.FIRST_COMPLETED)
        if program.done():
            await program
        if found := re.search(r"http://[\w.:\[\]]+:\d+", line.result()):
            return found[0]


@dataclass
class Page:
    """One that follows the scene, as the desk's own does."""

    http: aiohttp.ClientSession

    def __post_init__(self) -> None:
        self.scene: dict[str, Any] = {}
        self._feed: aiohttp.ClientWebSocketResponse | None = None

    async def until_ready(self) -> None:
        async with self.http.ws_connect("/api/feed") as feed:
            async for message in feed:
                engine = (message.json().get("status") or {}).get("engine", {})
                if engine.get("state") == "ready":
                    return

    async def open(self) -> float:
        begin = time.perf_counter()
        self._feed = await self.http.ws_connect("/api/desk/bench/feed?tab=bench", max_msg_size=0)
        await self._event("snapshot")
        return time.perf_counter() - begin

    async def is_read(self) -> float:
        """Until the model has read all of it."""
        begin = time.perf_counter()
        while True:
            reading = await self._event("reading")
            if reading["done"] == reading["total"]:
                return time.perf_counter() - begin

    async def rewound(self, line: int, read: float = 0.0) -> dict[str, float]:
        """To the line of this number, drafts there, and back to the end. `read`: tokens that had been read before."""
        begin = time.perf_counter()
        revision = await self._post(
            "do", revision=self.scene["revision"], order={"kind": "rewind", "line": self.scene["lines"][line - 1]["id"]}
        )
        wanted = {"character": "小铃", "count": DRAFTS, "min_length": LEAST}
        await self._post("drafts", revision=revision["revision"], **wanted)
        first, done = 0.0, set[int]()
        while len(done) < DRAFTS:
            draft = await self._event("draft")
            first = first or time.perf_counter() - begin
            done |= {draft["index"]} if draft["done"] else set()
        last = time.perf_counter() - begin
        tokens = await self.tokens_read() - read
        undone = await self._post("do", revision=revision["revision"], order={"kind": "undo"})
        await self._until(undone["revision"])
        return {"first_text": first, "last_draft": last, "tokens_read": tokens}

    async def tokens_read(self) -> float:
        """Since the program began, when nothing is left to do and the figures have said so twice."""
        before = -1.0
        while True:
            await asyncio.sleep(SETTLED)
            async with self.http.get("/api/state") as answer:
                figures = (await answer.json())["status"]["engine"]["figures"]
            idle = figures.get("queue") == figures.get("rows") == 0
            if idle and figures["tokens_read"] == before:
                return before
            before = figures["tokens_read"] if idle else -1.0

    async def _post(self, what: str, **body: Any) -> dict[str, Any]:
        async with self.http.post(f"/api/desk/bench/{what}", json=body) as answer:
            said: dict[str, Any] = await answer.json()
            assert answer.status == 200, said
            return said

    async def _until(self, revision: int) -> None:
        while self.scene["revision"] < revision:
            await self._event("scene")

    async def _event(self, kind: str) -> dict[str, Any]:
        """The next of this kind. What the others say of the scene is kept."""
        assert self._feed is not None
        while True:
            event: dict[str, Any] = await self._feed.receive_json()
            if event["event"] in ("snapshot", "scene"):
                kept = self.scene.get("lines", [])[: event.get("kept", 0)]
                self.scene = event | {"lines": [*kept, *event["lines"]]}
            if event["event"] == kind:
                return event
