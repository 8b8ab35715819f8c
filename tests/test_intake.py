"""The waiting room: who is next, who gives way, and a reason for everyone who gets no answer."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bot.intake import EXPIRY, MOST_OTHERS, Intake, PassReason, WaitClass, Waiting, Why
from bot.messages import Kind, Message, MessageId, Role, Viewer, Withdrawn

NOW = 1000.0


def a_message(
    id: str,
    text: str = "你好",
    viewer: str | None = None,
    *,
    kind: Kind = Kind.DANMAKU,
    price: float | None = None,
    roles: frozenset[Role] = frozenset(),
) -> Message:
    return Message(MessageId(id), kind, Viewer("test", viewer or f"v{id}", "阿强", roles), text, price)


def an_intake(*messages: Message, limit: int = 200) -> Intake:
    intake = Intake(limit=limit, names=("小麦",))
    for message in messages:
        intake.put(message, NOW)
    return intake


def ids(intake: Intake, now: float = NOW) -> list[str]:
    return [one.message.id for one in intake.waiting(now)]


def reasons(intake: Intake) -> dict[str, PassReason]:
    return {one.message.id: one.reason for one in intake.passed}


@pytest.mark.parametrize(
    ("message", "klass"),
    [
        (a_message("1", "加油", kind=Kind.SUPER_CHAT, price=30.0), WaitClass.SUPER_CHAT),
        (a_message("1", "", kind=Kind.SUPER_CHAT, price=30.0), WaitClass.SUPER_CHAT),
        (a_message("1", "", kind=Kind.GUARD), WaitClass.GUARD),
        (a_message("1", "小心心 x3", kind=Kind.GIFT), WaitClass.GIFT_TEXT),
        (a_message("1", "", kind=Kind.GIFT, price=1.0), WaitClass.GIFT_TEXT),
        (a_message("1", "小麦晚上好"), WaitClass.MENTION),
        (a_message("1", "主 播 在吗"), WaitClass.MENTION),
        (a_message("1", "今天玩什么"), WaitClass.QUESTION),
        (a_message("1", "真的?"), WaitClass.QUESTION),
        (a_message("1", "what game is this"), WaitClass.QUESTION),
        (a_message("1", "晚上好"), WaitClass.OTHER),
        (a_message("1", "whatever"), WaitClass.OTHER),
    ],
)
def test_each_message_has_its_class(message: Message, klass: WaitClass) -> None:
    """Super chat, guard, gift, mention, question, other."""
    assert [one.klass for one in an_intake(message).waiting(NOW)] == [klass]


def test_the_classes_are_served_in_order() -> None:
    """However late it came, a super chat goes first; of two paid ones the older."""
    intake = an_intake(
        a_message("other", "晚上好"),
        a_message("question", "今天玩什么"),
        a_message("mention", "小麦唱歌好听"),
        a_message("gift", "小心心", kind=Kind.GIFT),
        a_message("guard", "", kind=Kind.GUARD),
        a_message("chat1", "一", kind=Kind.SUPER_CHAT, price=1.0),
        a_message("chat2", "二", kind=Kind.SUPER_CHAT, price=100.0),
    )
    served = [one.message.id for _ in range(7) if (one := intake.next(NOW))]
    assert served == ["chat1", "chat2", "guard", "gift", "mention", "question", "other"]
    assert intake.next(NOW) is None


def test_within_a_class_the_score_decides_and_says_why() -> None:
    """A question that several ask goes before another; a member before a stranger; each reason has a code."""
    intake = an_intake(
        a_message("1", "今天吃的什么"),
        a_message("2", "明天播吗"),
        a_message("3", "明天播吗？"),
        a_message("4", "后天呢", roles=frozenset({Role.MEMBER})),
    )
    first, second, third = intake.waiting(NOW)
    assert (first.message.id, second.message.id, third.message.id) == ("2", "4", "1")
    assert set(first.reasons) == {Why.QUESTION, Why.MANY_ASK, Why.NEW_VIEWER}
    assert first.score == pytest.approx(0.25 + 0.15 + 0.15 + 0.05)


def test_freshness_fades() -> None:
    """The same message is worth less as it ages, and never less than nothing for its age."""
    intake = an_intake(a_message("1", "", kind=Kind.GUARD))
    scores = [intake.waiting(NOW + age)[0].score for age in (-5.0, 0.0, 30.0, 60.0, 90.0)]
    assert scores == pytest.approx([scores[0], scores[0], scores[0] - 0.025, scores[0] - 0.05, scores[0] - 0.05])


@pytest.mark.parametrize("klass", list(WaitClass))
def test_each_class_expires_in_its_time(klass: WaitClass) -> None:
    """At its time, not before; and the reason is kept."""
    message = {
        WaitClass.SUPER_CHAT: a_message("1", kind=Kind.SUPER_CHAT),
        WaitClass.GUARD: a_message("1", kind=Kind.GUARD),
        WaitClass.GIFT_TEXT: a_message("1", kind=Kind.GIFT),
        WaitClass.MENTION: a_message("1", "小麦好"),
        WaitClass.QUESTION: a_message("1", "好吗？"),
        WaitClass.OTHER: a_message("1", "好"),
    }[klass]
    intake = an_intake(message)
    assert ids(intake, NOW + EXPIRY[klass] - 0.1) == ["1"]
    assert ids(intake, NOW + EXPIRY[klass]) == []
    assert reasons(intake) == {"1": PassReason.EXPIRED}


def test_expiry_can_be_set_by_class() -> None:
    """A setting for one class leaves the others as they are."""
    intake = Intake(expiry={WaitClass.OTHER: 5.0})
    intake.put(a_message("1", "好"), NOW)
    intake.put(a_message("2", "好吗？"), NOW)
    assert ids(intake, NOW + 5) == ["2"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("你好", "你好！！"),
        ("你好", "你 好 呀"),
        ("６６６", "666"),
        ("哈哈哈哈", "哈哈哈哈哈哈"),
        ("我们今天晚上一起玩什么游戏", "我们今天晚上一起玩什么游戏好"),
        ("GG", "gg"),
    ],
)
def test_the_same_words_of_another_viewer_merge(first: str, second: str) -> None:
    """Equal but for width, case, punctuation, soft endings or a letter: one card, and it counts."""
    (one,) = an_intake(a_message("1", first), a_message("2", second)).waiting(NOW)
    assert [message.id for message in one.messages] == ["1", "2"]
    assert Why.MANY_ASK in one.reasons


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("我们今天晚上一起打第1关吧大家说好不好", "我们今天晚上一起打第2关吧大家说好不好"),
        ("今天晚上打什么游戏", "明天晚上打什么游戏"),
        ("你好", "再见"),
        ("打不过", "打得过"),
        ("？", "！"),
        ("😀", "😭"),
        ("66", "666"),
    ],
)
def test_other_words_do_not_merge(first: str, second: str) -> None:
    """Another number, a short text with another letter, another emoji is another matter."""
    assert len(an_intake(a_message("1", first), a_message("2", second)).waiting(NOW)) == 2


def test_a_viewer_who_repeats_counts_once() -> None:
    """Saying it five times does not make five people."""
    intake = an_intake(*(a_message(str(n), "唱歌！", viewer="v") for n in range(5)))
    assert [one.messages[0].id for one in intake.waiting(NOW)] == ["0"]
    assert intake.waiting(NOW)[0].others == ()
    assert set(reasons(intake).values()) == {PassReason.DUPLICATE}


def test_merged_messages_are_bounded() -> None:
    """A thousand who say the same make one card with a bounded list; the rest have a reason."""
    intake = an_intake(*(a_message(str(n), "唱歌") for n in range(100)))
    (one,) = intake.waiting(NOW)
    assert len(one.others) == MOST_OTHERS
    assert len(intake.passed) == 99 - MOST_OTHERS


def test_paid_messages_never_merge() -> None:
    """Everyone who paid gets a card, and a plain one never hides behind a paid one."""
    paid = {"kind": Kind.SUPER_CHAT, "price": 30.0}
    intake = an_intake(a_message("1", "加油", **paid), a_message("2", "加油", **paid), a_message("3", "加油"))  # type: ignore[arg-type]
    assert ids(intake) == ["1", "2", "3"]
    intake.put(a_message("4", "加油", **paid), NOW)  # type: ignore[arg-type]
    assert ids(intake) == ["1", "2", "4", "3"]


def test_what_expires_or_is_taken_takes_those_who_asked_the_same_along() -> None:
    """Everyone merged shares the card's fate."""
    intake = an_intake(a_message("1", "唱歌"), a_message("2", "唱歌"), a_message("3", "跳舞"), a_message("4", "跳舞"))
    taken = intake.take("4", NOW)
    assert taken and [message.id for message in taken.messages] == ["3", "4"]
    intake.waiting(NOW + 100)
    assert reasons(intake) == {"1": PassReason.EXPIRED, "2": PassReason.EXPIRED}


def test_after_an_answer_the_viewer_rests() -> None:
    """What else this viewer has waiting, and what comes in the next seconds, is passed over; what was paid for is not."""
    asked = a_message("1", "今天玩什么", viewer="v")
    intake = an_intake(asked, a_message("2", "明天播吗", viewer="v"), a_message("3", "后天播吗", viewer="w"))
    intake.put(a_message("0", "", viewer="v", kind=Kind.GUARD), NOW)
    intake.take("1", NOW)
    intake.answered(asked, NOW)
    intake.put(a_message("4", "喂喂", viewer="v"), NOW + 19.9)
    intake.put(a_message("5", "喂喂", viewer="v", kind=Kind.SUPER_CHAT, price=1.0), NOW + 19.9)
    intake.put(a_message("6", "在不在", viewer="v"), NOW + 20.0)
    assert ids(intake, NOW + 20) == ["5", "0", "3", "6"]
    assert reasons(intake) == {"2": PassReason.COOLDOWN, "4": PassReason.COOLDOWN}


def test_the_same_words_are_not_answered_twice_in_ten_minutes() -> None:
    """The memory begins when the answer was published, and fades."""
    asked = a_message("1", "今天玩什么？")
    intake = an_intake(asked)
    intake.next(NOW)
    intake.put(a_message("2", "今天玩什么"), NOW + 1)
    assert ids(intake, NOW + 1) == ["2"], "it was taken, not answered"
    intake.take("2", NOW + 1)
    intake.answered(asked, NOW + 1)
    intake.put(a_message("3", "今天玩什么呀"), NOW + 600)
    intake.put(a_message("4", "今天玩什么呀"), NOW + 601)
    assert ids(intake, NOW + 601) == ["4"]
    assert reasons(intake) == {"3": PassReason.ANSWERED_RECENTLY}


def test_a_viewer_who_was_just_chosen_stands_back() -> None:
    """One viewer's flood does not fill every card while others wait."""
    intake = an_intake(*(a_message(str(n), text, viewer="v") for n, text in enumerate(["吃了吗", "睡了吗", "走了吗"])))
    intake.put(a_message("w", "来了吗", viewer="w"), NOW)
    served = [one.message.id for _ in range(4) if (one := intake.next(NOW))]
    assert served == ["0", "w", "1", "2"]


@pytest.mark.parametrize("kind", [Kind.ENTER, Kind.FOLLOW, Kind.LIKE, Kind.DANMAKU, Kind.GIFT])
def test_what_says_nothing_passes_over(kind: Kind) -> None:
    """Coming in, following, liking, and words that nobody can see."""
    intake = an_intake(a_message("1", "", kind=kind), a_message("2", " \u200b\u3164", kind=kind))
    assert ids(intake) == []
    assert set(reasons(intake).values()) == {PassReason.NO_TEXT}


def test_what_a_check_holds_passes_over_until_an_operator_asks_for_it() -> None:
    """Held with a reason, and one tap away from an answer."""
    intake = Intake()
    intake.put(a_message("1", kind=Kind.SUPER_CHAT, price=30.0), NOW, findings_hold=True)
    assert reasons(intake) == {"1": PassReason.BLOCKED}
    taken = intake.take("1", NOW + 500)
    assert taken and taken.reasons == (Why.OPERATOR,) and taken.expires == NOW + 800
    assert intake.passed == ()
    assert intake.take("1", NOW + 500) is None


def test_pass_over_is_for_reasons_that_others_know() -> None:
    """A muted viewer's message is listed with that reason."""
    intake = Intake()
    intake.pass_over(a_message("1"), PassReason.MUTED, NOW)
    assert reasons(intake) == {"1": PassReason.MUTED}


def test_drop_all_empties_the_room() -> None:
    """Everyone who waited has the operator's reason."""
    intake = an_intake(a_message("1"), a_message("2"), a_message("3", kind=Kind.GUARD))
    intake.drop_all(NOW)
    assert ids(intake) == []
    assert set(reasons(intake).values()) == {PassReason.OPERATOR_DROPPED} and len(intake.passed) == 3


def test_the_news_is_told_once() -> None:
    """Each message that was passed over is news one time."""
    intake = an_intake(a_message("1", ""), a_message("2", ""))
    assert [one.message.id for one in intake.newly_passed()] == ["1", "2"]
    assert intake.newly_passed() == []


def test_a_message_that_a_platform_repeats_is_one_message() -> None:
    """The same id a second time changes nothing, whatever became of the first."""
    again = a_message("1", "唱歌")
    intake = an_intake(again, again)
    intake.next(NOW)
    intake.put(again, NOW)
    assert ids(intake) == [] and intake.passed == ()


def test_in_a_full_room_the_weakest_gives_way() -> None:
    """Plain before paid, the lower class first, then the lower score, then the older."""
    intake = an_intake(a_message("1", "早"), a_message("2", "小麦好"), a_message("3", "", kind=Kind.GUARD), limit=3)
    intake.put(a_message("4", "好吗？"), NOW)
    intake.put(a_message("5", "晚上见", roles=frozenset({Role.MODERATOR})), NOW)
    intake.put(a_message("6", kind=Kind.SUPER_CHAT, price=1.0), NOW)
    intake.put(a_message("7", kind=Kind.SUPER_CHAT, price=1.0), NOW)
    assert [one.message.id for one in intake.passed] == ["1", "5", "4", "2"]
    intake.put(a_message("8", "免费的花", kind=Kind.GIFT), NOW)
    assert ids(intake) == ["6", "7", "3"]
    assert set(reasons(intake).values()) == {PassReason.FULL}


def test_of_one_class_the_fewest_who_ask_give_way_and_then_the_oldest() -> None:
    """What many ask keeps its place; of the rest the stale goes before the fresh."""
    intake = an_intake(a_message("1", "早上来"), a_message("2", "早上来"), limit=3)
    for id, text, now in (("3", "下午来", 1), ("4", "晚上来", 2), ("5", "半夜来", 3)):
        intake.put(a_message(id, text), NOW + now)
    assert reasons(intake) == {"3": PassReason.FULL}


def test_answers_of_long_ago_are_forgotten() -> None:
    """A show of many hours remembers ten minutes."""
    intake = an_intake()
    for n in range(500):
        intake.answered(a_message(str(n), f"第{n}句"), NOW + 60 * n)
    assert len(intake._answered) == len(intake._answered_texts) == 10


def test_however_well_a_plain_one_scores_it_gives_way_to_a_paid_one() -> None:
    """A moderator's free gift with a question, against a bare gift that was paid for: the money counts."""
    paid = a_message("1", "", viewer="v", kind=Kind.GIFT, price=1.0)
    intake = an_intake(limit=1)
    intake.answered(a_message("0", "早", viewer="v"), NOW)
    intake.put(paid, NOW)
    intake.put(a_message("2", "花好看吗？", kind=Kind.GIFT, roles=frozenset({Role.MODERATOR, Role.MEMBER})), NOW)
    assert ids(intake) == ["1"] and reasons(intake) == {"2": PassReason.FULL}


# ---- a model of the whole room ------------------------------------------------------------------------------------


def test_a_deleted_message_is_passed_over_and_those_who_asked_the_same_wait_on() -> None:
    """In the same place in the row; what was passed over before counts as deleted, too, and cannot be asked for."""
    intake = an_intake(a_message("1", "今天玩什么"), a_message("2", "今天玩什么"), a_message("3", "第1关怎么过"))
    intake.pass_over(a_message("4"), PassReason.MUTED, NOW)
    intake.newly_passed()
    intake.withdraw(Withdrawn("test", frozenset({MessageId("1"), MessageId("4"), MessageId("none")})), NOW + 1)
    assert [[m.id for m in one.messages] for one in intake.waiting(NOW + 1)] == [["2"], ["3"]]
    assert {one.message.id: one.reason.value for one in intake.newly_passed()} == {"1": "withdrawn", "4": "withdrawn"}
    assert intake.take("4", NOW + 1) is None


def test_one_of_those_who_asked_the_same_can_be_deleted() -> None:
    intake = an_intake(a_message("1", "今天玩什么"), a_message("2", "今天玩什么"), a_message("3", "今天玩什么"))
    intake.withdraw(Withdrawn("test", frozenset({MessageId("2")})), NOW)
    assert [[m.id for m in one.messages] for one in intake.waiting(NOW)] == [["1", "3"]]


def test_all_of_a_viewer_or_of_a_platform_can_be_deleted() -> None:
    """And never another platform's."""
    intake = an_intake(a_message("1", "一", "a"), a_message("2", "二", "b"), a_message("3", "三", "c"))
    intake.withdraw(Withdrawn("test", viewers=frozenset("a")), NOW)
    intake.withdraw(Withdrawn("other", everything=True), NOW)
    assert ids(intake) == ["2", "3"]
    intake.withdraw(Withdrawn("test", everything=True), NOW)
    assert ids(intake) == []


def test_viewers_whom_nobody_knows_are_not_taken_for_one_person() -> None:
    """No rest after an answer, no repetition, no standing back, no welcome: all of these are for one person."""
    masked = [
        Message(MessageId(n), Kind.DANMAKU, Viewer("test", "", "观***"), text)
        for n, text in zip("1234", ["今天玩什么", "第1关怎么过", "第1关怎么过", "明天播吗"], strict=True)
    ]
    intake = an_intake(masked[0])
    one = intake.next(NOW)
    assert one is not None and Why.NEW_VIEWER not in one.reasons
    intake.answered(masked[0], NOW)
    for message in masked[1:]:
        intake.put(message, NOW)
    assert reasons(intake) == {}
    first = intake.next(NOW)
    assert first is not None and (first.others, Why.JUST_CHOSEN in first.reasons) == ((masked[2],), False)
    # Nor are the deletions of one of them those of all.
    intake.withdraw(Withdrawn("test", viewers=frozenset({""})), NOW)
    assert ids(intake) == ["4"]


TEXTS = [
    "",
    "你好",
    "你好呀",
    "小麦你好",
    "今天玩什么？",
    "今天玩什么",
    "哈哈哈",
    "第1关怎么过",
    "第2关怎么过",
    "\u200b",
    "666",
]


class Room(RuleBasedStateMachine):
    """Viewers write, time passes, operators choose. Beside the room, a list of where each message was last seen."""

    def __init__(self) -> None:
        super().__init__()
        self.limit = 4
        self.intake = Intake(limit=self.limit, names=("小麦",), keep=10_000)
        self.now = NOW
        self.sent: list[Message] = []
        self.taken: list[Message] = []

    @rule(
        text=st.sampled_from(TEXTS),
        kind=st.sampled_from([Kind.DANMAKU, Kind.DANMAKU, Kind.SUPER_CHAT, Kind.GUARD, Kind.GIFT, Kind.ENTER]),
        price=st.sampled_from([None, None, 30.0]),
        viewer=st.sampled_from(["a", "b", "c"]),
        roles=st.sampled_from([frozenset(), frozenset({Role.MODERATOR, Role.MEMBER})]),
        held=st.sampled_from([False, False, False, True]),
    )
    def a_viewer_writes(
        self, text: str, kind: Kind, price: float | None, viewer: str, roles: frozenset[Role], held: bool
    ) -> None:
        message = a_message(str(len(self.sent)), text, viewer, kind=kind, price=price, roles=roles)
        self.intake.newly_passed()
        self.sent.append(message)
        self.intake.put(message, self.now, findings_hold=held)
        gave_way = [one.message for one in self.intake.newly_passed() if one.reason is PassReason.FULL]
        if any(message.paid for message in gave_way):
            assert all(one.paid for one in self.intake.waiting(self.now)), "a plain one kept its place"

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def a_platform_repeats_itself(self, data: st.DataObject) -> None:
        self.intake.put(data.draw(st.sampled_from(self.sent)), self.now)

    @rule(seconds=st.sampled_from([0.0, 1.0, 20.0, 50.0, 300.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(published=st.booleans())
    def the_next_is_taken(self, published: bool) -> None:
        order = self.intake.waiting(self.now)
        one = self.intake.next(self.now)
        assert (one.message.id if one else None) == (order[0].message.id if order else None)
        self.is_taken(one, published)

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), published=st.booleans())
    def an_operator_asks_for_one(self, data: st.DataObject, published: bool) -> None:
        message = data.draw(st.sampled_from(self.sent))
        withdrawn = [one.message for one in self.intake.passed if one.reason is PassReason.WITHDRAWN]
        one = self.intake.take(message.id, self.now)
        assert (one is None) == (message in self.taken or message in withdrawn)
        self.is_taken(one, published)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def the_platform_takes_messages_back(self, data: st.DataObject) -> None:
        some = data.draw(st.lists(st.sampled_from(self.sent), min_size=1, max_size=3))
        viewers = data.draw(st.sampled_from([frozenset(), frozenset("a")]))
        before = [one.since for one in self.intake.waiting(self.now)]
        event = Withdrawn("test", frozenset(message.id for message in some), viewers)
        self.intake.withdraw(event, self.now)
        waiting = [message for one in self.intake.waiting(self.now) for message in one.messages]
        assert not any(event.covers(message) for message in waiting)
        assert all(one.since in before for one in self.intake.waiting(self.now))
        for one in self.intake.passed:
            assert event.covers(one.message) <= (one.reason is PassReason.WITHDRAWN)

    def is_taken(self, one: Waiting | None, published: bool) -> None:
        if one is not None:
            self.taken.extend(one.messages)
            if published:
                self.intake.answered(one.message, self.now)

    @rule()
    def everything_is_dropped(self) -> None:
        self.intake.drop_all(self.now)
        assert self.intake.waiting(self.now) == []

    @invariant()
    def each_message_is_in_exactly_one_place(self) -> None:
        waiting = self.intake.waiting(self.now)
        places = [message.id for one in waiting for message in one.messages]
        places += [message.id for message in self.taken]
        places += [one.message.id for one in self.intake.passed]
        assert sorted(places) == sorted(message.id for message in self.sent)

    @invariant()
    def the_room_is_bounded_and_in_order(self) -> None:
        waiting = self.intake.waiting(self.now)
        assert len(waiting) <= self.limit
        ranks = [list(WaitClass).index(one.klass) for one in waiting]
        assert ranks == sorted(ranks)
        assert all(one.expires > self.now for one in waiting)

    @invariant()
    def a_paid_message_is_never_merged(self) -> None:
        for one in self.intake.waiting(self.now):
            assert not one.others or not any(message.paid for message in one.messages)


Room.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestRoom = Room.TestCase
