"""A person rules over what is heard: held messages go on or stay out, and viewers are not heard for a while."""

from __future__ import annotations

from collections.abc import Callable

from bot.approval import ItemId, Operator, Refused
from bot.held import MUTE_SECONDS, Held, HeldLane, Mutes
from bot.intake import Intake
from bot.messages import Viewer
from bot.save import Save, SaveError


class Rulings:
    """`changed` is called after each of them. Mutes outlive a restart; a disk that refuses is told to `save_failed`, and
    the mute is in effect all the same."""

    def __init__(
        self,
        intake: Intake,
        held: HeldLane,
        mutes: Mutes,
        save: Save,
        clock: Callable[[], float],
        changed: Callable[[], None],
        save_failed: Callable[[SaveError], None],
    ) -> None:
        self._intake = intake
        self._held = held
        self._mutes = mutes
        self._save = save
        self._clock = clock
        self._changed = changed
        self._save_failed = save_failed
        self._with_item: dict[ItemId, Viewer] = {}
        mutes.load(save.recollect("mutes") or "[]")

    # -- messages --------------------------------------------------------------------------------------------------

    def release(self, message_id: str, by: Operator) -> None:
        """A held message waits for its turn like the others: a person has read it."""
        self._intake.release(self._take_held(message_id).message, self._clock())
        self._changed()

    def dismiss(self, message_id: str, by: Operator) -> None:
        """A held message stays out."""
        self._intake.dismiss(self._take_held(message_id).message, self._clock())
        self._changed()

    def _take_held(self, message_id: str) -> Held:
        held = self._held.take(message_id)
        if held is None:
            raise Refused("not_found", "这条弹幕已不在拦下的里面。 This message is no longer held.")
        return held

    # -- viewers ---------------------------------------------------------------------------------------------------

    def mute(self, viewer: Viewer, by: Operator) -> None:
        """This viewer is not heard for ten minutes, and what waits of theirs is passed over."""
        if not viewer.known:
            raise Refused(
                "anonymous",
                "平台没有说这是谁，不能只禁言这一位。 Nobody knows who this is: they cannot be muted alone.",
            )
        now = self._clock()
        self._mutes.put(viewer, now + MUTE_SECONDS)
        self._intake.mute(viewer, now)
        self._remember()

    def unmute(self, viewer: Viewer, by: Operator) -> None:
        if not self._mutes.lift(*viewer.key):
            raise Refused("not_found", "这位观众没有被禁言，或者时间已到。 This viewer is not muted.")
        self._remember()

    def mute_with(self, item: ItemId, viewer: Viewer, by: Operator) -> None:
        """Together with the rejection of a card."""
        self._with_item[item] = viewer
        self.mute(viewer, by)

    def lift_with(self, item: ItemId) -> None:
        """The rejection is taken back, and the mute that came with it."""
        viewer = self._with_item.pop(item, None)
        if viewer is not None and self._mutes.lift(*viewer.key):
            self._remember()

    def forget_items(self) -> None:
        """Other cards are on the board: a mute that came with one of the old ones is lifted by itself, or by hand."""
        self._with_item.clear()

    def _remember(self) -> None:
        try:
            self._save.remember("mutes", self._mutes.dump())
        except SaveError as error:
            self._save_failed(error)
        self._changed()
