"""The overlay in OBS: what is on air, for as long as the server says, and never anything else."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.async_api import Page, WebSocketRoute, expect

from tests.browser.conftest import OpenTheatre
from tests.browser.theatre import OVERLAY_TOKEN, Theatre
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

REPLY = {
    "id": "r1",
    "text": "晚上好！今天钓鱼。",
    "character": "小芽",
    "question": "今天玩什么？",
    "viewer": "阿强",
    "label": "AI 生成",
}

KEEP_WORDS = """
window.words = [];
new MutationObserver(() => document.body && window.words.push(document.body.innerText))
  .observe(document, { subtree: true, childList: true, characterData: true });
"""


class Air:
    """The server's end of the overlay's websocket, in the test's hands."""

    def __init__(self) -> None:
        self.sockets: list[WebSocketRoute] = []
        self.greeting: dict[str, Any] = {"event": "clear"}

    async def open(self, house: Theatre, parameters: str = "") -> Page:
        context = await house.context(viewport={"width": 800, "height": 600})
        page = await context.new_page()
        house.watch(page)
        await page.route_web_socket("**/overlay/feed*", self._connected)
        before = len(self.sockets)
        await page.goto(house.url(f"/overlay?token=overlay-token-for-tests&{parameters}"))
        await until(lambda: len(self.sockets) > before)
        return page

    def _connected(self, socket: WebSocketRoute) -> None:
        self.sockets.append(socket)
        socket.send(json.dumps(self.greeting))

    def send(self, event: str, **more: Any) -> None:
        self.sockets[-1].send(json.dumps({"event": event, **more}))

    def show(self, remaining: float = 60.0, duration: float = 60.0, **reply: Any) -> None:
        self.send("show", reply={**REPLY, **reply}, remaining=remaining, duration=duration)


async def test_it_shows_the_words_the_question_and_the_label(theatre: OpenTheatre) -> None:
    """The reply letter by letter, who asked what, the character's initial, and that a machine wrote it."""
    house, air = await theatre(), Air()
    page = await air.open(house)
    await expect(page.locator("#reply")).to_be_hidden()
    air.show()
    await expect(page.locator("#said")).to_have_text(REPLY["text"])
    await expect(page.locator("#unsaid")).to_be_empty()
    for part in ("character", "question", "viewer", "label"):
        await expect(page.locator(f"#{part}")).to_have_text(REPLY[part])
    await expect(page.locator("#avatar")).to_have_text("小")
    assert await page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgba(0, 0, 0, 0)"


async def test_it_does_not_move_while_the_words_appear(theatre: OpenTheatre) -> None:
    """All words are laid out at once: the box has its final size from the first letter on."""
    house, air, words = await theatre(), Air(), "很长的一句话。" * 12
    page = await air.open(house, "chartime=100000")
    air.show(text=words, remaining=60_000.0, duration=60_000.0)  # half of it for all letters: minutes for the first
    await expect(page.locator("#said")).to_have_text("很")
    typing = await page.locator("#bubble").bounding_box()
    done = await air.open(house, "chartime=0")
    air.show(text=words)
    await expect(done.locator("#said")).to_have_text(words)
    await expect(done.locator("#unsaid")).to_be_empty()
    assert await done.locator("#bubble").bounding_box() == typing


async def test_hide_clear_and_the_servers_time(theatre: OpenTheatre) -> None:
    """It goes when the server says so, when everything is cleared, and by itself when its time is over."""
    house, air = await theatre(), Air()
    page = await air.open(house)
    reply = page.locator("#reply")
    air.show(id="a")
    await expect(reply).to_be_visible()
    air.send("hide", id="something else")
    air.send("ping")
    air.show(id="b", text="下一句")
    await expect(page.locator("#text")).to_have_text("下一句")
    air.send("hide", id="b")
    await expect(reply).to_be_hidden()
    air.show(id="c")
    await expect(reply).to_be_visible()
    air.send("clear")
    await expect(reply).to_be_hidden()
    air.show(id="d", remaining=0.3)
    await expect(reply).to_have_attribute("data-id", "d")  # it was there, however short
    await expect(reply).to_be_hidden()
    await expect(page.locator("#text")).to_be_empty()


async def test_a_late_page_goes_on_in_the_middle(theatre: OpenTheatre) -> None:
    """Connected when half of the time is over, it does not begin to type again."""
    house, air = await theatre(), Air()
    air.greeting = {"event": "show", "reply": REPLY, "remaining": 300.0, "duration": 600.0}
    page = await air.open(house, "chartime=100000")  # from the beginning it would take minutes
    await expect(page.locator("#said")).to_have_text(REPLY["text"])


async def test_it_connects_again_and_shows_only_what_is_on_air_now(theatre: OpenTheatre) -> None:
    """While it was away one reply ended: it is gone, and no other text ever stands there."""
    house = await theatre("在播的话")
    page = await house.overlay(before=KEEP_WORDS)
    house.show.say("小芽", "在播的话", by=_operator())  # type: ignore[arg-type]
    await expect(page.locator("#text")).to_have_text("在播的话")
    await house.close_doors()
    await expect(page.locator("#text")).to_have_text("在播的话")
    house.show.stop(by=_operator())  # type: ignore[arg-type]
    await house.open_doors()
    await expect(page.locator("#reply")).to_be_hidden()
    house.show.pause("run", by=_operator())  # type: ignore[arg-type]
    house.show.say("小芽", "回来了", by=_operator())  # type: ignore[arg-type]
    await expect(page.locator("#text")).to_have_text("回来了")
    words = " ".join(await page.evaluate("() => window.words"))
    assert not re.search(r"connect|lost|error|undefined|断|连接", words)


async def test_a_silent_server_is_left_and_asked_again(theatre: OpenTheatre) -> None:
    """Fifteen seconds without a word mean that the connection is dead, even if nobody has closed it."""
    house, air = await theatre(), Air()
    context = await house.context()
    page = await context.new_page()
    await page.clock.install()
    await page.route_web_socket("**/overlay/feed*", air._connected)
    await page.goto(house.url("/overlay?token=overlay-token-for-tests"))
    await until(lambda: air.sockets)
    await page.clock.run_for(14_000)
    assert len(air.sockets) == 1
    air.show()
    await expect(page.locator("#reply")).to_be_visible()  # the word has come
    await page.clock.run_for(14_000)
    assert len(air.sockets) == 1
    await page.clock.run_for(4_000)
    await until(lambda: len(air.sockets) > 1)
    await expect(page.locator("#reply")).not_to_have_class("on")  # the new connection has greeted
    assert len(air.sockets) == 2


async def test_status_is_shown_only_for_debug(theatre: OpenTheatre) -> None:
    house, air = await theatre(), Air()
    plain, debug = await air.open(house), await air.open(house, "debug")
    for socket in tuple(air.sockets):  # the pages come back at once
        await socket.close()
    await expect(debug.locator("#debug")).to_contain_text("connection lost")
    await expect(plain.locator("#debug")).to_be_hidden()
    assert await plain.evaluate("() => document.body.innerText.trim()") == ""


MANY = "fontcolor=ff8800&font=Some%20Font&scale=2&stroke=3,112233&chroma=00ff00&position=top-right"
LOOKS = {
    MANY: [
        ("#text", "color", "rgb(255, 136, 0)"),
        ("#text", "fontFamily", '"Some Font", sans-serif'),
        ("#text", "fontSize", "56px"),
        ("#text", "webkitTextStrokeColor", "rgb(17, 34, 51)"),
        ("body", "backgroundColor", "rgb(0, 255, 0)"),
        ("body", "alignItems", "flex-start"),
        ("body", "justifyContent", "flex-end"),
    ],
    "transparent=1&position=center&css=" + quote("#text{color:#010203}"): [
        ("#bubble", "backgroundColor", "rgba(0, 0, 0, 0)"),
        ("body", "alignItems", "center"),
        ("#text", "color", "rgb(1, 2, 3)"),
    ],
    "cssb64=" + quote(base64.b64encode("#text{color:#010203}/*字*/".encode()).decode()): [
        ("#text", "color", "rgb(1, 2, 3)"),
    ],
}


async def test_looks_come_from_the_address(theatre: OpenTheatre) -> None:
    """The parameters that people know, under the page's strict policy."""
    house, air = await theatre(), Air()
    for parameters, looks in LOOKS.items():
        page = await air.open(house, parameters)
        air.show()
        await expect(page.locator("#reply")).to_be_visible()
        for node, style, value in looks:
            found = await page.locator(node).evaluate("(node, style) => getComputedStyle(node)[style]", style)
            assert found == value, (parameters, style)


async def test_old_browsers_get_their_css_rule_by_rule(theatre: OpenTheatre) -> None:
    """Where a style sheet cannot be made, the rules go into the one that is there; a broken one harms no other."""
    house = await theatre()
    css = quote("#text{color:#010203} nonsense{{{}}} @media all{#label{color:#040506}}")
    page = await house.overlay(f"preview&css={css}", before="delete CSSStyleSheet.prototype.replaceSync;")
    color = "node => getComputedStyle(node).color"
    assert await page.locator("#text").evaluate(color) == "rgb(1, 2, 3)"


async def test_label_and_time_can_be_chosen(theatre: OpenTheatre) -> None:
    """Another label, none, and a shorter stay than the server's."""
    house, air = await theatre(), Air()
    page = await air.open(house, "label=" + quote("虚拟主播"))
    air.show()
    await expect(page.locator("#label")).to_have_text("虚拟主播")
    page = await air.open(house, "label=0")
    air.show()
    await expect(page.locator("#reply")).to_be_visible()
    await expect(page.locator("#label")).to_be_hidden()
    page = await air.open(house, "hideafter=0.3")
    air.show()
    await expect(page.locator("#reply")).to_have_attribute("data-id", REPLY["id"])
    await expect(page.locator("#reply")).to_be_hidden()


async def test_the_loader_waits_for_the_program(theatre: OpenTheatre) -> None:
    """A local file that OBS opens first: it stays empty until the program answers, then it is the overlay."""
    house = await theatre()
    await house.close_doors()
    page = await (await house.context()).new_page()
    loader = Path(__file__).parents[2] / "bot" / "web" / "static" / "loader.html"
    await page.goto(f"{loader.as_uri()}#{house.url(f'/overlay?token={OVERLAY_TOKEN}')}")
    assert await page.evaluate("() => document.body.innerText") == ""
    await house.open_doors()
    await page.wait_for_url("**/overlay?token=*")
    await expect(page).to_have_title("悬浮窗")


async def test_an_own_line_has_no_question(theatre: OpenTheatre) -> None:
    house, air = await theatre(), Air()
    page = await air.open(house)
    air.show(question=None, viewer=None)
    await expect(page.locator("#text")).to_be_visible()
    await expect(page.locator("#quote")).to_be_hidden()


async def test_obs_events_and_the_preview_do_no_harm(theatre: OpenTheatre) -> None:
    """OBS fires its own events at the page; the preview shows a sample without a connection."""
    house = await theatre()
    page = await house.overlay("preview")
    await expect(page.locator("#text")).to_contain_text("晚上好")
    await page.evaluate(
        """() => {
          for (const name of ["obsSourceVisibleChanged", "obsSourceActiveChanged", "obsSceneChanged"])
            dispatchEvent(new CustomEvent(name, { detail: { visible: false, active: false } }));
        }"""
    )
    await expect(page.locator("#text")).to_contain_text("晚上好")


def _operator() -> object:
    """Stands for a person at some other panel; real ones are made at the door."""
    return type("Somebody", (), {"name": "场控"})()
