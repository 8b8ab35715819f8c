"""The demo model's corpus: what it promises to the training, to the report and to the audience."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from bot.engine.prompting import viewer_line
from bot.messages import Kind, Message, MessageId, Viewer
from tools.demo_corpus import SLOT, SPEAKERS, Corpus, Exchange, expand, load_corpus, show


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load_corpus()


def replies(corpus: Corpus) -> list[str]:
    return [text for intent in corpus.intents.values() for reply in intent.replies for text in expand(reply)]


def test_it_is_large_enough(corpus: Corpus) -> None:
    """Enough intents, ways to say them, and answers."""
    assert len(corpus.intents) >= 60
    assert sum(len(intent.says) for intent in corpus.intents.values()) >= 1500
    assert all(len(set(intent.replies)) >= 6 for intent in corpus.intents.values())


def test_no_reply_speaks_for_somebody(corpus: Corpus) -> None:
    """A reply is one short line without anybody's `名:`, links, brackets for names, or odd blanks."""
    for reply in replies(corpus):
        assert not re.search(r"[:：]$|[\n【】@]|https?|  ", reply), reply
        assert not any(f"{name}{colon}" in reply for name in (*SPEAKERS, "主播") for colon in ":："), reply
        assert reply == reply.strip() and 4 <= len(reply) <= 90, reply


def test_every_choice_and_slot_is_well_formed(corpus: Corpus) -> None:
    """No bracket is left over, and every slot has values; a reply uses only slots that some viewer's line has."""
    for intent in corpus.intents.values():
        asked = {slot for say in (*intent.says, *intent.held_out) for slot in SLOT.findall(say)}
        asked |= {"gift", "guard"} if not intent.says else set()
        for template in (*intent.says, *intent.held_out, *intent.replies):
            assert all(not set(text) & set("()|") for text in expand(template)), template
            assert set(SLOT.findall(template)) <= corpus.slots.keys()
        for reply in intent.replies:
            assert set(SLOT.findall(reply)) <= asked, reply


def test_held_out_lines_are_never_trained_on(corpus: Corpus) -> None:
    """At least 200 of them, none of which the training can say, not even as one of its choices."""
    trained = {text for intent in corpus.intents.values() for say in intent.says for text in expand(say)}
    held_out = list(corpus.held_out(Random(0)))
    plain = {text for intent in corpus.intents.values() for say in intent.held_out for text in expand(say)} - trained
    assert len(held_out) >= 200
    for exchange in held_out:
        said = exchange.viewer.split("】", 1)[1]
        assert said not in trained
        assert said in plain or SLOT.search("".join(plain))


def test_a_show_repeats_itself_from_its_seed(corpus: Corpus) -> None:
    """The same seed, the same show; another seed, another."""
    first, again, other = (list(islice(show(corpus, Random(seed)), 50)) for seed in (1, 1, 2))
    assert first == again != other


def test_a_show_does_not_say_the_same_again_soon(corpus: Corpus) -> None:
    """The last replies are avoided, so that a show is not the same line over and over."""
    exchanges = list(islice(show(corpus, Random(3)), 300))
    assert all(len({e.reply for e in part}) >= 11 for part in map(list, _windows(exchanges, 12)))


def test_what_viewers_do_has_the_form_of_prompts(corpus: Corpus) -> None:
    """Gifts, super chats and the rest read exactly as the live prompt writes them."""
    draw = Random(4)
    forms = {
        Kind.GIFT: r"【.+】送出了(礼物 .+|一份礼物)",
        Kind.GUARD: r"【.+】开通了(舰长|提督|总督)",
        Kind.ENTER: r"【.+】进入了直播间",
        Kind.FOLLOW: r"【.+】关注了主播",
        Kind.LIKE: r"【.+】点了赞",
        Kind.SUPER_CHAT: r"【.+】（醒目留言 \d+ 元）.+",
    }
    for kind, form in forms.items():
        for _ in range(20):
            assert re.fullmatch(form, corpus.deed(draw, kind).viewer)


def test_a_reply_takes_up_the_viewers_word(corpus: Corpus) -> None:
    """A slot has the same value on both sides, and no slot is left unfilled."""
    exchanges = list(islice(show(corpus, Random(5)), 3000))
    taken = [
        (e, game) for e in exchanges if e.intent == "play_request" for game in corpus.slots["game"] if game in e.reply
    ]
    assert len(taken) > 20
    assert all(game in e.viewer for e, game in taken)
    assert not any("{" in e.viewer + e.reply for e in exchanges)


def test_lines_are_what_the_sanitiser_leaves(corpus: Corpus) -> None:
    """Feeding an exchange's words through the live path again changes nothing: training sees what the show feeds."""
    for exchange in islice(show(corpus, Random(6)), 300):
        if exchange.kind is Kind.DANMAKU:
            name, text = exchange.viewer[1:].split("】", 1)
            message = Message(MessageId("1"), Kind.DANMAKU, Viewer("t", "1", name), text)
            assert viewer_line(message, SPEAKERS).text == exchange.viewer


def test_a_mistake_in_a_file_is_found(tmp_path: Path) -> None:
    """An intent that stands twice is refused."""
    (tmp_path / "slots.txt").write_text("game = a | b\n", "utf-8")
    (tmp_path / "1.txt").write_text("== x\n> 你好\n< 好\n\n== x\n> 你好\n< 好\n", "utf-8")
    with pytest.raises(ValueError, match="twice"):
        load_corpus(tmp_path)


def _windows(exchanges: list[Exchange], size: int) -> list[list[Exchange]]:
    return [exchanges[i : i + size] for i in range(0, len(exchanges) - size, size)]
