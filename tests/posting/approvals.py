"""Approved words for tests, made in the only way there is."""

from __future__ import annotations

from bot.approval import ApprovalQueue, Approved, Draft, Item, ItemId, Operator


def approved(text: str, item_id: str = "a") -> Approved:
    queue = ApprovalQueue(lambda item, decision: None, max_text=5000)
    queue.open(Item(ItemId(item_id), 0.0, "小芽", drafts=(Draft("x", True),)))
    queue.approve(item_id, 1, text, Operator("Anna"), 1.0)
    return queue.air(item_id, 2.0, 8.0)
