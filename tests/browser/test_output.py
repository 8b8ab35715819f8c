"""The reading page in a real browser: reading, searching, the reader's choices, taking the story away, paper."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from bot.desk.steps import Checkpointed
from bot.scenario import Line, Origin
from tests.browser.conftest import OpenTheatre
from tests.browser.theatre import PHONE, Theatre
from tests.chapter.stories import png
from tests.chapter.test_forms import LOG
from tests.web.scenes import ISLAND, STORY, record

pytestmark = pytest.mark.asyncio(loop_scope="session")

CHECKPOINTS = (Checkpointed("k1", "第一夜：灯塔", "o2"), Checkpointed("k2", "第二夜", "m1"))
SHOWN = [f"{line.character}：{line.text}" if line.character else line.text for line in STORY]


async def island(theatre: OpenTheatre) -> Theatre:
    house = await theatre()
    house.save.library.create(ISLAND, avatars={"小铃": png()})
    record(house.save, "s1", STORY, *CHECKPOINTS)
    return house


async def read(page: Page) -> list[str]:
    """The words that can be seen, a line each."""
    texts: list[str] = await page.evaluate(
        "[...document.querySelectorAll('#story h2, #story p:not(.series)')]"
        ".filter((node) => node.checkVisibility()).map((node) => node.innerText.trim())"
    )
    return texts


async def painted(page: Page, name: str) -> list[str]:
    """What the browser's highlights cover."""
    words: list[str] = await page.evaluate(
        "(name) => [...CSS.highlights.get(name)].map((r) => r.startContainer.data.slice(r.startOffset, r.endOffset))",
        name,
    )
    return words


async def sheets(page: Page) -> int:
    """How many pages it has on paper."""
    return len(re.findall(rb"/Type\s*/Page\b", await page.pdf()))


async def test_a_story_is_read(theatre: OpenTheatre) -> None:
    """Names, words and headings as they are; markup is words; where a line came from is not to be seen."""
    house = await island(theatre)
    page = await house.page("/output?scene=s1")
    await expect(page).to_have_title("灯塔")
    await expect(page.locator("#story h1")).to_have_text("灯塔")
    assert await read(page) == [
        "小铃：你醒了？先别动，喝口热水。",
        "我：这是哪儿？",
        "第一夜：灯塔",
        "窗外的雾散开了一条缝。\n海是灰的。",
        "小铃：数台阶。一百零八级，一级也没少。",
        "第二夜",
        "渔夫：“船来了！”他喊。",
        "我：<b>雾</b> 又起来了。",
    ]
    assert await page.locator("#story img.face").count() == 2
    assert await page.locator("#story img.face").first.evaluate(
        "(image) => image.decode().then(() => image.naturalWidth)"
    )
    await expect(page.locator("#contents a")).to_have_text(["第一夜：灯塔", "第二夜"])


async def test_the_reader_chooses_how_to_read(theatre: OpenTheatre) -> None:
    """Names, opening, headings, marks, letters; it is remembered, and exports are asked for likewise."""
    house = await island(theatre)
    page = await house.page("/output?scene=s1")
    await page.get_by_role("button", name="版式").click()
    for name in ("名字", "前置剧情", "检查点作章节标题"):
        await page.get_by_label(name, exact=True).uncheck()
    await page.get_by_label("“”").check()
    await page.get_by_label("黑体").check()
    await page.locator("[name=size]").fill("24")
    wanted = [
        "窗外的雾散开了一条缝。\n海是灰的。",
        "“数台阶。一百零八级，一级也没少。”",
        "“船来了！”他喊。",
        "“<b>雾</b> 又起来了。”",
    ]
    assert await read(page) == wanted
    await expect(page.locator("#contents")).to_be_hidden()
    await page.reload()
    await expect(page.locator("#story")).to_have_css("font-size", "24px")
    assert await read(page) == wanted
    for form in ("md", "txt", "html", "epub", "log"):
        link = page.locator(f"#forms a[data-form={form}]")
        await expect(link).to_have_attribute(
            "href", re.compile(f"names=0.*opening=0&headings=0&quotes=curly&form={form}")
        )


async def test_a_choice_that_cannot_be_is_the_usual_one(theatre: OpenTheatre) -> None:
    """What an older page has remembered does not make the story unreadable."""
    house = await island(theatre)
    page = await house.page("/login")
    await page.evaluate("""localStorage.setItem("cohost.reading", '{"font": "runes", "size": 0, "quotes": 7}')""")
    await page.goto(house.url("/output?scene=s1"))
    await expect(page.locator("#story")).to_have_css("font-size", "15px")
    await expect(page.locator("#story")).to_have_attribute("data-font", "serif")


async def test_the_story_is_searched_while_one_types(theatre: OpenTheatre) -> None:
    """`/` goes there; places are counted and painted; Enter goes round; a line leads to the desk; Esc ends it."""
    house = await island(theatre)
    page = await house.page("/output?scene=s1")
    await expect(page.locator("#story p").first).to_be_visible()
    await page.keyboard.press("/")
    await page.keyboard.type("雾")
    await expect(page.locator("#count")).to_have_text("1 / 2")
    assert await painted(page, "found") == ["雾", "雾"]
    assert await page.locator("#story .words *").count() == 0, "nothing is put into the words"
    await page.keyboard.press("Enter")
    await expect(page.locator("#count")).to_have_text("2 / 2")
    await expect(page.locator("#story p.here")).to_have_text(re.compile("又起来了"))
    await expect(page.get_by_role("link", name="在写作台看这一条")).to_have_attribute("href", "/desk?scene=s1&line=p1")
    await page.keyboard.press("Enter")
    await expect(page.locator("#count")).to_have_text("1 / 2")
    await page.keyboard.press("Shift+Enter")
    await expect(page.locator("#count")).to_have_text("2 / 2")
    await page.get_by_role("button", name="上一处").click()
    await expect(page.locator("#count")).to_have_text("1 / 2")
    await expect(page).to_have_url(house.url("/output?scene=s1&q=%E9%9B%BE"))
    await page.locator("#find").fill("<b>")
    assert await painted(page, "here") == ["<b>"]
    await page.locator("#find").fill("没有的字")
    await expect(page.locator("#count")).to_have_text("没有")
    await page.locator("#find").press("Escape")
    await expect(page.locator("#found")).to_be_hidden()
    assert await painted(page, "found") == []
    await expect(page).to_have_url(house.url("/output?scene=s1"))


async def test_words_in_the_address_are_found_at_once(theatre: OpenTheatre) -> None:
    """And not in an opening that is not shown."""
    house = await island(theatre)
    page = await house.page("/output?scene=s1&q=热水")
    await expect(page.locator("#count")).to_have_text("1 / 1")
    await page.get_by_role("button", name="版式").click()
    await page.get_by_label("前置剧情").uncheck()
    await expect(page.locator("#count")).to_have_text("没有")


async def test_a_long_story_is_searched_and_its_place_shown(theatre: OpenTheatre) -> None:
    """2,000 lines, every one of them a place, and the last one far below."""
    house = await theatre()
    lines = [Line("我", f"第 {number} 行，灯还亮着。", Origin.PERSON, f"l{number}") for number in range(2000)]
    record(house.save, "s1", lines)
    page = await house.page("/output?scene=s1")
    await page.locator("#find").fill("灯")
    await expect(page.locator("#count")).to_have_text("1 / 2000")
    await page.locator("#find").press("Shift+Enter")
    await expect(page.locator("#count")).to_have_text("2000 / 2000")
    await expect(page.get_by_text("第 1999 行")).to_be_in_viewport()
    await page.locator("#find").fill("第 1000 行")
    await expect(page.get_by_text("第 1000 行")).to_be_in_viewport()


async def test_a_place_leads_to_its_line_at_the_desk(theatre: OpenTheatre) -> None:
    """In the middle of a long scene."""
    house = await theatre()
    house.save.library.create(ISLAND)
    record(house.save, "s1", [Line("我", f"第 {n} 行，灯还亮着。", Origin.PERSON, f"l{n}") for n in range(400)])
    page = await house.page("/output?scene=s1&q=第 200 行")
    await page.get_by_role("link", name="在写作台看这一条").click()
    line = page.locator("#story .line", has_text="第 200 行")
    await expect(line).to_be_focused()
    await expect(line).to_be_in_viewport()


async def test_every_form_is_taken_from_the_page(theatre: OpenTheatre, tmp_path: Path) -> None:
    """Files with the title for a name."""
    house = await island(theatre)
    page = await house.page("/output?scene=s1")
    ends = {"md": ".md", "txt": ".txt", "html": ".html", "epub": ".epub", "log": "_Log.json"}
    for form, end in ends.items():
        await page.get_by_role("button", name="导出").click()
        async with page.expect_download() as started:
            await page.locator(f"#forms a[data-form={form}]").click()
        download = await started.value
        assert download.suggested_filename == f"灯塔{end}"
        await download.save_as(tmp_path / f"story{end}")
        await page.keyboard.press("Escape")
    assert "## 第一夜：灯塔" in (tmp_path / "story.md").read_text(encoding="utf-8")
    assert zipfile.ZipFile(tmp_path / "story.epub").testzip() is None


async def test_the_html_file_is_the_story_in_a_browser_too(theatre: OpenTheatre, tmp_path: Path) -> None:
    """Opened from the disk it asks for nothing, shows its pictures, its words are words, and it goes on paper too."""
    house = await island(theatre)
    reading = await house.page("/output?scene=s1")
    answer = await reading.request.get(house.url("/api/reading/export?scene=s1&form=html"))
    file = tmp_path / "story.html"
    file.write_bytes(await answer.body())
    page = await reading.context.new_page()
    house.watch(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(file.as_uri())
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]
    assert await page.locator("section p").all_inner_texts() == SHOWN
    assert await sheets(page) == 3
    assert 'url("data:image/png' in await page.locator(".face").first.evaluate(
        "(face) => getComputedStyle(face).backgroundImage"
    )


async def test_the_text_is_copied(theatre: OpenTheatre) -> None:
    """As it is exported."""
    house = await island(theatre)
    page = await house.page("/output?scene=s1", permissions=["clipboard-read", "clipboard-write"])
    await page.get_by_role("button", name="导出").click()
    await page.get_by_role("button", name="复制为文本").click()
    await expect(page.locator("#said")).to_have_text(re.compile("已复制 .* 字"))
    copied = await page.evaluate("navigator.clipboard.readText()")
    answer = await page.request.get(house.url("/api/reading/export?scene=s1&form=txt"))
    assert copied == await answer.text()


async def test_a_log_goes_on_at_the_desk(theatre: OpenTheatre) -> None:
    """As a scene of its own, which the desk opens."""
    house = await island(theatre)
    (house.save.library.folder("雾岛", "初见") / LOG.name).write_bytes(LOG.read_bytes())
    page = await house.page(f"/output?series=雾岛&name=初见&log={LOG.name}")
    await page.get_by_role("button", name="导出").click()
    await page.get_by_role("button", name="在写作台接着写").click()
    await expect(page).to_have_url(re.compile("/desk\\?scene="))
    assert {row.id for row in house.save.desk.scenes()} == {"s1", page.url.partition("=")[2].partition("&")[0]}


async def test_paper_gets_the_story_alone(theatre: OpenTheatre) -> None:
    """No bars; black on white in a dark theme; each heading begins a page; words that were found are not marked."""
    house = await island(theatre)
    page = await house.page("/output?scene=s1&q=雾", color_scheme="dark")
    await expect(page.locator("#count")).to_have_text("1 / 2")
    assert await sheets(page) == 3, "what comes before, and two headings"
    await page.emulate_media(media="print")
    for part in ("#top", "#bar", "#contents", "#look", "#take"):
        await expect(page.locator(part)).to_be_hidden()
    await expect(page.locator("#story p.said").first).to_have_css("color", "rgb(0, 0, 0)")
    await expect(page.locator("#story h2").last).to_have_css("break-before", "page")


async def test_all_stories_are_listed_and_searched(theatre: OpenTheatre) -> None:
    """Without a story in the address; a place that was found leads into its story."""
    house = await island(theatre)
    record(house.save, "s2", STORY[:2], title="<i>另一个</i>", changed=2000.0)
    page = await house.page("/output")
    await expect(page.locator("#stories > li b").first).to_have_text("<i>另一个</i>")
    await page.keyboard.press("/")
    await page.keyboard.type("<b>雾")
    await expect(page.locator("#searched")).to_have_text("1 个故事里找到「<b>雾」。")
    await expect(page.locator("#stories mark")).to_have_text("<b>雾")
    await page.locator("#stories a").click()
    await expect(page.locator("#count")).to_have_text("1 / 1")
    await expect(page.locator("#story h1")).to_have_text("灯塔")
    await page.go_back()
    await expect(page.locator("#stories mark")).to_have_text("<b>雾")
    await page.locator("#everywhere").press("Escape")
    await expect(page.locator("#stories > li")).to_have_count(2)


async def test_a_story_without_words_says_so(theatre: OpenTheatre) -> None:
    """Nothing yet, or nothing but the opening, which is hidden."""
    house = await island(theatre)
    record(house.save, "empty", ())
    record(house.save, "opening", STORY[:2])
    page = await house.page("/output?scene=empty")
    await expect(page.locator("#nothing")).to_have_text("这个故事还没有内容。")
    await page.goto(house.url("/output?scene=opening"))
    await expect(page.locator("#nothing")).to_have_text("")
    await page.get_by_role("button", name="版式").click()
    await page.get_by_label("前置剧情").uncheck()
    await expect(page.locator("#nothing")).to_have_text(re.compile("只有前置剧情"))


async def test_a_story_that_is_gone_is_said(theatre: OpenTheatre) -> None:
    """In the server's words, over the list of those that there are."""
    house = await island(theatre)
    page = await house.page("/output?scene=nowhere")
    await expect(page.locator("#said")).to_have_text(re.compile("没有这个场景"))
    await expect(page.locator("#stories > li")).to_have_count(1)


async def test_everything_can_be_reached_on_a_phone(theatre: OpenTheatre) -> None:
    """Nothing is wider than the screen, and what is pressed is 44 pixels high."""
    house = await island(theatre)
    page = await house.page("/output?scene=s1&q=雾", viewport=PHONE, has_touch=True)
    await expect(page.locator("#count")).to_have_text("1 / 2")
    for opener, sheet in (("目录", "#contents"), ("版式", "#look"), ("导出", "#take")):
        await page.get_by_role("button", name=opener).tap()
        await expect(page.locator(sheet)).to_be_visible()
        small = await page.evaluate(
            """() => [...document.querySelectorAll("#bar button, #bar a, #find, .sheet a, .sheet button, .sheet label")]
               .filter((node) => node.checkVisibility() && node.getBoundingClientRect().height < 43.5)
               .map((node) => node.outerHTML)"""
        )
        assert small == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        await page.keyboard.press("Escape")
        await expect(page.locator(sheet)).to_be_hidden()
    await page.get_by_role("button", name="目录").tap()
    await page.get_by_role("link", name="第二夜").tap()
    await expect(page.locator("#contents")).to_be_hidden()
    await expect(page.get_by_role("heading", name="第二夜")).to_be_in_viewport()


async def test_old_bookmarks_open_the_page(theatre: OpenTheatre) -> None:
    """Of the program that this one follows."""
    house = await island(theatre)
    page = await house.page("/Tester/Output.html")
    await expect(page).to_have_url(house.url("/output"))
