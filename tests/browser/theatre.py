"""The real web application and the real show, played before real browsers; only the engine is scripted."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, Playwright, expect

from bot.desk.desk import Desk
from bot.engine.scripted import ScriptedEngine
from bot.feed import Feed
from bot.intake import Intake
from bot.messages import Kind, Message, MessageId, Viewer
from bot.outlets import Overlay
from bot.rules import Rules
from bot.save import Save
from bot.scenario import Character, Line, Origin, Scenario
from bot.show import Show
from bot.staging import Staging
from bot.voices import Voices
from bot.web.server import create_app, serve
from bot.web.stories import Stories
from moderation import WatchedWords, build_chain

OPERATOR_TOKEN = "operator-token-for-tests"
OVERLAY_TOKEN = "overlay-token-for-tests"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
# No traffic of the browser's own, so that a test machine needs no network.
QUIET = [
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-sandbox",
]
LONG = 600.0  # seconds on the air
LATE_EVENTS = """Object.defineProperty(WebSocket.prototype, "onmessage", {
  set(hear) {
    let last = Promise.resolve();
    const pause = () => new Promise((done) => setTimeout(done, 100));
    this.addEventListener("message", (message) => (last = last.then(pause).then(() => hear.call(this, message))));
  },
});"""
"""One at a time: the answer to an order is there before them."""
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
SCENE = Scenario(
    series="演示",
    name="直播间",
    background="这里是直播间。",
    opening=(Line("小芽", "大家好！", Origin.OPENING),),
    characters=(Character("小芽", "AI"), Character("观众", "User")),
)


def find_chromium(playwright: Playwright) -> str | None:
    """A browser of this machine, or the one that Playwright keeps; None where there is neither."""
    for name in CHROMIUM_NAMES:
        if path := shutil.which(name):
            return path
    managed = playwright.chromium.executable_path
    return managed if Path(managed).exists() else None


class Theatre:
    """One show on one port. `words` are the engine's drafts in turn; `stepped`: they come when the test says so.

    Unless `rules` say otherwise, what is on the air stays longer than any test lasts: a slow machine sees it, too.
    """

    def __init__(
        self, folder: Path, browser: Browser, words: list[str], *, stepped: bool = False, **rules: Any
    ) -> None:
        self.browser = browser
        self.engine = ScriptedEngine(words, stepped=stepped)
        self.feed, self.overlay_feed = Feed(), Feed()
        self.outlet = Overlay(self.overlay_feed, "AI 生成", time.time)
        self.save = Save(folder)
        self.lists = WatchedWords([self.save.own_words_file])
        self.rules = Rules(**{"drafts": 2, "least_seconds": LONG, "most_seconds": LONG, **rules})
        self.show = Show(
            scenario=SCENE,
            engine=self.engine,
            intake=Intake(cooldown=0.0, names=("小芽",)),
            checks=build_chain(words=self.lists, speakers=SCENE.speakers),
            save=self.save,
            outlets=(self.outlet,),
            feed=self.feed,
            rules=self.rules,
            clock=time.time,
            lists=self.lists,
            stage=self.stage,
        )
        self.desk = Desk(self.save, self.engine, voices=Voices(), clock=time.time)
        self.port = 0
        self.faults: list[str] = []  # what any page complained about
        self._web = contextlib.AsyncExitStack()
        self._heard = 0

    @contextlib.asynccontextmanager
    async def playing(self) -> AsyncIterator[Theatre]:
        running = [asyncio.create_task(self.show.run()), asyncio.create_task(self.desk.run())]
        try:
            await self.open_doors()
            yield self
        finally:
            await self.close_doors()
            for task in running:
                task.cancel()
            await asyncio.wait(running)
            self.save.close()

    def stage(self, series: str, name: str) -> Staging:
        """A scenario of the library for the show."""
        scenario = self.save.library.read(series, name).scenario if series else SCENE
        checks = build_chain(words=self.lists, speakers=scenario.speakers)
        return Staging(scenario, checks, self.rules, choice=f"{series}/{name}".strip("/"))

    async def open_doors(self) -> None:
        """The web server, on the port that it had before."""
        app = create_app(
            self.show,
            self.feed,
            self.overlay_feed,
            self.outlet.now_showing,
            desk=self.desk,
            ledger=self.save.ledger,
            library=self.save.library,
            stories=Stories(self.save, SCENE),
            operator_token=OPERATOR_TOKEN,
            overlay_token=OVERLAY_TOKEN,
        )
        self.port = await self._web.enter_async_context(serve(app, "127.0.0.1", self.port))

    async def close_doors(self) -> None:
        await self._web.aclose()

    def hear(self, text: str, viewer: str = "阿强", kind: Kind = Kind.DANMAKU, price: float | None = None) -> None:
        self._heard += 1
        who = Viewer("test", f"{viewer} {self._heard}", viewer)
        self.show.hear(Message(MessageId(f"m{self._heard}"), kind, who, text, price=price, time=time.time()))

    def items(self, state: str) -> list[dict[str, Any]]:
        snapshot = self.show.snapshot()
        on_air = [snapshot["on_air"]] if snapshot["on_air"] else []
        return [item for item in [*snapshot["items"], *on_air, *snapshot["history"]] if item["state"] == state]

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    async def context(self, **options: Any) -> BrowserContext:
        options = {"viewport": DESKTOP, "locale": "zh-CN", "reduced_motion": "reduce", **options}
        context = await self.browser.new_context(**options)
        context.set_default_timeout(30_000)
        return context

    async def panel(self, name: str = "", *, ready: bool = True, before: str = "", **options: Any) -> Page:
        """A signed-in operator's panel; when it is `ready` it has drawn what it found."""
        page = await self.page("/", name=name, before=before, **options)
        if ready:
            await page.wait_for_selector("html[data-link=live]")
            await page.wait_for_selector("#parts li", state="attached")  # of the first drawing after that
        return page

    async def page(self, path: str, *, name: str = "", before: str = "", **options: Any) -> Page:
        """Any page, for an operator who has signed in. `before`: a script that the page runs first."""
        context = await self.context(**options)
        answer = await context.request.post(self.url("/login"), data={"token": OPERATOR_TOKEN, "label": name})
        assert answer.ok
        if before:
            await context.add_init_script(before)
        page = await context.new_page()
        self.watch(page)
        await page.goto(self.url(path))
        return page

    async def overlay(self, parameters: str = "", *, before: str = "") -> Page:
        """The browser source, as big as OBS makes it."""
        context = await self.context(viewport={"width": 800, "height": 600})
        if before:
            await context.add_init_script(before)
        page = await context.new_page()
        self.watch(page)
        await page.goto(self.url(f"/overlay?token={OVERLAY_TOKEN}&{parameters}"))
        return page

    def watch(self, page: Page) -> None:
        """Errors and refusals by the page's policy are faults; an answer like 409 is not, the page shows it."""
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on(
            "console",
            lambda line: (
                self.faults.append(line.text)
                if line.type == "error" and "Failed to load resource" not in line.text and "WebSocket" not in line.text
                else None
            ),
        )


async def settled(page: Page) -> None:
    """A card waits for a decision, has a finished draft, and is past the moment in which a double press would hit it.

    All of it in one look: one after another, each could be said of another moment.
    """
    waits = "#card:not([data-early]):has(#stamp[hidden]):has(#approve:enabled)"
    await expect(page.locator(f'{waits} .draft[aria-checked="true"][data-done]')).to_be_visible()


async def escape_twice(page: Page) -> None:
    """Two presses of one moment, by the time that stands in the events: a busy machine takes too long between two calls."""
    session = await page.context.new_cdp_session(page)
    escape = {"key": "Escape", "code": "Escape", "windowsVirtualKeyCode": 27, "timestamp": time.time()}
    for kind in ("rawKeyDown", "keyUp") * 2:
        await session.send("Input.dispatchKeyEvent", {"type": kind, **escape})
    await session.detach()
