"""Frames: every version, several packets, wrong lengths, bombs; nothing raises."""

import json
import random
import tracemalloc
import zlib
from typing import Any

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.bilibili import packets
from adapters.bilibili.packets import AUTH_REPLY, BROTLI, COMMAND, HEADER, HEARTBEAT_REPLY, JSON, ZLIB, packet, read

LIVE = {"cmd": "LIVE"}
LINE = {"cmd": "DANMU_MSG", "info": [[], "晚上好", [1, "阿强"]]}


def command(value: Any = LINE, version: int = JSON) -> bytes:
    return packet(COMMAND, json.dumps(value).encode(), version)


def squeezed(version: int, *inner: bytes) -> bytes:
    squeeze = {ZLIB: zlib.compress, BROTLI: brotli.compress}[version]
    return packet(COMMAND, squeeze(b"".join(inner)), version)


def test_a_command_is_read_in_every_version() -> None:
    """Plain, zlib and brotli; a name of version 1 as well."""
    for frame in (
        command(),
        command(version=1),
        squeezed(ZLIB, command()),
        squeezed(BROTLI, command()),
    ):
        found = read(frame)
        assert (found.commands, found.bad) == ([LINE], 0)


def test_several_packets_of_several_versions_keep_their_order() -> None:
    """One frame, five packets, one of them holding three."""
    numbered = [command({"cmd": "X", "n": n}) for n in range(8)]
    frame = b"".join(
        (numbered[0], squeezed(ZLIB, *numbered[1:4]), numbered[4], squeezed(BROTLI, *numbered[5:7]), numbered[7])
    )
    found = read(frame)
    assert [one["n"] for one in found.commands] == list(range(8)) and found.bad == 0


def test_the_answer_to_a_login() -> None:
    """Bytes as servers send them; a refusal; one that cannot be read counts as a refusal."""
    assert read(bytes.fromhex("0000001a001000010000000800000001") + b'{"code":0}').auth == 0
    assert read(packet(AUTH_REPLY, b'{"code":-101}')).auth == -101
    assert read(packet(AUTH_REPLY, b"?")).auth == -1
    assert read(command()).auth is None


def test_the_echo_behind_a_heartbeat_is_skipped() -> None:
    """The length of a heartbeat's answer does not count the echo of what we sent."""
    head = bytes.fromhex("00000014001000010000000300000000000009a2")
    for echo in (b"", b"{}", b"[object Object]", b"[object Object][object Object]"):
        found = read(head + echo)
        assert (found.heartbeats, found.commands, found.bad) == (1, [], 0)
    behind = read(head + command())
    assert (behind.heartbeats, behind.commands, behind.bad) == (1, [LINE], 0)


def test_what_stands_before_a_fault_is_read() -> None:
    """A truncated header, a length that is too small, a body that is cut: the packet before is good."""
    for rest in (
        b"\x00",
        command()[:15],
        HEADER.pack(3, 16, 0, COMMAND, 0) + b"xyz",
        HEADER.pack(20, 4, 0, COMMAND, 0) + b"{}{}",
        HEADER.pack(16, 17, 0, COMMAND, 0) + b"{}",
        HEADER.pack(20, 16, 9, COMMAND, 0) + b"{}{}",
        command()[:-3],
        HEADER.pack(len(command()) - 4, *HEADER.unpack_from(command())[1:]) + command()[16:],
    ):
        found = read(command(LIVE) + rest)
        assert found.commands == [LIVE] and found.bad >= 1, rest


def test_a_packet_that_cannot_be_read_costs_only_itself() -> None:
    """Not JSON, not an object, an unknown operation, no zlib: what comes behind is read."""
    for bad in (
        packet(COMMAND, b"not json", JSON),
        packet(COMMAND, b"\xff\xfe", JSON),
        packet(COMMAND, b"[1]", JSON),
        packet(COMMAND, b"[" * 100_000, JSON),
        packet(COMMAND, b'{"n":' + b"9" * 5000 + b"}", JSON),
        packet(99, b"{}", JSON),
        packet(COMMAND, b"no zlib", ZLIB),
        packet(COMMAND, b"no brotli", BROTLI),
        packet(COMMAND, b"", ZLIB),
    ):
        found = read(bad + command())
        assert (found.commands, found.bad) == ([LINE], 1), bad[:40]


def test_a_length_that_is_too_large_takes_what_there_is() -> None:
    """The last packet of a frame says more than there is; its body is whole all the same."""
    frame = command()
    lying = HEADER.pack(len(frame) + 1000, *HEADER.unpack_from(frame)[1:]) + frame[16:]
    assert read(lying).commands == [LINE]


@pytest.mark.parametrize("version", [ZLIB, BROTLI])
def test_what_breaks_off_is_read_as_far_as_it_goes(version: int) -> None:
    """Half of a compressed body."""
    noise = {"cmd": "X", "noise": random.Random(1).randbytes(40_000).hex()}
    whole = squeezed(version, command(), command(noise))
    found = read(packet(COMMAND, whole[16:-9000], version) + command(LIVE))
    assert found.commands[0] == LINE and found.commands[-1] == LIVE and found.bad >= 1


@pytest.mark.parametrize("version", [ZLIB, BROTLI])
def test_a_bomb_is_not_unpacked(version: int) -> None:
    """Some 60 MB in a few kB (or bytes) cost a few MB at most, and nothing of them is told."""
    squeeze = {ZLIB: lambda data: zlib.compress(data, 9), BROTLI: brotli.compress}[version]
    bomb = packet(COMMAND, squeeze(command() * 1_000_000), version)
    tracemalloc.start()
    try:
        found = read(bomb + command(LIVE))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (found.commands, found.bad) == ([LIVE], 1)
    assert peak < 6 * packets.INFLATED_BYTES


@pytest.mark.parametrize("version", [ZLIB, BROTLI])
def test_a_packed_packet_inside_a_packed_one_is_not_opened(version: int) -> None:
    """One level, as the protocol has it."""
    found = read(squeezed(version, squeezed(version, command()), command(LIVE)))
    assert (found.commands, found.bad) == ([LIVE], 1)


def test_an_old_brotli_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that cannot stop at a size would unpack everything; then brotli counts as unreadable."""

    class Old:
        def process(self, data: bytes) -> bytes:
            raise AssertionError("must not be asked")

    monkeypatch.setattr(brotli, "Decompressor", Old)
    monkeypatch.setattr(packets, "_brotli", packets._find_brotli())
    found = read(squeezed(BROTLI, command()) + command(LIVE))
    assert (found.commands, found.bad) == ([LIVE], 1)


# -- whatever may come ---------------------------------------------------------------------------------------------


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """Rows of packets, good and odd, then cut or with some bytes changed."""
    bodies = st.sampled_from([command()[16:], b"{}", b"[]", b'{"code":0}', b"", zlib.compress(command()), b"x" * 20])
    operations = st.sampled_from([COMMAND, AUTH_REPLY, HEARTBEAT_REPLY, 2, 99])
    parts = draw(st.lists(st.tuples(operations, bodies, st.integers(0, 4)), max_size=6))
    frame = bytearray(b"".join(packet(*part) for part in parts))
    for place, value in draw(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=5)):
        if place < len(frame):
            frame[place] = value
    return bytes(frame[: draw(st.integers(0, len(frame)))])


@settings(max_examples=500)
@given(frames() | st.binary(max_size=100))
def test_nothing_raises(frame: bytes) -> None:
    """Any bytes are a frame; what comes out are objects and counts."""
    found = read(frame)
    assert all(isinstance(one, dict) for one in found.commands)
    assert found.bad >= 0 and found.heartbeats >= 0


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3)), max_size=5))
def test_whatever_is_packed_is_read_in_order(rows: list[tuple[int, int]]) -> None:
    """Any mixture of versions and numbers of packets comes out as it went in."""
    count = 0
    frame = b""
    for version, inside in rows:
        inner = [command({"cmd": "X", "n": count + n}) for n in range(inside)]
        count += inside
        frame += squeezed(version, *inner) if version in (ZLIB, BROTLI) else b"".join(inner)
    found = read(frame)
    assert [one["n"] for one in found.commands] == list(range(count)) and found.bad == 0
