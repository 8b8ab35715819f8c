"""A record such as weeks of broadcasts leave behind, made by the real queue; for pages and for measuring."""

from __future__ import annotations

import random

from bot.approval import ApprovalQueue, Draft, Item, ItemId, Operator
from bot.messages import Kind, Message, MessageId, Viewer
from bot.save import Generation, Outcome, Place, Save

ANNA = Operator("Anna")
DAY = 86400.0


def broadcasts(save: Save, days: int, until: float, *, cards: int = 20, seed: int = 1) -> None:
    """Ends at `until` (seconds since 1970). Every third day is off."""
    dice = random.Random(seed)
    for number in range(days):
        if number % 3 != 2:
            broadcast(save, dice, until - number * DAY, f"d{number}", cards)


def broadcast(save: Save, dice: random.Random, begin: float, name: str, cards: int) -> None:
    queue = ApprovalQueue(lambda item, decision: save.record("演示/直播间", item, decision))
    for number in range(dice.randint(cards // 2, cards)):
        at, character = begin + 30.0 * number, dice.choice(["小芽", "小芽", "小铃"])
        message = Message(MessageId(f"{name}-{number}"), Kind.DANMAKU, Viewer("test", "7", "阿强"), "今天玩什么")
        drafts = tuple(Draft(text, done=True) for text in ("今天玩拼图呀", "先热热身吧", "听你们的"))
        item = Item(ItemId(f"{name}-{number}"), at, character, lifetime=25.0, message=message, drafts=drafts)
        queue.open(item)
        decide(queue, item, dice, at + dice.expovariate(1 / 6))
        seconds = dice.uniform(0.8, 3.0)
        outcome = dice.choices(list(Outcome), [20, 2, 1])[0]
        save.generations.record(
            Generation(Place.SHOW, "演示/直播间", character, at, seconds, seconds / 4, 3, dice.randint(10, 60), outcome)
        )


def decide(queue: ApprovalQueue, item: Item, dice: random.Random, at: float) -> None:
    way = dice.choices(["first", "second", "edited", "reject", "expire", "recall", "wait"], [8, 3, 4, 3, 2, 1, 0.3])[0]
    if way == "expire":
        queue.expire(item.created + 25.0)
    elif way == "reject":
        queue.reject(item.id, 1, ANNA, at)
    elif way != "wait":
        at = min(at, item.created + 24.0)
        words = {"first": item.drafts[0].text, "second": item.drafts[1].text}.get(way, "今天就玩拼图")
        queue.approve(item.id, 1, words, ANNA, at)
        queue.air(item.id, at + 1.0, 5.0)
        if way == "recall":
            queue.recall(item.id, queue[item.id].revision, ANNA, at + 2.0)
        else:
            queue.finish(item.id, at + 6.0)
