"""The remote engine against a real HTTP server that is good, slow, wrong, of few words, or not there."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import trustme

import bot.engine.remote.engine as remote_engine
from bot.engine.remote.engine import RemoteEngine
from bot.engine.remote.forms import Form
from bot.engine.remote.server import Waits, base_of
from bot.engine.types import (
    Counted,
    DraftDone,
    DraftText,
    Ending,
    EngineError,
    EngineState,
    EngineStatus,
    Prompt,
    Reading,
    Sampling,
)
from bot.errors import UserError
from tests.fakes.openai_server import FakeServer, choice, event, raw, serving, silent, status, whole
from tests.ports import free_port
from tests.waiting import until

PROMPT = Prompt(
    ("深夜的直播间。", "\n\n", "观众:", " 【阿强】晚上好", "\n\n", "小禾:"), ("\n\n", "\n观众:", "\n观众：")
)
PLAIN = Sampling(presence=0, frequency=0, decay=1)
SHORT = Waits(connect=30, first=30, silence=30, check=5, pause=0.01)

Drafts = list[DraftText | DraftDone]


@asynccontextmanager
async def running(*urls: str, ready: bool = True, waits: Waits = SHORT, **settings: Any) -> AsyncIterator[RemoteEngine]:
    """An engine that is watching its servers, ready when the block begins."""
    engine = RemoteEngine(urls, waits=waits, **settings)
    task = asyncio.create_task(engine.run())
    try:
        if ready:
            await until(lambda: engine.status.state is EngineState.READY)
        yield engine
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled() or task.exception() is None


async def collect(engine: RemoteEngine, count: int = 1, s: Sampling = PLAIN, prompt: Prompt = PROMPT) -> Drafts:
    async with aclosing(engine.drafts(prompt, count, s)) as events:  # type: ignore[type-var]
        return [event async for event in events]


def texts(events: Drafts) -> list[str]:
    """The finished drafts in their order."""
    done = {event.index: event.text for event in events if isinstance(event, DraftDone)}
    return [done[index] for index in sorted(done)]


def open_files() -> int:
    """0 where the system does not say."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


# -- drafts ------------------------------------------------------------------------------------------------------------


async def test_drafts_grow_and_finish() -> None:
    """Five drafts in one request; each text is all of it so far, without the white space that it began with."""
    async with serving(FakeServer((" 晚上好呀。", " 来啦，坐。"))) as server, running(server.url) as engine:
        events = await collect(engine, 5)
        assert texts(events) == ["晚上好呀。", "来啦，坐。", "晚上好呀。", "来啦，坐。", "晚上好呀。"]
        first = [event.text for event in events if event.index == 0]
        assert all(later.startswith(earlier) for earlier, later in pairwise(first))
        assert {event.ending for event in events if isinstance(event, DraftDone)} == {Ending.STOP}
        assert len(server.asked) == 1
        assert engine.status.model == "rwkv7-test"


async def test_request_says_what_the_model_reads_and_how_it_draws() -> None:
    """The prompt joined, with its beginning; sampling by the names of the wire; the server's own defaults put off."""
    sampling = Sampling(1.2, 0.8, 30, 0.4, 0.3, 0.99, max_tokens=50, min_tokens=3)
    prompt = Prompt(PROMPT.parts, PROMPT.stops, " 我觉得")
    async with serving(FakeServer()) as server, running(server.url) as engine:
        await collect(engine, 2, sampling, prompt)
    assert server.asked == [
        {
            "model": "rwkv7-test", "prompt": "深夜的直播间。\n\n观众: 【阿强】晚上好\n\n小禾: 我觉得", "stream": True,
            "max_tokens": 50, "temperature": 1.2, "top_p": 0.8, "n": 2, "stop": list(PROMPT.stops),
            "presence_penalty": 0.4, "frequency_penalty": 0.3, "penalty_decay": 0.99, "min_tokens": 3,
            "top_k": 30, "min_p": 0, "repeat_penalty": 1,
            "samplers": ["penalties", "dry", "top_p", "top_k", "min_p", "typ_p", "temperature"],
        }
    ]  # fmt: skip


async def test_nothing_is_read_ahead_and_counts_are_estimates() -> None:
    """A server reads when it drafts, and its vocabulary is not known: both are said at once, with no server at all."""
    engine = RemoteEngine(["http://127.0.0.1:9/v1"])
    assert [reading async for reading in engine.read(PROMPT)] == [Reading(0, 0)]
    assert await engine.count(["晚上好", "good evening"]) == Counted((3, 4), exact=False)


async def test_draft_begins_with_start_with() -> None:
    """As the drafts of our own model do; a line break after it is a stop, and then it is asked for more."""
    prompt = Prompt(PROMPT.parts, PROMPT.stops, "我觉得")
    async with serving(FakeServer(("还行。", "\n\n不行"))) as server, running(server.url) as engine:
        assert texts(await collect(engine, 2, prompt=prompt)) == ["我觉得还行。"] * 2
        assert [body["prompt"][-3:] for body in server.asked] == ["我觉得"] * 2


async def test_stop_is_kept_on_our_side() -> None:
    """A server that goes on past it changes nothing; what may become a stop is held back until it is certain."""
    text = "\n\n 好\n观察。\n观众: 假的\n\n还有"
    async with serving(FakeServer((text,))) as server, running(server.url) as engine:
        events = await collect(engine)
        assert texts(events) == ["好\n观察。"]
        assert not any(event.text.endswith("\n观") or "观众" in event.text for event in events)


async def test_stop_on_our_side_ends_the_request() -> None:
    """Nobody pays for words behind a stop."""
    async with serving(FakeServer()) as server, running(server.url) as engine:
        server.replies = [silent(event({"choices": [choice(0, "好。\n\n再")]}))]
        assert texts(await collect(engine)) == ["好。"]
        await until(lambda: server.cancelled == 1)


async def test_length_is_told_from_a_stop() -> None:
    """`finish_reason: length`, with what was held back."""
    async with serving(FakeServer()) as server, running(server.url) as engine:
        server.replies = [raw(event({"choices": [choice(0, "好\n", "length")]}), event("[DONE]"))]
        assert (await collect(engine))[-1] == DraftDone(0, "好", Ending.LENGTH)


async def test_seed_makes_a_request_a_draft() -> None:
    """Draft i has seed + i, whatever else is asked for."""
    async with serving(FakeServer()) as server, running(server.url) as engine:
        await collect(engine, 3, Sampling(seed=7))
        assert sorted(body["seed"] for body in server.asked) == [7, 8, 9]
        assert not any("n" in body for body in server.asked)


# -- odd streams -------------------------------------------------------------------------------------------------------

FINE = event({"choices": [choice(0, " 晚上好😀", "stop")]})
DONE = event("[DONE]")


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([b": ping\n\n", b"event: x\nid: 3\nretry: 5\n", FINE, b":\n\n", DONE], id="comments and fields"),
        pytest.param([FINE.replace(b"\n", b"\r\n"), b"data: [DONE]\r\n\r\n"], id="CR LF"),
        pytest.param([FINE.replace(b"\n", b"\r"), b"data: [DONE]\r\r"], id="CR"),
        pytest.param([b"\xef\xbb\xbf" + FINE, DONE], id="byte order mark"),
        pytest.param([(FINE + DONE)[i : i + 1] for i in range(len(FINE + DONE))], id="byte by byte"),
        pytest.param([FINE], id="no [DONE]"),
        pytest.param([FINE.rstrip(b"\n")], id="no empty line at the end"),
        pytest.param([FINE.replace(b"data: ", b"data:"), DONE], id="no space"),
        pytest.param([b'data: {"choices": [\ndata: {"index":0,"text":"\xe6\x99\x9a'
                      b'\xe4\xb8\x8a\xe5\xa5\xbd\\ud83d\\ude00","finish_reason":"stop"}]}\n\n'], id="two data lines"),
        pytest.param([event({"choices": [{"text": "晚上"}]}), event({"choices": [{"text": "好😀"}]}), DONE], id="bare"),
        pytest.param([event({"choices": []}), FINE, event({"usage": {}}), DONE], id="no choices"),
        pytest.param([b'data: {"choices":[{"text":"\xe6\x99\x9a\xe4\xb8\x8a\xe5\xa5\xbd\\ud83d"}]}\n\n',
                      b'data: {"choices":[{"text":"\\ude00","finish_reason":"stop"}]}\n\n'], id="half a character"),
        pytest.param([event({"choices": [choice(0, "晚上好😀", "stop", chat=True)]})], id="delta"),
        pytest.param([event({"choices": [choice(5, "谁？"), choice(0, "晚上好😀", "stop")]})], id="a row too many"),
    ],
)  # fmt: skip
async def test_odd_streams_are_understood(pieces: list[bytes]) -> None:
    """The text is the same, whole characters only, however the server writes it and the network cuts it."""
    async with serving(FakeServer()) as server, running(server.url) as engine:
        server.replies = [raw(*pieces)]
        events = await collect(engine)
        assert texts(events) == ["晚上好😀"]
        for each in events:
            each.text.encode()


async def test_answer_that_is_not_streamed_is_read() -> None:
    """Some servers do not know `stream`."""
    async with serving(FakeServer()) as server, running(server.url) as engine:
        server.replies = [whole({"choices": [choice(0, " 好。", "stop"), choice(1, " 行。", "length")]})]
        events = await collect(engine, 2)
        assert events[-2:] == [DraftDone(0, "好。", Ending.STOP), DraftDone(1, "行。", Ending.LENGTH)]


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        ([b"data: {nonsense\n\n"], "回答不对"),
        ([event({"error": {"message": "CUDA out of memory"}})], "CUDA out of memory"),
        ([event({"object": "error", "message": "gone"})], "gone"),
        ([b"data: " + b"x" * (1 << 20) + b"yz\n\n"], "EventTooLong"),
        ([b"data: []\n\n"], "回答不对"),
        ([b"data: " + b"[" * 100_000 + b"\n\n"], "回答不对"),
        ([b""], "断开"),
    ],
)
async def test_wrong_answers_are_tried_again_and_then_said(pieces: list[bytes], said: str) -> None:
    """Each counts as an attempt; in the end the server's own words say why."""
    async with serving(FakeServer()) as server, running(server.url) as engine:
        server.replies = [raw(*pieces)]
        assert texts(await collect(engine)) == ["晚上好呀。"]
        server.replies = [raw(*pieces)] * 3
        with pytest.raises(EngineError, match=said):
            await collect(engine)
        assert server.replies == []


async def test_answer_that_breaks_off_is_lost_and_not_begun_again() -> None:
    """What a person may have read already is never replaced."""
    async with serving(FakeServer()) as server, running(server.url) as engine:
        server.replies = [raw(event({"choices": [choice(0, "晚上")]}), end=False)]
        seen: Drafts = []
        with pytest.raises(EngineError, match="没有写完，请再试一次"):
            async for each in engine.drafts(PROMPT, 1, PLAIN):
                seen.append(each)
        assert seen == [DraftText(0, "晚上")]
        assert len(server.asked) == 1


async def test_rows_without_text_are_asked_for_again() -> None:
    """Of an answer that broke off, the finished draft stays, and one that had not begun is asked for once more."""
    async with serving(FakeServer((" 行。",))) as server, running(server.url) as engine:
        server.replies = [raw(event({"choices": [choice(0, "好。", "stop")]}), end=False)]
        assert texts(await collect(engine, 2)) == ["好。", "行。"]
        assert "n" not in server.asked[1]


# -- what a server does not take ---------------------------------------------------------------------------------------

WISH = Sampling(top_k=30, min_tokens=2, presence=0.5, frequency=0.5, decay=0.99)


def _openai(name: str) -> Any:
    return {"error": {"message": "Unrecognized request argument", "param": name}}


def _fastapi(name: str) -> Any:
    return {"detail": [{"loc": ["body", name], "msg": "Extra inputs are not permitted", "input": 1}]}


def _in_words(name: str) -> Any:
    return {"object": "error", "message": f"{name} is not supported", "code": 400}


def _without_reason(name: str) -> Any:
    return "Bad Request"


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        *((name, _openai) for name in ("n", "stop", "top_k", "presence_penalty", "penalty_decay", "min_tokens", "min_p")),
        *((name, _without_reason) for name in ("n", "stop", "top_k", "presence_penalty", "penalty_decay", "min_p")),
        ("n", _fastapi), ("top_k", _fastapi), ("stop", _in_words), ("min_tokens", _in_words),
    ],
)  # fmt: skip
async def test_refused_option_is_found_out_once(name: str, refusal: Any) -> None:
    """By the probe: a viewer's request is never refused for it, and nothing else is given up."""
    async with serving(FakeServer(refuses=(name,), refusal=refusal)) as server, running(server.url) as engine:
        assert texts(await collect(engine, 2, WISH)) == ["晚上好呀。"] * 2
        assert all(name not in body for body in server.asked)
        assert len(server.asked) == (2 if name == "n" else 1)
        others = {"n", "stop", "top_k", "presence_penalty", "frequency_penalty", "min_tokens"} - {name}
        if refusal is not _without_reason:
            assert others - ({"n"} if name == "n" else set()) <= set(server.asked[0])
        told = name not in ("n", "stop", "min_p", "min_tokens")  # those are made up for on our side
        reported = engine.status.detail.partition("已略去：")[2].partition(" / ")[0].split(", ")
        assert (name in reported) == told


RARE = Sampling(
    top_p=0.8,
    min_p=0.05,
    typical=0.9,
    temperature=1.5,
    order=("temperature", "typical", "top_p", "min_p"),
    dry_multiplier=0.8,
    dry_breakers="\n:",
    ban=("加群", 261),
    logit_bias=(("哈哈", -3.0),),
    no_repeat="，",
)


@pytest.mark.parametrize("form", [Form.COMPLETIONS, Form.CHAT])
async def test_rare_settings_are_said_by_the_names_of_the_wire(form: Form) -> None:
    """llama.cpp's names, in its order; texts and ids as it takes them."""
    async with serving(FakeServer()) as server, running(server.url, form=form) as engine:
        await collect(engine, 1, RARE)
        await collect(engine, 1, Sampling(top_p=1.0, mirostat_tau=5.0, ban=(0,), logit_bias=((261, 2.0),)))
    body, second = server.asked
    assert (body["min_p"], body["typical_p"]) == (0.05, 0.9)
    assert body["samplers"] == ["penalties", "dry", "temperature", "typ_p", "top_p", "min_p"]
    dry = {name: body[name] for name in body if name.startswith("dry_")}
    assert dry == {
        "dry_multiplier": 0.8, "dry_base": 1.75, "dry_allowed_length": 2, "dry_penalty_last_n": 592,
        "dry_sequence_breakers": ["\n", ":"],
    }  # fmt: skip
    assert (body["bad_words"], body["logit_bias"]) == (["加群"], [["哈哈", -3.0], [261, -100]])
    assert (second["mirostat"], second["mirostat_tau"], second["mirostat_eta"]) == (2, 5.0, 0.1)
    assert second["logit_bias"] == {"261": 2.0, "0": -100}
    assert "samplers" not in second


async def test_what_a_known_server_leaves_out_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """vLLM takes any name without a word; what no server knows is said as well."""
    async with serving(FakeServer()) as server, running(server.url) as engine:
        await collect(engine, 1, RARE)
        await collect(engine, 1, RARE)
        told = "已略去：dry_multiplier, no_repeat, samplers, typical_p / "
        assert told in engine.status.detail
    assert sum("left out" in record.message for record in caplog.records) == 1


async def test_lightning_says_what_it_leaves_out() -> None:
    """It knows a few settings and no others."""
    models = {"data": [{"id": "rwkv7-7.2b", "owned_by": "rwkv_lightning"}]}
    async with serving(FakeServer(lightning="texts", models=models)) as server, running(server.url) as engine:
        await collect(engine, 1, RARE)
        names = "bad_words, dry_multiplier, logit_bias, min_p, no_repeat, samplers, typical_p"
        assert f"已略去：{names} / " in engine.status.detail
        assert not set(server.asked[0]) & {"min_p", "typical_p", "logit_bias"}


@pytest.mark.parametrize("refused", ["mirostat", "logit_bias", "dry_multiplier"])
async def test_rare_option_that_is_refused_is_left_out_with_what_belongs_to_it(refused: str) -> None:
    """The draft comes all the same."""
    rare = Sampling(top_p=1.0, mirostat_tau=5.0, logit_bias=(("哈", 1.0),), dry_multiplier=1.0)
    async with serving(FakeServer(refuses=(refused,))) as server, running(server.url) as engine:
        assert texts(await collect(engine, 1, rare)) == ["晚上好呀。"]
        last = set(server.asked[-1])
        assert not last & (
            {"mirostat": {"mirostat_tau"}, "dry_multiplier": {"dry_base"}}.get(refused, set()) | {refused}
        )
        assert refused in engine.status.detail


@pytest.mark.parametrize("form", [Form.COMPLETIONS, Form.CHAT, Form.LIGHTNING])
async def test_a_draft_that_is_too_short_goes_on(form: Form) -> None:
    """What was said is the beginning of the next request, until the least length is there."""
    said = (" 好。", "再见。\n\n多", "明天见，大家早点睡。")
    server = FakeServer(said, lightning="texts" if form is Form.LIGHTNING else "")
    async with serving(server), running(server.url, form=form) as engine:
        (text,) = texts(await collect(engine, 1, Sampling(min_tokens=12, seed=5)))
        assert text == "好。再见。明天见，大家早点睡。"
        read = [json.dumps(body, ensure_ascii=False) for body in server.asked]
        assert ["小禾: 好。" in body for body in read] == [False, True, True]
        assert "小禾: 好。再见。" in read[2]
        assert "min_tokens" not in engine.status.detail


@pytest.mark.parametrize("form", [Form.COMPLETIONS, Form.CHAT])
async def test_a_draft_goes_on_with_a_line(form: Form) -> None:
    """The line that was begun does not count towards the least length, nor does a chat model's echo of it."""
    server = FakeServer(("小禾: 欢迎来到直播间。好呀" if form is Form.CHAT else "好呀", "，坐吧。"))
    prompt = Prompt(PROMPT.parts, PROMPT.stops, " 欢迎来到直播间。")
    async with serving(server), running(server.url, form=form) as engine:
        (text,) = texts(await collect(engine, 1, Sampling(min_tokens=4), prompt))
        assert text == "欢迎来到直播间。好呀，坐吧。"


async def test_a_server_that_has_no_more_to_say_is_not_asked_for_ever() -> None:
    """The draft stays short, and that is said."""
    async with serving(FakeServer((" 好。", "", "\n\n", ""))) as server, running(server.url) as engine:
        assert texts(await collect(engine, 1, Sampling(min_tokens=9))) == ["好。"]
        assert len(server.asked) == 4
        assert "min_tokens" in engine.status.detail


async def test_nothing_is_reported_that_nobody_wanted() -> None:
    """A server without `top_k` is fine for somebody who does not use it."""
    async with serving(FakeServer(refuses=("top_k", "min_tokens"))) as server, running(server.url) as engine:
        await collect(engine)
        assert "不支持" not in engine.status.detail
        await collect(engine, s=Sampling(top_k=5))
        assert "服务器不支持，已略去：top_k" in engine.status.detail


async def test_n_that_is_ignored_is_noticed() -> None:
    """A server that answers with one draft whatever `n` says gets a request a draft."""
    async with serving(FakeServer((" 一。", " 二。", " 三。"), knows_n=False)) as server, running(server.url) as engine:
        assert sorted(texts(await collect(engine, 3))) == ["一。", "三。", "二。"]
        assert len(server.asked) == 3


async def test_few_stops_are_sent_where_many_are_refused() -> None:
    """The most important ones; the others are kept on our side all the same."""
    prompt = Prompt(PROMPT.parts, ("\n\n", "\n甲:", "\n乙:", "\n丙:", "\n丁:"))
    async with serving(FakeServer((" 好。\n丁: 嗯",), many_stops=False)) as server, running(server.url) as engine:
        assert texts(await collect(engine, prompt=prompt)) == ["好。"]
        assert server.asked[0]["stop"] == ["\n\n", "\n甲:", "\n乙:", "\n丙:"]


async def test_option_refused_later_is_left_out_at_once() -> None:
    """The first refusal in mid-show costs a moment, not the answer, and is remembered."""
    async with serving(FakeServer()) as server, running(server.url) as engine:
        server.refuses = ("top_k",)
        for _ in range(2):
            assert texts(await collect(engine, s=WISH)) == ["晚上好呀。"]
        assert ["top_k" in body for body in server.asked] == [True, False, False]


async def test_refusal_for_another_reason_is_said() -> None:
    """A prompt that is too long teaches nothing about the server, and is not tried again."""
    words = {"error": {"message": "This model's maximum context length is 4096 tokens."}}
    async with serving(FakeServer()) as server, running(server.url) as engine:
        server.replies = [status(400, words)] * 2
        with pytest.raises(EngineError, match="maximum context length is 4096"):
            await collect(engine, s=WISH)
        assert len(server.asked) == 1
        server.replies = []
        await collect(engine, s=WISH)
        assert "top_k" in server.asked[-1]


async def test_server_that_cuts_off_gets_one_request_at_a_time() -> None:
    """llama-cpp-python ends an answer when a new request comes; drafts that had not begun are asked for again."""
    server = FakeServer(("一二三四五六。",), knows_n=False, one_at_a_time=True, gate=asyncio.Event())
    async with serving(server), running(server.url) as engine:
        asking = asyncio.create_task(collect(engine, 3))
        await until(lambda: len(server.asked) == 3)
        server.gate.set()  # type: ignore[union-attr]
        assert texts(await asking) == ["一二三四五六。"] * 3
        server.most_at_once = 0
        assert texts(await collect(engine, 3)) == ["一二三四五六。"] * 3
        assert server.most_at_once == 1
        assert "一次只能答一个请求" in engine.status.detail


async def test_llama_cpp_python_is_recognised() -> None:
    """By its list of models, so that not even the first answer is cut off."""
    models = {"data": [{"id": "tiny.gguf", "owned_by": "me"}]}
    server = FakeServer(("一二三四五六。",), knows_n=False, one_at_a_time=True, models=models)
    async with serving(server), running(server.url) as engine:
        assert texts(await collect(engine, 3)) == ["一二三四五六。"] * 3
        assert (server.most_at_once, len(server.asked)) == (1, 3)


# -- forms -------------------------------------------------------------------------------------------------------------


async def test_chat_is_used_where_there_is_nothing_else() -> None:
    """The model is told to go on; the cue and the beginning that it says again are dropped."""
    server = FakeServer(
        ("小禾：我觉得还行。", "小禾: 还行。", "我觉得，还行。", " 小树。"), paths=("/v1/chat/completions",)
    )
    prompt = Prompt(PROMPT.parts, PROMPT.stops, "我觉得")
    async with serving(server), running(server.url) as engine:
        assert texts(await collect(engine, 4, prompt=prompt)) == [
            "我觉得还行。",
            "我觉得还行。",
            "我觉得，还行。",
            "我觉得小树。",
        ]
        assert server.asked[0]["messages"][-1] == {"role": "user", "content": "".join(PROMPT.parts) + "我觉得"}
        assert "只有聊天接口" in engine.status.detail
        server.texts = ("小禾: I think so.", " so.")
        english = Prompt(PROMPT.parts, PROMPT.stops, "I think")
        assert texts(await collect(engine, 2, prompt=english)) == ["I think so."] * 2


async def test_chat_without_a_beginning() -> None:
    """Only the cue is dropped, also when it is all that was said."""
    server = FakeServer(("小禾：晚上好", "小", "小禾:", "小禾说"))
    async with serving(server), running(server.url, form=Form.CHAT) as engine:
        assert texts(await collect(engine, 4)) == ["晚上好", "小", "", "小禾说"]


@pytest.mark.parametrize("stops", ["texts", "ids"])
async def test_lightning_has_a_form_of_its_own(stops: str) -> None:
    """A row a draft, told apart by `index`; the password in the body; stop ids where it knows no stop texts."""
    server = FakeServer((" 好。\n\n多", " 行。"), key="s3cret", lightning=stops, models=404)
    async with serving(server), running(server.url, form=Form.LIGHTNING, api_key="s3cret") as engine:
        assert texts(await collect(engine, 3, Sampling(top_k=9))) == ["好。", "行。", "好。"]
        (body,) = server.asked
        assert body["contents"] == ["".join(PROMPT.parts)] * 3
        assert body["stop_tokens"] == ([0] if stops == "ids" else list(PROMPT.stops))
        assert (body["alpha_presence"], body["alpha_decay"], body["top_k"]) == (0.5, 0.996, 9)
        await collect(engine, 1, Sampling(temperature=0, seed=1))
        assert (server.asked[1]["temperature"], server.asked[1]["top_k"]) == (1.0, 1)
        assert "seed" in engine.status.detail


async def test_lightning_is_recognised_by_its_list_of_models() -> None:
    """Newer versions name themselves."""
    models = {"data": [{"id": "rwkv7-7.2b", "owned_by": "rwkv_lightning"}]}
    async with serving(FakeServer(lightning="texts", models=models)) as server, running(server.url) as engine:
        assert texts(await collect(engine)) == ["晚上好呀。"]
        assert "contents" in server.asked[0]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("http://h:8000", "http://h:8000/v1"),
        ("http://h:8000/", "http://h:8000/v1"),
        ("https://h/v1/", "https://h/v1"),
        ("http://h/v1/chat/completions", "http://h/v1"),
        ("http://h/api/oai/completions?x=1#y", "http://h/api/oai"),
    ],
)
def test_url_may_be_written_as_people_do(written: str, meant: str) -> None:
    """With or without the path that others append."""
    assert base_of(written) == meant


# -- time, busy servers, failover --------------------------------------------------------------------------------------


async def test_silence_is_not_waited_out() -> None:
    """Before the first text it is an attempt, in spite of pings; between two texts the draft is lost."""
    slow_to_begin = Waits(connect=30, first=0.5, silence=60, check=5, pause=0.01)
    async with serving(FakeServer()) as server, running(server.url, waits=slow_to_begin) as engine:
        given_up = asyncio.Event()
        server.replies = [silent(b": ping\n\n", event({"choices": [choice(0, "")]}), given_up=given_up)]
        assert texts(await asyncio.wait_for(collect(engine), 30)) == ["晚上好呀。"]
        await asyncio.wait_for(given_up.wait(), 30)
    slow_to_go_on = Waits(connect=30, first=60, silence=0.5, check=5, pause=0.01)
    async with serving(FakeServer()) as server, running(server.url, waits=slow_to_go_on) as engine:
        given_up = asyncio.Event()
        server.replies = [silent(event({"choices": [choice(0, "晚")]}), given_up=given_up)]
        with pytest.raises(EngineError, match="等得太久.*没有写完"):
            await asyncio.wait_for(collect(engine), 30)
        await asyncio.wait_for(given_up.wait(), 30)


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
async def test_busy_server_is_asked_again(code: int) -> None:
    """After a pause, also when it says for how long."""
    async with serving(FakeServer()) as server, running(server.url) as engine:
        server.replies = [status(code), status(code, Retry_After="0.02")]
        assert texts(await collect(engine)) == ["晚上好呀。"]
        assert len(server.asked) == 3


async def test_retry_after_is_kept() -> None:
    """No request before its time; one that is too long is told instead of waited out."""
    async with serving(FakeServer()) as server, running(server.url) as engine:
        server.replies = [status(429, Retry_After="0.2")]
        begin = asyncio.get_running_loop().time()
        assert texts(await collect(engine)) == ["晚上好呀。"]
        assert asyncio.get_running_loop().time() - begin >= 0.2
        server.replies = [status(429, Retry_After="600")]
        with pytest.raises(EngineError, match=r"太忙.*请 (600|5\d\d) 秒后再试"):
            await collect(engine)


async def test_attempts_end() -> None:
    """With the server's words and what to do."""
    async with serving(FakeServer()) as server, running(server.url) as engine:
        server.replies = [status(500, {"error": "out of memory"})] * 9
        with pytest.raises(EngineError, match="500：out of memory.*试了 3 轮，请稍后再试"):
            await collect(engine)
        assert len(server.replies) == 6


async def test_next_server_answers_when_the_first_does_not() -> None:
    """At once; and the first is used again as soon as it is well."""
    first, second = FakeServer((" 甲。",)), FakeServer((" 乙。",))
    async with serving(first), serving(second), running(first.url, second.url) as engine:
        await until(lambda: engine.status.figures["servers_ready"] == 2)
        assert texts(await collect(engine)) == ["甲。"]
        first.replies = [status(500)]
        assert texts(await collect(engine)) == ["乙。"]
        assert texts(await collect(engine)) == ["甲。"]


async def test_server_that_dies_is_replaced_and_found_again() -> None:
    """The panel says which one is away; no answer is lost that had not begun."""
    port = free_port()
    async with serving(FakeServer((" 乙。",))) as second:
        async with serving(FakeServer((" 甲。",)), port) as first:
            engine_of = running(first.url, second.url)
            engine = await engine_of.__aenter__()
            await until(lambda: engine.status.figures["servers_ready"] == 2)
            assert texts(await collect(engine)) == ["甲。"]
        assert texts(await collect(engine)) == ["乙。"]
        await until(lambda: "连不上" in engine.status.detail)
        assert engine.status.state is EngineState.READY
        async with serving(FakeServer((" 甲。",)), port):
            await until(lambda: engine.status.figures["servers_ready"] == 2)
            assert texts(await collect(engine)) == ["甲。"]
            await engine_of.__aexit__(None, None, None)


# -- state -------------------------------------------------------------------------------------------------------------


async def test_server_that_is_not_there_is_waited_for() -> None:
    """Loading, then restarting with the reason, then ready, each told."""
    port = free_port()
    seen: list[EngineStatus] = []
    async with running(f"http://127.0.0.1:{port}", ready=False, on_status=seen.append) as engine:
        assert engine.status.state is EngineState.LOADING
        await until(lambda: engine.status.state is EngineState.RESTARTING)
        assert f"127.0.0.1:{port}" in engine.status.detail and "连不上" in engine.status.detail
        with pytest.raises(EngineError, match="连不上"):
            await collect(engine)
        async with serving(FakeServer(), port):
            await until(lambda: engine.status.state is EngineState.READY)
            assert texts(await collect(engine)) == ["晚上好呀。"]
    assert [status.state for status in seen][:1] == [EngineState.RESTARTING]


async def test_model_that_is_being_loaded_is_waited_for() -> None:
    """llama.cpp says 503 while it reads the file."""
    async with serving(FakeServer(models=503)) as server, running(server.url, ready=False) as engine:
        await until(lambda: "503" in engine.status.detail)
        assert engine.status.state is EngineState.LOADING
        server.models = None  # the list makes no sense, but the server answers
        await until(lambda: engine.status.state is EngineState.READY)


async def test_server_without_a_list_of_models_is_fine() -> None:
    """Not every one has it; then no model is named, unless the settings do."""
    async with serving(FakeServer(models=404)) as server, running(server.url) as engine:
        await collect(engine)
        assert "model" not in server.asked[0]
    async with serving(FakeServer()) as server, running(server.url, model="mine") as engine:
        await collect(engine)
        assert server.asked[0]["model"] == "mine" == engine.status.model


@pytest.mark.parametrize("said", [{"data": []}, {"data": [{"id": None}]}, [], "x", {"data": {"a": 1}}])
async def test_list_of_models_that_makes_no_sense_is_fine(said: Any) -> None:
    """Drafts are what counts."""
    async with serving(FakeServer(models=said)) as server, running(server.url) as engine:
        assert texts(await collect(engine)) == ["晚上好呀。"]


async def test_certificate_that_nobody_knows_is_refused() -> None:
    """The key is not given to whoever pretends to be the server; the reason is said."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    async with serving(FakeServer(), ssl_context=context) as server:
        async with running(
            server.url.replace("http:", "https:").replace("127.0.0.1", "localhost"), ready=False
        ) as engine:
            await until(lambda: engine.status.state is EngineState.RESTARTING)
            assert "certificate verify failed" in engine.status.detail
        assert server.seen == []


def test_address_that_is_none_is_said_at_once() -> None:
    """Before the panel opens."""
    with pytest.raises(UserError, match="engine.remote.urls：http://a:b 不是网址"):
        RemoteEngine(["http://a:b"])


async def test_wrong_path_or_model_says_so() -> None:
    """A person has to act, but the program need not be started again."""
    async with serving(FakeServer(paths=())) as server, running(server.url, ready=False) as engine:
        await until(lambda: engine.status.state is EngineState.RESTARTING)
        assert "404：Not Found" in engine.status.detail


async def test_wrong_key_is_final_and_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    """`run` returns, so that the program can end with this line; the server's echo of the key is cleaned."""
    caplog.set_level(logging.DEBUG)
    async with serving(FakeServer(key="right")) as server:
        engine = RemoteEngine([server.url], api_key="wr0ng-key", waits=SHORT)
        async with asyncio.timeout(30):
            await engine.run()
        assert engine.status.state is EngineState.FAILED
        assert "请检查 engine.remote.api_key" in engine.status.detail
        assert "Incorrect API key provided: Bearer ***" in engine.status.detail
        assert server.seen[-1] == "Bearer wr0ng-key"
        with pytest.raises(EngineError) as caught:
            await collect(engine)
        assert "wr0ng-key" not in f"{caught.value}{caplog.text}{engine.status}"


async def test_key_that_is_refused_later_can_be_mended_at_the_server() -> None:
    """The panel says `failed`; a list of models that anybody gets is no sign that the key works again."""
    async with serving(FakeServer(key="k")) as server, running(server.url, api_key="k") as engine:
        server.key = "other"
        with pytest.raises(EngineError, match="不接受密钥"):
            await collect(engine)
        assert engine.status.state is EngineState.FAILED
        await until(lambda: len(server.probed) > 3)
        assert engine.status.state is EngineState.FAILED
        server.key = "k"
        await until(lambda: engine.status.state is EngineState.READY)


async def test_redirect_is_not_followed() -> None:
    """The key is for the server that was named."""
    async with (
        serving(FakeServer()) as other,
        serving(FakeServer()) as server,
        running(server.url, api_key="k") as engine,
    ):
        server.replies = [status(307, Location=f"{other.url}/v1/completions?x=secret")] * 3
        with pytest.raises(EngineError, match="转去了别的地址") as caught:
            await collect(engine)
        assert other.seen == [] and "secret" not in str(caught.value)


async def test_proxy_is_used_only_where_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not from the environment, where it is often meant for a browser and knows no LAN."""
    async with serving(FakeServer()) as server, serving(FakeServer()) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        async with running(server.url) as engine:
            await collect(engine)
        assert proxy.seen == []
        async with running("http://far.invalid", proxy=proxy.url) as engine:
            assert texts(await collect(engine)) == ["晚上好呀。"]


# -- in flight ---------------------------------------------------------------------------------------------------------


async def test_closing_the_iterator_ends_every_request() -> None:
    """A card that was decided costs the server nothing more."""
    async with serving(FakeServer(refuses=("n",))) as server, running(server.url) as engine:
        server.replies = [silent(event({"choices": [choice(0, "晚")]}))] * 3
        events = engine.drafts(PROMPT, 3, PLAIN)
        await anext(events)
        await until(lambda: len(server.asked) == 3)
        await asyncio.wait_for(events.aclose(), 30)  # type: ignore[attr-defined]
        await until(lambda: server.cancelled == 3)
        assert engine.status.figures["in_flight"] == 0


async def test_requests_in_flight_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others wait for their turn; beyond a bound an answer is refused and says why."""
    monkeypatch.setattr(remote_engine, "MOST_WAITING", 3)
    gate = asyncio.Event()
    async with serving(FakeServer(gate=gate)) as server, running(server.url, max_in_flight=2) as engine:
        asking = [asyncio.create_task(collect(engine)) for _ in range(5)]
        await until(lambda: engine.status.figures["waiting"] == 3 and server.at_once == 2)
        with pytest.raises(EngineError, match="已有 3 个请求在等.*max_in_flight: 2"):
            await collect(engine)
        gate.set()
        assert [texts(await each) for each in asking] == [["晚上好呀。"]] * 5
        assert server.most_at_once == 2


async def test_one_lost_draft_does_not_take_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a request a draft, the finished ones are delivered before the loss is told."""
    async with serving(FakeServer(refuses=("n",))) as server, running(server.url) as engine:
        server.replies = [raw(event({"choices": [choice(0, "晚")]}), end=False)]
        done: list[str] = []
        with pytest.raises(EngineError, match="没有写完"):
            async for each in engine.drafts(PROMPT, 3, PLAIN):
                done += [each.text] if isinstance(each, DraftDone) else []
        assert done == ["晚上好呀。"] * 2


async def test_nothing_is_left_behind() -> None:
    """No task and no open file after many answers, some of them cut short."""
    async with serving(FakeServer()) as server:
        before = len(asyncio.all_tasks())
        async with running(server.url) as engine:
            await collect(engine)
            files = open_files()
            for _ in range(20):
                await collect(engine, 3)
                events = engine.drafts(PROMPT, 3, PLAIN)
                await anext(events)
                await events.aclose()  # type: ignore[attr-defined]
            await until(lambda: open_files() <= files + 2)
        await until(lambda: len(asyncio.all_tasks()) <= before)
