"""The checks at the panel: what they found, the reason that lets words through, the held lane, mutes and word lists."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenTheatre
from tests.browser.theatre import PHONE, escape_twice, settled
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

KEEPS_FOCUS = """() => {
  const { close } = HTMLDialogElement.prototype;
  HTMLDialogElement.prototype.close = function () {
    close.call(this);
    queueMicrotask(() => (window.kept = this.contains(document.activeElement)));
  };
}"""
"""`window.kept`: whether the box that was closed last still had the focus, before anything else could happen."""

BLOCKED = "去看 www.example.com 吧"


async def test_a_blocked_draft_goes_out_with_a_reason_and_only_with_one(theatre: OpenTheatre) -> None:
    """F asks why; Enter without a word does nothing; the reason stands in the history."""
    house = await theatre(BLOCKED, least_seconds=0.2, most_seconds=0.2)
    page = await house.panel()
    house.hear("有什么好看的？")
    await settled(page)
    await expect(page.locator(".draft .reasons").first).to_contain_text("拦下")
    await page.keyboard.press("f")
    await expect(page.locator("#let")).to_be_visible()
    await expect(page.locator("#let-words mark")).to_contain_text("example.com")
    await expect(page.locator("#let-reason")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#let-notice")).to_have_text("请先写理由。")
    assert not house.items("aired")
    await page.keyboard.type("自家的网站")
    await page.keyboard.press("Enter")
    await expect(page.locator("#let")).to_be_hidden()
    await expect(page.locator("#history li")).to_contain_text("放行理由：自家的网站")
    assert [item["override"] for item in house.items("done")] == ["自家的网站"]


async def test_esc_lets_nothing_through(theatre: OpenTheatre) -> None:
    """The card stays, and F asks again."""
    house = await theatre(BLOCKED)
    page = await house.panel()
    house.hear("有什么好看的？")
    await settled(page)
    await page.keyboard.press("f")
    await page.keyboard.type("写了一半")
    await page.keyboard.press("Escape")
    await expect(page.locator("#let")).to_be_hidden()
    assert house.items("pending")
    await page.keyboard.press("f")
    await expect(page.locator("#let-reason")).to_have_value("")


async def test_a_key_right_after_esc_is_not_lost(theatre: OpenTheatre) -> None:
    """The closed box does not keep the focus until the page is drawn again."""
    house = await theatre(BLOCKED)
    page = await house.panel()
    house.hear("有什么好看的？")
    await settled(page)
    await page.keyboard.press("f")
    await expect(page.locator("#let-reason")).to_be_focused()
    opened = await page.evaluate(
        """() => {
            const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
            press("Escape");
            press("f");
            return document.querySelector("#let").open;
        }"""
    )
    assert opened, "F was lost in the closed box"


async def test_what_is_forbidden_is_not_asked_about(theatre: OpenTheatre) -> None:
    """A forged turn can only be changed, and the page says so."""
    house = await theatre("观众：我爱你")
    page = await house.panel()
    house.hear("有什么好看的？")
    await settled(page)
    await expect(page.locator(".draft .reasons").first).to_contain_text("只能改")
    await page.keyboard.press("f")
    await expect(page.locator("#notice[data-kind=refused]")).to_contain_text("只能改")
    await expect(page.locator("#let")).to_be_hidden()
    assert house.items("pending")


async def test_what_is_being_written_is_checked_meanwhile(theatre: OpenTheatre) -> None:
    """The edit box shows what approval would find, and nothing once it is mended."""
    house = await theatre("原来的话")
    page = await house.panel()
    house.hear("在吗？")
    await settled(page)
    await page.keyboard.press("e")
    await expect(page.locator("#edit-found")).to_be_hidden()
    await page.locator("#edit-text").fill(BLOCKED)
    await expect(page.locator("#edit-marked mark")).to_contain_text("example.com")
    await expect(page.locator("#edit-reasons")).to_contain_text("拦下")
    await page.locator("#edit-text").fill("去看看吧")
    await expect(page.locator("#edit-found")).to_be_hidden()
    await page.locator("#edit-text").fill(BLOCKED)
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#let-words")).to_have_text(BLOCKED)
    await page.keyboard.type("自家的网站")
    await page.keyboard.press("Enter")
    await expect(page.locator("#air-text")).to_have_text(BLOCKED)


async def test_a_finding_names_its_category_and_its_list(theatre: OpenTheatre) -> None:
    """In the viewer's words too; in English the category is English."""
    house = await theatre("好的")
    page = await house.panel()
    house.hear("你脑残吗？")
    await settled(page)
    await expect(page.locator("#question mark")).to_have_text("脑残")
    await expect(page.locator("#findings li")).to_contain_text("辱骂")
    assert "辱骂" in str(await page.locator("#findings li").get_attribute("title"))
    await page.keyboard.press("l")
    await expect(page.locator("#findings li")).to_contain_text("Insult")


async def test_a_word_is_seen_in_what_is_marked_as_a_whole(theatre: OpenTheatre) -> None:
    """Where findings overlap the gravest is shown: the link, not the length."""
    text = f"{'很' * 205}{BLOCKED}{'长' * 5}"
    house = await theatre(text, max_text=300)
    page = await house.panel()
    house.hear("说一段？")
    await settled(page)
    marks = page.locator(".draft").first.locator("mark")
    await expect(marks.and_(page.locator('[data-level="block"]'))).to_have_text("www.example.com")
    assert await marks.count() > 1
    await expect(page.locator(".draft .reply").first).to_have_text(text)


async def test_a_held_message_is_released_or_dropped(theatre: OpenTheatre) -> None:
    """H goes to the first, Enter lets it go on; the other button drops it; it is listed in one place only."""
    house = await theatre("谢谢分享")
    page = await house.panel()
    house.hear("快看 www.example.com", "甲")
    house.hear("加群看 www.example.org", "乙")
    rows = page.locator("#held > li")
    await expect(rows).to_have_count(2)
    await expect(rows.first.locator("mark")).to_have_text("[网址]")
    await expect(rows.first.locator(".reasons")).to_contain_text("拦下")
    await expect(page.locator("#passed li")).to_have_count(0)
    await expect(page.locator("#parts")).to_contain_text("拦下 2")
    await rows.first.get_by_role("button", name="丢弃").click()
    await expect(page.locator("#held > li[data-gone]")).to_have_count(1)
    await page.mouse.move(700, 300)
    await expect(rows).to_have_count(1)
    await expect(page.locator("#passed li")).to_contain_text("加群看")
    await page.keyboard.press("h")
    await expect(rows.first.get_by_role("button", name="放行")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#held-box")).to_be_hidden()
    await expect(page.locator("#viewer")).to_have_text("甲")
    await expect(page.locator("#question")).to_have_text("快看 [网址]")


async def test_the_same_key_mutes_a_viewer_and_lifts_it(theatre: OpenTheatre) -> None:
    """The card stays; the list of the muted has a button as well."""
    house = await theatre()
    page = await house.panel()
    house.hear("在吗？", "话多")
    await settled(page)
    await page.keyboard.press("Shift+M")
    await expect(page.locator("#hush")).to_contain_text("已禁言")
    await expect(page.locator("#muted li")).to_contain_text("话多")
    assert [mute["viewer"] for mute in house.show.snapshot()["muted"]] == ["话多"]
    await expect(page.locator("#hush")).to_be_enabled()  # the answer is here, too
    await page.keyboard.press("Shift+M")
    await expect(page.locator("#muted-box")).to_be_hidden()
    await expect(page.locator("#hush")).to_contain_text("禁言 10 分钟")
    await page.locator("#hush").click()
    await page.locator("#muted").get_by_role("button", name="解除").click()
    await expect(page.locator("#muted-box")).to_be_hidden()
    assert house.items("pending") and house.show.snapshot()["muted"] == []


async def test_a_word_is_stopped_from_the_keyboard(theatre: OpenTheatre) -> None:
    """W takes what is selected; the proposals that have it are marked at once, and it can be removed again."""
    house = await theatre("我是紫薯精", "我是小芽")
    page = await house.panel()
    house.hear("你是谁？")
    await settled(page)
    await page.locator(".draft .reply").first.evaluate(
        "node => getSelection().setBaseAndExtent(node.firstChild, 2, node.firstChild, 5)"
    )
    await page.evaluate(KEEPS_FOCUS)
    await page.keyboard.press("w")
    await expect(page.locator("#word-text")).to_have_value("紫薯精")
    await page.keyboard.press("Enter")
    await expect(page.locator("#word")).to_be_hidden()
    await expect(page.locator(".draft").first.locator("mark")).to_have_text("紫薯精")
    assert "紫薯精" in house.save.own_words()
    assert await page.evaluate("window.kept") is False, "a key right behind it would be lost"
    await page.keyboard.press("w")
    await expect(page.locator("#word-text")).to_have_value("紫薯精")
    await page.get_by_role("button", name="从词表删掉").click()
    await expect(page.locator(".draft mark")).to_have_count(0)
    assert "紫薯精" not in house.save.own_words()


async def test_a_word_that_cannot_be_listed_says_why(theatre: OpenTheatre) -> None:
    """The box stays open with the reason."""
    house = await theatre()
    page = await house.panel()
    await page.keyboard.press("w")
    await page.locator("#word-text").fill("主播")
    await page.keyboard.press("Enter")
    await expect(page.locator("#word-notice")).to_contain_text("误伤")
    await page.locator("#word-text").fill("的")
    await page.keyboard.press("Enter")
    await expect(page.locator("#word-notice")).to_contain_text("两个字以上")
    await expect(page.locator("#word")).to_be_visible()


async def test_a_listed_word_can_be_allowed_where_it_blocks(theatre: OpenTheatre) -> None:
    """One button on the question "why": from then on F approves without asking."""
    house = await theatre("你这个王八蛋")
    page = await house.panel()
    await house.show.list_word("王八蛋", "block", by=_somebody())
    house.hear("骂我一句？")
    await settled(page)
    await page.keyboard.press("f")
    await page.get_by_role("button", name="以后都放行“王八蛋”").click()
    await expect(page.locator("#let")).to_be_hidden()
    await expect(page.locator(".draft mark")).to_have_count(0)
    await page.keyboard.press("f")
    await expect(page.locator("#air-text")).to_have_text("你这个王八蛋")
    assert house.items("aired")[0]["override"] == ""


async def test_keys_rest_while_a_reason_is_written_and_the_emergency_does_not(theatre: OpenTheatre) -> None:
    """Letters are letters in it; Esc twice stops the show from anywhere."""
    house = await theatre(BLOCKED)
    page = await house.panel()
    house.hear("有什么好看的？")
    await settled(page)
    await page.keyboard.press("f")
    await page.keyboard.type("fdrupxjkwh")
    await expect(page.locator("#let-reason")).to_have_value("fdrupxjkwh")
    assert house.items("pending")
    await escape_twice(page)
    await until(lambda: house.show.status()["pause"] == "hold")


async def test_one_thumb_lets_words_through_and_releases_messages(theatre: OpenTheatre) -> None:
    """On a phone everything is reached, and nothing is wider than the screen."""
    house = await theatre(BLOCKED)
    page = await house.panel(viewport=PHONE, has_touch=True, is_mobile=True)
    house.hear("有什么好看的？")
    house.hear("快看 www.example.com", "甲")
    await settled(page)
    await page.locator("#approve").tap()
    await expect(page.locator("#let")).to_be_visible()
    await page.locator("#let-reason").fill("自家的网站")
    await page.get_by_role("button", name="放行这一次").tap()
    await expect(page.locator("#let")).to_be_hidden()
    await expect(page.locator("#empty")).to_be_visible()  # the answer is here: what it says closes the sheet
    await page.locator("#phone-bar button").first.tap()
    await page.locator('#tabs [data-tab="viewers"]').tap()
    button = page.locator("#held").get_by_role("button", name="放行")
    box = await button.bounding_box()
    assert box is not None and box["height"] >= 44
    await button.tap()
    await expect(page.locator("#viewer")).to_have_text("甲")
    await expect(page.locator("#held-box")).to_be_hidden()
    assert await page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def _somebody() -> object:
    """Stands for an operator elsewhere; real ones are made at the door."""
    return type("Somebody", (), {"name": "别处的场控"})()
