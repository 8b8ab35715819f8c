"""Which names we answer to, and which origins are ours."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.web.guard import Hosts
from tests.web.conftest import BEARER, OVERLAY_TOKEN, Client, Site

LOOPBACK = ["127.0.0.1", "127.0.0.1:57860", "localhost", "LOCALHOST:1", "localhost.:80", "[::1]", "[::1]:57860"]
ADDRESSES = ["192.168.1.20:57860", "10.0.0.5", "[fe80::1]:57860", "203.0.113.9"]
NAMES = ["evil.example", "evil.example:57860", "127.0.0.1.evil.example", "localhost.evil.example", "xn--localhost-"]
BROKEN = [
    "",
    ":80",
    "a b",
    "x@127.0.0.1",
    "127.0.0.1/",
    "127.0.0.1:",
    "127.0.0.1:x",
    "::1",
    "[::1",
    "[localhost]",
    "\\",
]


@pytest.mark.parametrize("listening", ["127.0.0.1", "localhost", "::1", "0.0.0.0", "192.168.1.20"])
@pytest.mark.parametrize("host", LOOPBACK)
def test_loopback_is_always_ours(listening: str, host: str) -> None:
    """With and without a port, in either case."""
    assert host in Hosts(listening)


@pytest.mark.parametrize("host", ADDRESSES)
def test_an_address_is_ours_when_we_listen_to_the_network(host: str) -> None:
    """No name stands behind it that could be pointed elsewhere."""
    assert host in Hosts("0.0.0.0")
    assert host in Hosts("::")
    assert host not in Hosts("127.0.0.1")


def test_this_machines_name_is_ours_when_we_listen_to_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """As people type it on their phone."""
    monkeypatch.setattr(socket, "gethostname", lambda: "Studio-PC")
    for name in ("studio-pc:57860", "Studio-PC.local"):
        assert name in Hosts("0.0.0.0")
        assert name not in Hosts("127.0.0.1")


@pytest.mark.parametrize("listening", ["127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize("host", NAMES + BROKEN)
def test_other_names_are_not_ours(listening: str, host: str) -> None:
    """Nor anything that is no host at all."""
    assert host not in Hosts(listening)


def test_a_name_may_be_added() -> None:
    """For those who put a proxy or a name of their own before it."""
    assert "cohost.example:443" in Hosts("127.0.0.1", ["Cohost.Example"])


@given(st.text(max_size=40))
def test_no_text_breaks_the_check(text: str) -> None:
    """It says yes or no to anything."""
    assert (text in Hosts("127.0.0.1")) in (True, False)


async def test_a_request_without_a_host_or_with_two_is_refused(stranger: Client) -> None:
    """Written by hand: no client library sends such a thing."""
    for hosts in (b"", b"Host: 127.0.0.1\r\nHost: 127.0.0.1\r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", stranger.port)
        writer.write(b"GET /health HTTP/1.1\r\n" + hosts + b"Connection: close\r\n\r\n")
        answer = await reader.read()
        assert b" 40" in answer.splitlines()[0]
        assert b"engine" not in answer
        writer.close()


async def test_our_own_page_may_call(stranger: Client, site: Site) -> None:
    """Its origin is the host it was loaded from, behind a proxy that speaks https as well."""
    host = f"127.0.0.1:{stranger.port}"
    for origin in (f"http://{host}", f"https://{host}", f"HTTP://{host}"):
        headers = {**BEARER, "Origin": origin, "Sec-Fetch-Site": "same-origin"}
        assert (await stranger.post("/api/stop", headers=headers)).status == 200
    assert len(site.show.calls) == 3


async def test_a_page_under_another_of_our_names_may_not(stranger: Client) -> None:
    """localhost and 127.0.0.1 are two sites."""
    headers = {**BEARER, "Origin": f"http://localhost:{stranger.port}"}
    assert (await stranger.post("/api/stop", headers=headers)).status == 403


async def test_a_link_from_elsewhere_opens_pages(stranger: Client) -> None:
    """A bookmark, a chat, a file on the disk that waits for the server and then loads the overlay in OBS."""
    headers = {"Sec-Fetch-Site": "cross-site", **BEARER}
    for path in ("/", "/login", f"/overlay?token={OVERLAY_TOKEN}", "/health"):
        assert (await stranger.get(path, headers=headers)).status == 200


async def test_the_phone_on_the_network_may_call(open_client: Any) -> None:
    """Plain http from another machine brings Origin, and no Sec-Fetch-Site."""
    client = await open_client(host="0.0.0.0")
    headers = {**BEARER, "Host": "192.168.1.20:57860", "Origin": "http://192.168.1.20:57860"}
    assert (await client.post("/api/stop", headers=headers)).status == 200
