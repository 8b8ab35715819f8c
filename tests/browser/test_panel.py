"""The panel, in a real browser before the real application: what a person sees, and what a press does."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Route, WebSocketRoute, expect

from adapters.base import AdapterState, Phase
from bot.messages import Event, Kind, Message, MessageId, Viewer, Withdrawn
from moderation.views import shown
from tests.browser.conftest import OpenTheatre
from tests.browser.theatre import LATE_EVENTS, OPERATOR_TOKEN, PHONE, escape_twice, settled
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOSTILE = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'
PING = json.dumps({"event": "ping"})
# The page's own clock, which can be made to stand still: a moment of half a second is over too soon on a busy machine.
STILL = """
const now = performance.now.bind(performance);
window.still = null;
performance.now = () => (window.still === null ? now() : window.still);
"""
STAND_STILL = "() => { window.still = performance.now(); }"
GO_ON = "() => { window.still = null; }"


async def test_keys_pick_and_approve_exactly_the_words_shown(theatre: OpenTheatre) -> None:
    """1–5 choose a draft, F approves it; the audience gets those words."""
    house = await theatre("第一条", "第二条")
    page = await house.panel()
    house.hear("今天玩什么？")
    await settled(page)
    await page.keyboard.press("2")
    await expect(page.locator('.draft[aria-checked="true"] .reply')).to_have_text("第二条")
    await page.keyboard.press("f")
    await expect(page.locator("#air-text")).to_have_text("第二条")
    assert [item["text"] for item in house.items("aired")] == ["第二条"]


async def test_drafts_grow_in_place_and_an_unfinished_one_is_not_approved(theatre: OpenTheatre) -> None:
    """Text is appended to the node that stands there, so a selection survives; F says why it does nothing yet."""
    house = await theatre("晚上好呀朋友们", "来啦", stepped=True)
    page = await house.panel()
    house.hear("晚上好？")
    house.engine.step(2)
    reply = page.locator('.draft[aria-checked="true"] .reply')
    await expect(reply).to_have_text("晚上好呀")
    await expect(page.locator("#card:not([data-early])")).to_be_visible()
    await reply.evaluate(
        "node => { window.node = node.firstChild; getSelection().setBaseAndExtent(window.node, 0, window.node, 4); }"
    )
    house.engine.step(1)
    await expect(reply).to_have_text("晚上好呀朋友们")
    assert await reply.evaluate("node => node.firstChild === window.node")
    assert await page.evaluate("() => String(getSelection())") == "晚上好呀"
    await page.keyboard.press("2")
    await page.keyboard.press("f")
    await expect(page.locator("#notice")).to_contain_text("还在写")
    assert house.items("pending") and not house.items("aired")


async def test_an_edit_survives_everything_that_arrives_meanwhile(theatre: OpenTheatre) -> None:
    """The edit box is no part of what is redrawn: text and caret stay while drafts and cards come in."""
    house = await theatre("原来的话", "另一句")
    page = await house.panel()
    house.hear("在吗？")
    await settled(page)
    await page.keyboard.press("e")
    box = page.locator("#edit-text")
    await expect(box).to_have_value("原来的话")
    await box.press("Home")
    await page.keyboard.type("改过：")
    house.hear("你是谁？", "小明")
    await expect(page.locator("#queue li")).to_have_count(2)
    await expect(box).to_be_focused()
    assert await box.evaluate("node => node.selectionStart") == 3
    await expect(page.locator("#edit-count")).to_have_text("7 / 200 字")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#air-text")).to_have_text("改过：原来的话")
    assert house.items("aired")[0]["edited"] is True


async def test_an_edit_that_was_cancelled_is_still_there(theatre: OpenTheatre) -> None:
    """Esc closes the box, E opens it with the same words."""
    house = await theatre("原来的话")
    page = await house.panel()
    house.hear("在吗？")
    await settled(page)
    await page.keyboard.press("e")
    await page.locator("#edit-text").fill("写了一半")
    await page.keyboard.press("Escape")
    await expect(page.locator("#editor")).to_be_hidden()
    await page.keyboard.press("e")
    await expect(page.locator("#edit-text")).to_have_value("写了一半")


async def test_too_long_an_edit_is_counted_and_not_sent(theatre: OpenTheatre) -> None:
    """Characters count, not UTF-16 units; over the limit the page says so."""
    house = await theatre("原来的话", max_text=10)
    page = await house.panel()
    house.hear("在吗？")
    await settled(page)
    await page.keyboard.press("e")
    await page.locator("#edit-text").fill("😀" * 11)
    await expect(page.locator("#edit-count[data-over]")).to_have_text("11 / 10 字")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#notice")).to_contain_text("太长：11 字")
    assert house.items("pending")


async def test_keys_rest_while_somebody_types(theatre: OpenTheatre) -> None:
    """Letters in a text box are letters, and Enter that ends an input method's composition approves nothing."""
    house = await theatre()
    page = await house.panel()
    house.hear("在吗？")
    await settled(page)
    await page.locator("#say-text").click()
    await page.keyboard.type("fdrup1xjk")
    await expect(page.locator("#say-text")).to_have_value("fdrup1xjk")
    await page.locator("#card").focus()
    await page.evaluate(
        "() => document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true}))"
    )
    await page.keyboard.press("e")  # one round through the page: everything above has been handled
    await expect(page.locator("#edit-text")).to_be_visible()
    assert len(house.items("pending")) == 1
    assert house.show.status()["pause"] == "run"


async def test_a_double_press_decides_one_card(theatre: OpenTheatre) -> None:
    """The next card comes under the finger; the second half of a double press must not approve it unread."""
    house = await theatre()
    page = await house.panel(before=STILL)
    house.hear("第一个问题？", "甲")
    await settled(page)
    house.hear("第二个问题？", "乙")
    await expect(page.locator("#queue li")).to_have_count(2)
    await page.evaluate(STAND_STILL)
    await page.locator("#approve").dblclick()
    await page.keyboard.press("f")
    await expect(page.locator("#viewer")).to_have_text("乙")
    await expect(page.locator('.draft[aria-checked="true"][data-done]')).to_be_visible()
    await page.keyboard.press("f")
    await expect(page.locator("#notice")).to_have_text("卡片刚换，请再看一眼。")
    await page.evaluate(GO_ON)
    await settled(page)
    assert len(house.items("aired")) == 1
    assert [item["message"]["viewer"] for item in house.items("pending")] == ["乙"]


async def test_a_decided_card_does_not_come_back_while_its_event_is_under_way(theatre: OpenTheatre) -> None:
    """The answer to the press is there first: nothing is left to decide, so nothing is shown."""
    house = await theatre("你好呀", "来了")
    page = await house.panel(before=LATE_EVENTS)
    house.hear("在吗？")
    await settled(page)
    await page.keyboard.press("d")
    await expect(page.locator("#notice")).to_contain_text("已丢弃")
    await expect(page.locator("#history li")).to_have_count(1)
    await page.evaluate("new Promise((drawn) => setTimeout(drawn, 50))")
    assert await page.locator("#empty-title").is_visible()


async def test_reject_undo_and_mute(theatre: OpenTheatre) -> None:
    """D rejects, U brings the card back to the front, Shift+D also keeps this viewer out."""
    house = await theatre()
    page = await house.panel()
    house.hear("骂人的话？", "黑粉")
    await settled(page)
    await page.keyboard.press("d")
    await expect(page.locator("#history li")).to_contain_text("已丢弃")
    await expect(page.locator("#empty")).to_be_visible()
    await page.keyboard.press("u")
    await settled(page)
    await expect(page.locator("#viewer")).to_have_text("黑粉")
    await page.keyboard.press("Shift+D")
    await expect(page.locator("#history li")).to_have_count(1)
    who = house.items("rejected")[0]["message"]["viewer_id"]
    assert who in {mute["viewer_id"] for mute in house.show.snapshot()["muted"]}


async def test_edited_words_that_are_taken_back_are_not_lost(theatre: OpenTheatre) -> None:
    """Approved and waiting for its turn, then undone: the edited words stand on the card and are chosen."""
    house = await theatre(least_seconds=60.0, most_seconds=60.0)
    page = await house.panel()
    house.hear("第一个？", "甲")
    await settled(page)
    await page.keyboard.press("f")
    await expect(page.locator("#air-box")).to_be_visible()
    house.hear("第二个？", "乙")
    await expect(page.locator("#viewer")).to_have_text("乙")
    await settled(page)
    await page.keyboard.press("e")
    await page.locator("#edit-text").fill("改得很用心的话")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#approved li")).to_contain_text("改得很用心的话")
    await expect(page.locator("#editor")).to_be_hidden()  # with the answer; until then a letter is a letter
    await page.keyboard.press("u")
    await expect(page.locator('.draft[aria-checked="true"]')).to_contain_text("改得很用心的话")
    await expect(page.locator('.draft[aria-checked="true"]')).to_contain_text("场控改过的话")
    assert len(house.items("pending")) == 1


async def test_drafts_that_are_alike_are_said_to_be(theatre: OpenTheatre) -> None:
    """A small model repeats itself; nobody should have to read the same words twice."""
    house = await theatre("一样的话", "别的话", "一样的话", drafts=3)
    page = await house.panel()
    house.hear("在吗？")
    await expect(page.locator(".draft[data-twin]")).to_have_count(1)
    await expect(page.locator(".draft").nth(2)).to_contain_text("与第 1 条相同")


async def test_recall_takes_the_words_off_the_air(theatre: OpenTheatre) -> None:
    house = await theatre("说错了")
    page = await house.panel()
    overlay = await house.overlay()
    house.hear("在吗？")
    await settled(page)
    await page.keyboard.press("f")
    await expect(overlay.locator("#text")).to_have_text("说错了")
    await expect(page.locator("#air-text")).to_have_text("说错了")
    await page.keyboard.press("x")
    await expect(overlay.locator("#reply")).to_be_hidden()
    await expect(page.locator("#history li")).to_contain_text("已撤回")
    await expect(page.locator("#air-empty")).to_be_visible()


async def test_a_stale_click_is_refused_visibly(theatre: OpenTheatre) -> None:
    """A page that has not heard of another's decision sends its click; the server says no, and the card shows it."""
    house = await theatre("这句话")
    first, second = await house.panel("小周"), await house.panel("小李", ready=False)
    connected: list[WebSocketRoute] = []
    deaf = False

    def through(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        connected.append(server)
        server.on_message(lambda frame: socket.send(PING if deaf else frame))  # silence would be a lost connection

    await second.route_web_socket("**/api/feed", through)
    await second.reload()
    await second.wait_for_selector("html[data-link=live]")
    house.hear("在吗？")
    await settled(first)
    await settled(second)
    deaf = True
    await first.keyboard.press("d")
    await expect(first.locator("#history li")).to_contain_text("已丢弃（小周）")
    await second.keyboard.press("f")
    await expect(second.locator("#notice[data-kind=refused]")).to_contain_text("已被丢弃（小周），你的点击没有生效")
    assert not house.items("aired")
    assert connected


async def test_what_another_operator_decides_is_seen_at_once(theatre: OpenTheatre) -> None:
    """The card stays where it is, says what became of it and by whom, and does not turn into another one."""
    house = await theatre("这句话")
    first, second = await house.panel("小周"), await house.panel("小李", before=STILL)
    house.hear("第一个？", "甲")
    for page in (first, second):
        await settled(page)
    house.hear("第二个？", "乙")
    for page in (first, second):
        await expect(page.locator("#queue li")).to_have_count(2)
    await second.evaluate(STAND_STILL)
    await second.keyboard.press("Shift")  # somebody is there: else the page goes on by itself after a while
    await first.keyboard.press("d")
    await expect(first.locator("#viewer")).to_have_text("乙")
    await expect(second.locator("#stamp-text")).to_have_text("已丢弃（小周）")
    await expect(second.locator("#viewer")).to_have_text("甲")
    await expect(second.locator("#approve")).to_be_disabled()
    await second.keyboard.press("f")
    await expect(second.locator("#notice")).to_contain_text("已经处理过了：已丢弃（小周）")
    await second.keyboard.press("j")
    await expect(second.locator("#viewer")).to_have_text("乙")
    await expect(second.locator("#parts")).to_contain_text("场控 2 人")


async def test_the_list_never_moves_under_the_cursor(theatre: OpenTheatre) -> None:
    """While the pointer is in a list, arrivals collect behind "N 条新内容" and what has gone stays, dimmed."""
    house = await theatre(max_pending=0)
    page = await house.panel()
    house.hear("第一句", "甲")
    house.hear("第二句", "乙")
    rows = page.locator("#waiting li")
    await expect(rows).to_have_count(2)
    await rows.nth(0).hover()
    before = [await rows.nth(i).bounding_box() for i in range(2)]
    for number in range(3):
        house.hear(f"插队的 {number}", f"老板 {number}", Kind.SUPER_CHAT, 30.0)
    await expect(page.locator("#waiting-more")).to_have_text("3 条新内容")
    assert [await rows.nth(i).bounding_box() for i in range(2)] == before
    house.show.pause("drop", by=_somebody())
    await expect(page.locator("#waiting li[data-gone]")).to_have_count(2)
    await expect(rows.nth(0).locator("button")).to_be_disabled()
    assert [await rows.nth(i).bounding_box() for i in range(2)] == before
    await page.mouse.move(700, 300)
    await expect(page.locator("#waiting-empty")).to_be_visible()


async def test_new_ones_show_when_asked_for(theatre: OpenTheatre) -> None:
    """The "N new" button, and N on the keyboard."""
    house = await theatre(max_pending=0)
    page = await house.panel()
    house.hear("第一句", "甲")
    await page.locator("#waiting li").hover()
    house.hear("老板来了", "老板", Kind.SUPER_CHAT, 30.0)
    await page.locator("#waiting-more").click()
    await expect(page.locator("#waiting li")).to_have_count(2)
    await expect(page.locator("#waiting li").first).to_contain_text("老板来了")


async def test_a_message_that_was_passed_over_is_answered_with_one_tap(theatre: OpenTheatre) -> None:
    """The list says why, and the button makes it a card."""
    house = await theatre("补上一句")
    page = await house.panel()
    house.show.pause("drop", by=_somebody())
    house.hear("没赶上的话？", "小明")
    row = page.locator("#passed li")
    await expect(row).to_contain_text("暂停时清空")
    house.show.pause("run", by=_somebody())
    await row.get_by_role("button", name="回答它").click()
    await expect(page.locator("#question")).to_have_text("没赶上的话？")


async def test_hostile_names_and_words_are_only_text(theatre: OpenTheatre) -> None:
    """Nothing that a viewer or the model writes becomes markup, on the panel or on the overlay."""
    house = await theatre(HOSTILE, f"二 {HOSTILE}")
    page, overlay = await house.panel(), await house.overlay()
    house.hear(HOSTILE, HOSTILE)
    await expect(page.locator("#held .words")).to_have_text(HOSTILE)
    await expect(page.locator("#held .by b")).to_have_text(HOSTILE)
    await page.get_by_role("button", name="放行").click()
    await settled(page)
    await expect(page.locator("#viewer")).to_have_text(HOSTILE)
    await expect(page.locator("#question")).to_have_text(HOSTILE)
    await expect(page.locator(".draft .reply").first).to_have_text(HOSTILE)
    await page.keyboard.press("f")
    await expect(page.locator("#let-words")).to_have_text(HOSTILE)
    await page.locator("#let-reason").fill(HOSTILE)
    await page.keyboard.press("Enter")
    await expect(overlay.locator("#text")).to_have_text(HOSTILE)
    await expect(page.locator("#air-text")).to_have_text(HOSTILE)
    await page.keyboard.press("x")
    await expect(page.locator("#history li .words")).to_have_text(HOSTILE)
    await expect(page.locator("#history li .note")).to_contain_text(f"放行理由：{HOSTILE}")
    for one in (page, overlay):
        assert await one.evaluate("() => window.pwned") is None
        assert await one.locator("#columns img, #reply img, body script").count() == 0


async def test_flagged_words_are_underlined_with_the_reason(theatre: OpenTheatre) -> None:
    """Positions count characters: an emoji before the word must not shift the mark."""
    house = await theatre("😀😀去看 www.example.com 吧")
    page = await house.panel()
    house.hear("有什么好看的？")
    await settled(page)
    marked = page.locator(".draft mark").first
    await expect(marked).to_contain_text("www.example.com")
    assert "underline" in await marked.evaluate("node => getComputedStyle(node).textDecorationLine")
    await expect(page.locator(".draft .reasons li").first).to_contain_text("⚑")
    await expect(page.locator(".draft .reply").first).to_have_text("😀😀去看 www.example.com 吧")


async def test_what_hides_or_turns_the_text_around_is_written_out(theatre: OpenTheatre) -> None:
    """As `moderation.views.shown` does it, so that the words of the screen are those that are approved."""
    text = "好\u202e坏\u200b了\x07\U000e0041👨‍👩‍👧❤️"
    house = await theatre(text)
    page = await house.panel()
    house.hear("你好")
    await settled(page)
    assert shown(text).text == "好⟨U+202E⟩坏⟨U+200B⟩了⟨U+0007⟩⟨U+E0041⟩👨‍👩‍👧❤️"
    await expect(page.locator(".draft .reply").first).to_have_text(shown(text).text)


async def test_a_lost_connection_dims_the_page_and_stops_every_button(theatre: OpenTheatre) -> None:
    """Nothing pressed meanwhile is sent, then or later; when the server is back, so is the page."""
    house = await theatre()
    page = await house.panel()
    house.hear("在吗？")
    await settled(page)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    await house.close_doors()
    await page.wait_for_selector("html[data-link=lost]")
    await expect(page.locator("#banner")).to_contain_text("连接已断开")
    assert float(await page.locator("#columns").evaluate("node => getComputedStyle(node).opacity")) < 0.6
    buttons = page.locator("#actions button, #queue button, #pauses button, #stop, #air button, #say button")
    for button in await buttons.all():
        await expect(button).to_be_disabled()
    for key in ("f", "d", "r", "p"):
        await page.keyboard.press(key)
    await escape_twice(page)
    await expect(page.locator("#notice")).to_contain_text("没有发送")
    await house.open_doors()
    await page.wait_for_selector("html[data-link=live]")
    await expect(page.locator("#approve")).to_be_enabled()
    assert sent == []
    assert len(house.items("pending")) == 1


async def test_a_request_without_an_answer_is_never_sent_again(theatre: OpenTheatre) -> None:
    """It may have taken effect: the page says so and leaves the rest to the person."""
    house = await theatre()
    page = await house.panel()
    house.hear("在吗？")
    await settled(page)
    tries: list[str] = []

    async def swallow(route: Route) -> None:
        tries.append(route.request.url)
        await route.abort()

    await page.route("**/approve", swallow)
    await page.keyboard.press("f")
    await expect(page.locator("#notice")).to_contain_text("不会自动重试")
    assert len(tries) == 1


# What the button of the emergency stop says, one after the other.
KEEP_STOP = """() => {
  const node = document.querySelector("#stop-text");
  window.stops = [];
  new MutationObserver(() => window.stops.push(node.textContent)).observe(node, { childList: true });
}"""


async def test_two_escapes_stop_everything_even_while_typing(theatre: OpenTheatre) -> None:
    """One Esc only warns, for a moment; two clear the overlay and pause."""
    house = await theatre("正在播的话")
    page, overlay = await house.panel(), await house.overlay()
    house.hear("在吗？")
    await settled(page)
    await page.keyboard.press("f")
    await expect(overlay.locator("#text")).to_have_text("正在播的话")
    await page.evaluate(KEEP_STOP)
    await page.locator("#say-text").click()
    await page.keyboard.press("Escape")
    await page.wait_for_function("() => window.stops.length === 2")
    assert await page.evaluate("() => window.stops") == ["再按一次 Esc 急停", "急停"]
    await expect(overlay.locator("#text")).to_have_text("正在播的话")
    await page.locator("#say-text").click()
    await escape_twice(page)
    await expect(overlay.locator("#reply")).to_be_hidden()
    await expect(page.locator("#banner")).to_contain_text("已暂停")
    assert house.show.status()["pause"] == "hold"
    await page.keyboard.press("p")
    await until(lambda: house.show.status()["pause"] == "run")


async def test_pause_keeps_or_drops(theatre: OpenTheatre) -> None:
    """Two different buttons: one keeps the cards, one lets them go."""
    house = await theatre()
    page = await house.panel()
    house.hear("在吗？")
    await settled(page)
    await page.locator("#pauses [data-mode=hold]").click()
    await expect(page.locator("#pauses [data-mode=hold]")).to_have_attribute("aria-pressed", "true")
    await page.keyboard.press("f")
    await expect(page.locator("#notice[data-kind=refused]")).to_contain_text("暂停中")
    await page.locator("#pauses [data-mode=drop]").click()
    await expect(page.locator("#history li")).to_contain_text("已丢弃")
    assert house.items("pending") == []


async def test_an_own_line_and_a_line_of_the_model(theatre: OpenTheatre) -> None:
    """The box says words of the operator's, or lets the model go on from them."""
    house = await theatre("天气真好，出去走走吧。")
    page = await house.panel()
    box = page.locator("#say-text")
    await expect(box).to_have_attribute("placeholder", "以 小芽 的名义……")
    await box.fill("大家先喝口水。")
    await box.press("Control+Enter")
    await expect(page.locator("#air-text")).to_have_text("大家先喝口水。")
    await expect(box).to_have_value("")
    await box.fill("说到天气，")
    await page.get_by_role("button", name="让模型接着写").click()
    await expect(page.locator(".draft .reply").first).to_have_text("说到天气，天气真好，出去走走吧。")
    await expect(page.locator("#viewer")).to_have_text("自由发言")


async def test_more_drafts_join_the_card(theatre: OpenTheatre) -> None:
    """R asks for more and moves nothing that is there; an edit can be the beginning of more."""
    house = await theatre("一", "二", "三", "四")
    page = await house.panel()
    house.hear("在吗？")
    await settled(page)
    await expect(page.locator("#more")).to_be_enabled()  # not before the model has ended
    await page.keyboard.press("2")
    await page.keyboard.press("r")
    await expect(page.locator(".draft[data-done]")).to_have_count(4)
    await expect(page.locator('.draft[aria-checked="true"] .reply')).to_have_text("二")
    await expect(page.locator("#more")).to_be_enabled()
    await page.keyboard.press("e")
    await page.locator("#edit-text").fill("其实")
    await page.get_by_role("button", name="以此开头再写几条").click()
    await expect(page.locator(".draft[data-done]")).to_have_count(6)
    await expect(page.locator(".draft .reply").nth(4)).to_contain_text("其实")


async def test_an_answer_that_was_lost_is_said_on_the_card(theatre: OpenTheatre) -> None:
    """The engine's crash costs this answer; the card stays and More tries again."""
    house = await theatre("再试就好了", stepped=True)
    page = await house.panel()
    house.hear("在吗？")
    await expect(page.locator("#viewer")).to_have_text("阿强")
    house.engine.fail("模型进程意外退出，请再试一次。")
    await expect(page.locator("#no-drafts")).to_contain_text("模型进程意外退出")
    await page.locator("#more").click()
    house.engine.step(4)
    await expect(page.locator(".draft[data-done]")).to_have_count(2)


SOUND = """
window.tones = 0;
class Still { setValueAtTime() {} linearRampToValueAtTime() {} exponentialRampToValueAtTime() {} }
const node = () => ({ gain: new Still(), frequency: {}, connect: (next) => next, start() { window.tones++; }, stop() {} });
window.AudioContext = class { state = "running"; currentTime = 0; destination = {}; createGain = node; createOscillator = node; };
"""


async def test_a_sound_only_when_the_queue_was_empty_or_somebody_paid(theatre: OpenTheatre) -> None:
    """One tone for the first card, none for the second, two for a super chat, none when it is switched off."""
    house = await theatre()
    page = await house.panel(before=SOUND)
    await page.keyboard.press("Shift")  # a browser lets no page sound before somebody has touched it
    rows = page.locator("#queue li")
    house.hear("第一句？", "甲")
    await expect(rows).to_have_count(1)
    assert await page.evaluate("() => window.tones") == 1
    house.hear("第二句？", "乙")
    await expect(rows).to_have_count(2)
    assert await page.evaluate("() => window.tones") == 1
    house.hear("加油", "老板", Kind.SUPER_CHAT, 30.0)
    await expect(rows).to_have_count(3)
    assert await page.evaluate("() => window.tones") == 3
    await page.keyboard.press("m")
    house.hear("再加油", "老板", Kind.SUPER_CHAT, 30.0)
    await expect(rows).to_have_count(4)
    assert await page.evaluate("() => window.tones") == 3
    assert (await page.title()).startswith("(4) ")


async def test_the_phone_has_two_decisions_under_the_thumb(theatre: OpenTheatre) -> None:
    """64 px high, 24 px apart, reject left, approve right; the emergency stop alone at the top; swiping picks."""
    house = await theatre("第一条", "第二条")
    page = await house.panel(viewport=PHONE, has_touch=True, is_mobile=True)
    house.hear("今天玩什么？")
    await settled(page)
    reject, approve = await page.locator("#reject").bounding_box(), await page.locator("#approve").bounding_box()
    stop = await page.locator("#stop").bounding_box()
    assert reject and approve and stop
    assert (reject["height"], approve["height"]) == (64, 64)
    assert approve["x"] - (reject["x"] + reject["width"]) == 24
    assert reject["y"] == approve["y"] > PHONE["height"] * 0.75
    assert stop["y"] < 60 and stop["height"] >= 48
    assert await page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    await page.locator("#drafts").evaluate("node => node.scrollTo({ left: node.scrollWidth })")
    await expect(page.locator('.draft[aria-checked="true"] .reply')).to_have_text("第二条")
    await page.locator("#approve").tap()
    await until(lambda: [item["text"] for item in house.items("aired")] == ["第二条"])
    await expect(page.locator("#empty")).to_be_visible()  # the answer is here: what it says closes the sheet
    await page.get_by_role("button", name="播出 · 候场 · 记录").tap()
    await expect(page.locator("#air-text")).to_have_text("第二条")
    await page.locator("#air").get_by_role("button", name="撤回").tap()
    await expect(page.locator("#air-empty")).to_be_visible()


INSIDE = """() => {
  const card = document.querySelector("#card").getBoundingClientRect();
  const out = [...document.querySelectorAll("#actions button, #card-head")].filter((node) => {
    const box = node.getBoundingClientRect();
    return box.left < card.left || box.right > card.right || box.bottom > innerHeight;
  });
  const { scrollWidth, scrollHeight } = document.documentElement;
  return [out.map((node) => node.id), scrollWidth <= innerWidth, scrollHeight <= innerHeight];
}"""


async def test_nothing_is_cut_off(theatre: OpenTheatre) -> None:
    """At every size and in both languages the decisions lie inside the card, and the page does not scroll."""
    house = await theatre("晚上好呀")
    page = await house.panel()
    house.hear("长" * 120, "名字很长很长的一位观众朋友", Kind.SUPER_CHAT, 1000.0)
    await settled(page)
    for mute in ("禁言 10 分钟", "Mute 10 min"):
        await expect(page.locator("#hush-text")).to_have_text(mute)
        for width, height in ((360, 640), (390, 844), (760, 760), (1024, 700), (1280, 720), (1440, 900)):
            await page.set_viewport_size({"width": width, "height": height})
            await page.wait_for_function("([w, h]) => innerWidth === w && innerHeight === h", arg=[width, height])
            assert await page.evaluate(INSIDE) == [[], True, True], (width, height)
        await page.keyboard.press("l")


async def test_the_help_lists_every_command_and_a_key_can_be_changed(theatre: OpenTheatre) -> None:
    """One table drives keys, buttons and help: a new key works, and the button shows it."""
    house = await theatre()
    page = await house.panel()
    house.hear("在吗？")
    await settled(page)
    await page.keyboard.press("?")
    await expect(page.locator("#help-keys dt")).to_have_count(
        await page.evaluate("() => import('/static/keys.js').then((keys) => keys.COMMANDS.length)")
    )
    await page.locator("#help-keys [data-id=reject]").click()
    await page.keyboard.press("q")
    await expect(page.locator("#help-keys [data-id=reject]")).to_have_text("Q")
    await page.keyboard.press("Escape")
    await expect(page.locator("#reject kbd")).to_have_text("Q")
    await page.keyboard.press("d")
    await page.keyboard.press("q")
    await expect(page.locator("#history li")).to_have_count(1)


async def test_both_languages_are_complete(theatre: OpenTheatre) -> None:
    """Every text that the pages ask for exists, in Chinese and in English."""
    house = await theatre()
    page = await house.panel()
    static = Path(__file__).parents[2] / "bot" / "web" / "static"
    asked = await page.evaluate("() => [...document.querySelectorAll('[data-t]')].map((node) => node.dataset.t)")
    missing = await page.evaluate(
        "(asked) => import('/static/texts.js').then(({ t }) => asked.filter((key) => t(key) === key))", asked
    )
    assert asked and missing == []
    for name in ("card", "lists", "panel", "notices", "surroundings", "status_bar", "quiet_list", "keys", "login"):
        source = (static / f"{name}.js").read_text(encoding="utf-8")
        keys = [part.split('"')[0] for part in source.split('t("')[1:] if "." in part.split('"')[0]]
        missing = await page.evaluate(
            "(asked) => import('/static/texts.js').then(({ t }) => asked.filter((key) => t(key) === key))", keys
        )
        assert missing == [], name
    await page.keyboard.press("l")
    await expect(page.locator("#approve")).to_contain_text("Approve")
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    answer = await page.evaluate("() => import('/static/api.js').then(({ post }) => post('/api/say', { text: 3 }))")
    assert answer["message"] == "Bad request: text must be a text"
    chinese = await page.evaluate(
        "() => [...document.querySelectorAll('[data-t]')].map((n) => n.textContent).filter((s) => /[\\u4e00-\\u9fff]/.test(s))"
    )
    assert set(chinese) == {"中文"}


async def test_sign_in_with_a_wrong_and_a_right_token(theatre: OpenTheatre) -> None:
    """A stranger gets the form; a wrong token is said; the right one opens the panel under the given name."""
    house = await theatre("这句话")
    context = await house.context()
    page = await context.new_page()
    house.watch(page)
    await page.goto(house.url())
    await page.locator("#token").fill("wrong")
    await page.keyboard.press("Enter")
    await expect(page.locator("#wrong")).to_contain_text("令牌不对")
    await page.locator("#token").fill(OPERATOR_TOKEN)
    await page.locator("#name").fill("小周")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("html[data-link=live]")
    house.hear("在吗？")
    await settled(page)
    await page.keyboard.press("f")
    await expect(page.locator("#air-who")).to_contain_text("小周")


async def test_the_form_waits_for_its_script(theatre: OpenTheatre) -> None:
    """Sent by the browser itself, before the script is there, the token would be lost and the form empty again."""
    house = await theatre()
    page = await (await house.context()).new_page()
    house.watch(page)
    here = asyncio.Event()

    async def slow(route: Route) -> None:
        await here.wait()
        await route.continue_()

    await page.route("**/static/login.js", slow)
    await page.goto(house.url(), wait_until="commit")
    await page.wait_for_selector("#login", state="attached")
    await expect(page.locator("#login")).to_be_hidden()
    here.set()
    await expect(page.locator("#token")).to_be_focused()
    await page.keyboard.type(OPERATOR_TOKEN)
    await page.keyboard.press("Enter")
    await page.wait_for_selector("html[data-link=live]")


async def test_a_panel_whose_session_has_ended_shows_the_form(theatre: OpenTheatre) -> None:
    """Under its own address, so that signing in leads back to it."""
    house = await theatre()
    page = await house.panel()
    await page.context.clear_cookies()
    await house.close_doors()
    await page.wait_for_selector("html[data-link=lost]")
    await house.open_doors()
    await page.fill("#token", OPERATOR_TOKEN)
    await page.press("#token", "Enter")
    await page.wait_for_selector("html[data-link=live]")


async def test_theme_follows_the_system_and_the_choice(theatre: OpenTheatre) -> None:
    """Dark or light as the system says; a choice stands above it and is remembered."""
    house = await theatre()
    page = await house.panel(color_scheme="light")
    ground = "() => getComputedStyle(document.body).backgroundColor"
    light = await page.evaluate(ground)
    await page.keyboard.press("t")
    dark = await page.evaluate(ground)
    assert light != dark
    await page.reload()
    await page.wait_for_selector("html[data-link=live]")
    assert await page.evaluate(ground) == dark
    assert json.loads(await page.evaluate("() => localStorage.getItem('cohost.theme')")) == "dark"


CONTRAST = """() => {
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const color = numbers(getComputedStyle(node).backgroundColor);
      if (color.length === 3) return color;
    }
  };
  const of = (selector) => {
    const node = document.querySelector(selector);
    const [a, b] = [light(numbers(getComputedStyle(node).color)), light(ground(node))].sort((x, y) => y - x);
    return [selector, (a + 0.05) / (b + 0.05)];
  };
  const least = { ".draft .reply": 7, ".draft mark": 4.5, ".reasons li": 4.5, "#question": 4.5, "#age": 4.5, "#approve": 4.5, "#stop": 4.5,
    "#reject": 4.5, ".badge": 4.5, "#parts span": 4.5, "#queue .ask": 4.5, "#waiting-empty": 4.5, "#pauses [aria-pressed=true]": 4.5 };
  return Object.keys(least).map(of).filter(([selector, ratio]) => ratio < least[selector]);
}"""


@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_everything_can_be_read(theatre: OpenTheatre, scheme: str) -> None:
    """4.5:1 at least, 7:1 for the reply; the reply is the largest text, the viewer's words come second."""
    house = await theatre("去看 www.example.com 吧")
    page = await house.panel(color_scheme=scheme)
    house.hear("有什么好看的？")
    await settled(page)
    assert await page.evaluate(CONTRAST) == []
    size = "node => parseFloat(getComputedStyle(node).fontSize)"
    assert 22 <= await page.locator(".draft .reply").first.evaluate(size) <= 28
    assert await page.locator("#question").evaluate(size) == 16


def _somebody() -> object:
    """Stands for an operator elsewhere; real ones are made at the door."""
    return type("Somebody", (), {"name": "别处的场控"})()


class Platform:
    """A platform whose state the test sets."""

    name = "bilibili"

    def __init__(self) -> None:
        self.state = AdapterState(Phase.LIVE, last_message=time.time(), received=12, reconnects=3)

    async def messages(self) -> AsyncIterator[Event]:
        await asyncio.Event().wait()
        yield Withdrawn("bilibili")


async def test_a_platforms_troubles_are_seen_where_its_state_is(theatre: OpenTheatre) -> None:
    """When it is called again, what was missed, who is masked: in the strip, in full in its tip."""
    house, platform = await theatre("好呀"), Platform()
    listening = asyncio.create_task(house.show.listen(platform))
    page = await house.panel()
    part = page.locator('#parts [data-part="adapter bilibili"]')
    await expect(part).to_contain_text("有消息")
    platform.state.become(Phase.WAITING, "连接断开：对方关闭", next_try=time.time() + 95)
    platform.state.note("gap", "断线 12 秒，期间的消息没有收到", time.time(), 600)
    await expect(part).to_contain_text("秒后重连")
    assert "重连 3 次。连接断开：对方关闭" in (await part.get_attribute("title") or "")
    notice = page.locator("#parts [data-notice]")
    await expect(notice).to_have_text("B 站 ⚑断线 12 秒，期间的消息没有收到")
    platform.state.unnote("gap")
    await expect(notice).to_have_count(0)
    listening.cancel()


async def test_a_message_that_the_platform_deletes_is_marked_on_its_card(theatre: OpenTheatre) -> None:
    """On the card, in the queue and on the air; among those passed over it has no button."""
    house = await theatre("第一条", "第二条")
    page = await house.panel()
    house.hear("今天玩什么？")
    await settled(page)
    house.show.withdraw(Withdrawn("test", frozenset({MessageId("m1")})))
    await expect(page.locator("#findings")).to_contain_text("平台已撤回该消息")
    await expect(page.locator("#queue .flagged")).to_have_text("⚑")
    await page.keyboard.press("f")
    await expect(page.locator("#air-who")).to_contain_text("平台已撤回该消息")
    house.show.operators_changed(0)  # so that the next one waits
    house.hear("几点下播？", "小明")
    await expect(page.locator("#waiting li")).to_have_count(1)
    house.show.withdraw(Withdrawn("test", frozenset({MessageId("m2")})))
    row = page.locator("#passed li")
    await expect(row).to_contain_text("平台已撤回")
    await expect(row.locator("button")).to_be_hidden()


async def test_a_viewer_whom_nobody_knows_is_marked_and_cannot_be_muted(theatre: OpenTheatre) -> None:
    house = await theatre("好呀")
    page = await house.panel()
    masked = Viewer("test", "", "观***")
    house.show.hear(Message(MessageId("m1"), Kind.DANMAKU, masked, "今天玩什么？", time=time.time()))
    await settled(page)
    await expect(page.locator("#badges")).to_contain_text("身份不明")
    await expect(page.locator("#mute")).to_be_disabled()
    await expect(
        page.locator("#card button[data-command=reject], #actions button[data-command=reject]").first
    ).to_be_enabled()
