"""What a POST hands to the show, and what a refusal looks like."""

from __future__ import annotations

from typing import Any

import pytest

from bot.approval import Refused
from tests.web.conftest import Client, Site


@pytest.mark.parametrize(
    ("path", "body", "call"),
    [
        ("/api/items/a1/approve", {"revision": 3, "text": "晚上好"}, ("approve", "a1", 3, "晚上好", "operator")),
        (
            "/api/items/a1/approve",
            {"revision": 3, "text": "晚上好", "override": "是台词"},
            ("approve", "a1", 3, "晚上好", "operator", "是台词"),
        ),
        (
            "/api/items/a1/approve",
            {"revision": 3, "text": "晚上好", "override": None},
            ("approve", "a1", 3, "晚上好", "operator"),
        ),
        ("/api/release", {"message": "m7"}, ("release", "m7", "operator")),
        ("/api/dismiss", {"message": "m7"}, ("dismiss", "m7", "operator")),
        (
            "/api/mute",
            {"platform": "ws", "viewer_id": "7", "viewer": "阿强"},
            ("mute", "ws", "7", "阿强", "operator"),
        ),
        ("/api/unmute", {"platform": "ws", "viewer_id": "7"}, ("unmute", "ws", "7", "", "operator")),
        ("/api/words", {"word": "紫薯精", "rule": "block"}, ("list_word", "紫薯精", "block", "operator", "custom", 3)),
        (
            "/api/words",
            {"word": "紫薯精", "rule": "allow", "category": "insult", "severity": 2},
            ("list_word", "紫薯精", "allow", "operator", "insult", 2),
        ),
        ("/api/check", {"text": "晚上好"}, ("check", "晚上好")),
        ("/api/items/a1/reject", {"revision": 3}, ("reject", "a1", 3, "operator", False)),
        ("/api/items/a1/reject", {"revision": 3, "mute": True}, ("reject", "a1", 3, "operator", True)),
        ("/api/items/a1/undo", {"revision": 3}, ("undo", "a1", 3, "operator")),
        ("/api/items/a1/recall", {"revision": 3}, ("recall", "a1", 3, "operator")),
        ("/api/items/a1/more", {"revision": 3}, ("more", "a1", 3, "operator", None, "", 0, "")),
        (
            "/api/items/a1/more",
            {"revision": 3, "count": 2, "start_with": "哈哈", "min_length": 5, "hint": "夸他"},
            ("more", "a1", 3, "operator", 2, "哈哈", 5, "夸他"),
        ),
        ("/api/say", {"character": "小芽", "text": "欢迎"}, ("say", "小芽", "欢迎", "operator")),
        ("/api/generate", {}, ("generate", "operator", "", "", 0, None)),
        (
            "/api/generate",
            {"character": "小芽", "start_with": "其实", "min_length": 9, "count": 4},
            ("generate", "operator", "小芽", "其实", 9, 4),
        ),
        ("/api/answer", {"message": "m7"}, ("answer", "m7", "operator")),
        ("/api/pause", {"mode": "drop"}, ("pause", "drop", "operator")),
        ("/api/stop", {}, ("stop", "operator")),
    ],
)
async def test_a_post_reaches_the_show(operator: Client, site: Site, path: str, body: Any, call: Any) -> None:
    """Word for word."""
    answer = await operator.post(path, json=body)
    assert answer.status == 200
    assert site.show.calls == [call]


async def test_the_emergency_stop_reads_no_body(operator: Client, site: Site) -> None:
    """Nothing that could be wrong stands before it."""
    assert (await operator.post("/api/stop", data=b"{broken")).status == 200
    assert (await operator.post("/api/stop")).status == 200
    assert site.show.calls == [("stop", "operator")] * 2


@pytest.mark.parametrize("path", ["/api/say", "/api/generate", "/api/answer"])
async def test_a_new_card_is_named(operator: Client, path: str) -> None:
    """So that a program can follow it."""
    answer = await operator.post(path, json={"character": "", "text": "好", "message": "m"})
    assert await answer.json() == {"ok": True, "id": "new-item"}


@pytest.mark.parametrize(
    ("code", "status"), [("not_found", 404), ("stale_revision", 409), ("expired", 409), ("save_failed", 409)]
)
async def test_a_refusal_is_told(operator: Client, site: Site, code: str, status: int) -> None:
    """With its code for programs and its reason for people."""
    site.show.refusal = Refused(code, "这一条已变化")
    answer = await operator.post("/api/items/a1/undo", json={"revision": 1})
    assert answer.status == status
    assert await answer.json() == {"error": code, "message": "这一条已变化"}


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("/api/items/a1/approve", b"", "JSON"),
        ("/api/items/a1/approve", b"{", "JSON"),
        ("/api/items/a1/approve", b"\xff\xfe", "JSON"),
        ("/api/items/a1/approve", b'{"revision": 1, "text": "\\ud800"}', "JSON"),
        ("/api/items/a1/approve", b"[]", "应为 JSON 对象"),
        ("/api/items/a1/approve", b"[" * 9000, "JSON"),
        ("/api/items/a1/approve", b'{"text": "x"}', "revision：缺少这一项"),
        ("/api/items/a1/approve", b'{"revision": "1", "text": "x"}', "revision：应为整数"),
        ("/api/items/a1/approve", b'{"revision": true, "text": "x"}', "revision：应为整数"),
        ("/api/items/a1/approve", b'{"revision": 1, "text": 5}', "text：应为文字"),
        ("/api/items/a1/approve", b"{}", "revision：缺少这一项；text：缺少这一项"),
        ("/api/items/a1/reject", b'{"revision": 1, "mute": 1}', "mute：应为 true 或 false"),
        ("/api/items/a1/more", b'{"revision": 1, "count": 0}', "count：不能小于 1"),
        ("/api/items/a1/more", b'{"revision": 1, "count": 21}', "count：不能大于 20"),
        ("/api/items/a1/more", b'{"revision": 1, "hint": "' + b"x" * 501 + b'"}', "hint：太长，最多 500 字"),
        ("/api/items/a1/approve", b'{"revision": 1, "text": "x", "override": true}', "override：应为文字"),
        (
            "/api/items/a1/approve",
            b'{"revision": 1, "text": "x", "override": "' + b"x" * 1001 + b'"}',
            "override：太长",
        ),
        ("/api/words", b'{"word": "", "rule": "block"}', "word：太短，最少 1 字"),
        ("/api/words", '{"word": "好的", "rule": "all"}'.encode(), "rule：应为 'block', 'allow' or 'forget' 之一"),
        ("/api/words", '{"word": "好的", "rule": "block", "severity": 5}'.encode(), "severity：不能大于 4"),
        ("/api/release", b"{}", "message：缺少这一项"),
        ("/api/mute", b'{"platform": "ws"}', "viewer_id：缺少这一项"),
        ("/api/check", b'{"text": "' + b"x" * 5001 + b'"}', "text：太长，最多 5000 字"),
        ("/api/pause", b'{"mode": "auto"}', "mode：应为 'run', 'hold' or 'drop' 之一"),
        ("/login", b"{}", "token：缺少这一项"),
    ],
)
async def test_a_body_that_is_wrong_is_400(operator: Client, site: Site, path: str, body: bytes, told: str) -> None:
    """Naming every wrong field; the show is not bothered."""
    answer = await operator.post(path, data=body)
    said = await answer.json()
    assert (answer.status, said["error"]) == (400, "bad_request")
    assert told in said["message"]
    assert said["message"].endswith("；".join(f"{where}：{what}" for where, what in said["fields"].items()))
    assert site.show.calls == []


async def test_a_key_that_is_unknown_is_left_alone(operator: Client, site: Site) -> None:
    """A newer page may say more than an older program knows."""
    assert (await operator.post("/api/pause", json={"mode": "hold", "why": "toilet"})).status == 200
    assert site.show.calls == [("pause", "hold", "operator")]


@pytest.mark.parametrize("told_its_length", [True, False])
async def test_a_body_that_is_too_large_is_413(operator: Client, site: Site, told_its_length: bool) -> None:
    """Whether or not it says so in advance."""
    body = b'{"character": "", "text": "' + b"x" * 65536 + b'"}'

    async def chunks() -> Any:
        yield body

    answer = await operator.post("/api/say", data=body if told_its_length else chunks())
    assert answer.status == 413
    assert (await answer.json())["error"] == "too_large"
    assert site.show.calls == []


async def test_the_largest_body_passes(operator: Client, site: Site) -> None:
    """64 KiB exactly."""
    text = "x" * (65536 - len('{"text": ""}'))
    assert (await operator.post("/api/say", json={"text": text})).status == 200


async def test_english_on_request(open_client: Any) -> None:
    """The same table in the other language."""
    client = await open_client(lang="en")
    assert "Sign in" in (await (await client.get("/api/state")).json())["message"]


@pytest.mark.parametrize(
    ("accepted", "said"),
    [
        ("en-US,en;q=0.9,zh;q=0.8", "Bad request: text must be a text"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "请求有误：text：应为文字"),
        ("fr, EN;q=0.5", "must be a text"),
        ("fr", "应为文字"),
        ("", "应为文字"),
    ],
)
async def test_each_page_is_answered_in_its_language(operator: Client, accepted: str, said: str) -> None:
    """Whatever the server's own is."""
    answer = await operator.post("/api/say", json={"text": 3}, headers={"Accept-Language": accepted})
    assert answer.status == 400 and said in (await answer.json())["message"]
