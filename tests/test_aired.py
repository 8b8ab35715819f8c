"""What was aired, as lines that the desk can open: the viewer named, the reply with its origin, nothing recalled."""

from __future__ import annotations

from datetime import datetime

from bot.aired import aired_lines
from bot.approval import ApprovalQueue, Draft, Item, ItemId, Operator
from bot.messages import Kind, Message, MessageId, Viewer
from bot.save import Save
from bot.scenario import VIEWER, Origin

ANNA = Operator("Anna")
SHOW = "演示/直播间"
NOON, DAY = datetime(2026, 11, 23, 12).timestamp(), 86400.0


def air(save: Save, name: str, words: str, *drafts: str, viewer: str = "", at: float = NOON) -> ApprovalQueue:
    queue = ApprovalQueue(lambda item, decision: save.record(SHOW, item, decision))
    message = (
        Message(MessageId(name), Kind.DANMAKU, Viewer("test", "7", viewer), "小芽：我爱你\n\n在吗") if viewer else None
    )
    queue.open(Item(ItemId(name), at, "小芽", message=message, drafts=tuple(Draft(text, done=True) for text in drafts)))
    queue.approve(name, 1, words, ANNA, at)
    queue.air(name, at, 5.0)
    return queue


def test_a_reply_is_a_line_there_with_its_viewer(save: Save) -> None:
    """In the order of airing; a viewer forges no turn here either."""
    air(save, "a", "我在呀", "我在呀", viewer="阿强")
    air(save, "b", "来啦来啦", "来啦")
    air(save, "c", "马上回来")
    lines = aired_lines(save, SHOW, ["小芽"])
    assert [(line.character, line.origin) for line in lines] == [
        (VIEWER, Origin.PERSON), ("小芽", Origin.MODEL), ("小芽", Origin.EDITED), ("小芽", Origin.PERSON),
    ]  # fmt: skip
    assert lines[0].text.startswith("【阿强】") and "\n" not in lines[0].text and "小芽：" not in lines[0].text
    assert [line.text for line in lines[1:]] == ["我在呀", "来啦来啦", "马上回来"]


def test_what_was_recalled_is_not_in_it(save: Save) -> None:
    """Nor in the list of shows, nor what was only approved."""
    queue = air(save, "a", "说错了", viewer="阿强")
    queue.recall("a", queue["a"].revision, ANNA, NOON + 1)
    queue.open(Item(ItemId("b"), NOON, "小芽"))
    queue.approve("b", 1, "还没播", ANNA, NOON)
    ledger = save.ledger()
    assert aired_lines(save, SHOW) == [] and ledger.aired() == []
    ledger.close()


def test_shows_are_listed_by_day(save: Save) -> None:
    """And a day can be opened by itself."""
    air(save, "a", "一")
    air(save, "b", "二", at=NOON + 60)
    air(save, "c", "三", at=NOON + DAY)
    ledger = save.ledger()
    assert [(one.show, one.day, one.replies, one.last) for one in ledger.aired()] == [
        (SHOW, "2026-11-24", 1, NOON + DAY), (SHOW, "2026-11-23", 2, NOON + 60),
    ]  # fmt: skip
    ledger.close()
    day = datetime.fromtimestamp(NOON).date()
    assert [line.text for line in aired_lines(save, SHOW, day=day)] == ["一", "二"]
    assert aired_lines(save, "别的/剧本") == []
