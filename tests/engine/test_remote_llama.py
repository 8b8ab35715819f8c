"""The remote engine against llama-cpp-python's own server, with a GGUF of random weights made on the spot.

Runs where the extra [bench] and that server's own extra are installed; a model of 115 kB, one thread, some seconds.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from bot.engine.remote import Waits
from bot.engine.types import DraftDone, Ending, EngineState, Prompt, Sampling
from tests.engine.test_remote import PROMPT, collect, running, texts
from tests.ports import free_port
from tests.waiting import until

NEEDED = ("llama_cpp", "gguf", "uvicorn", "starlette_context")
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]

pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f'not installed: {", ".join(MISSING)} (pip install -e ".[bench]" "llama-cpp-python[server]")'
)

WIDTH, HEADS, HIDDEN = 32, 2, 64

PATIENT = Waits(
    first=60, silence=60, pause=0.05
)  # bytes at random are seldom a character, so text may be long in coming


def write_model(path: Path) -> None:
    """A llama of one layer whose vocabulary is the 256 bytes. It speaks nonsense."""
    import gguf

    random = np.random.default_rng(0)
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_context_length(1024)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    kinds = [gguf.TokenType.UNKNOWN, *[gguf.TokenType.CONTROL] * 2, *[gguf.TokenType.BYTE] * 256]
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types([int(kind) for kind in kinds])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    square, wide, tall = (WIDTH, WIDTH), (HIDDEN, WIDTH), (WIDTH, HIDDEN)
    shapes = {"token_embd": (len(tokens), WIDTH), "output": (len(tokens), WIDTH)}
    shapes |= {f"blk.0.attn_{name}": square for name in ("q", "k", "v", "output")}
    shapes |= {"blk.0.ffn_gate": wide, "blk.0.ffn_up": wide, "blk.0.ffn_down": tall}
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", random.normal(0, 0.3, shape).astype(np.float32))
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(WIDTH, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@asynccontextmanager
async def llama_server(model: Path) -> AsyncIterator[str]:
    """`python -m llama_cpp.server`, as people start it."""
    port = free_port()
    arguments = ["--model", str(model), "--port", str(port), "--n_threads", "1", "--n_ctx", "1024", "--api_key", "k"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "llama_cpp.server", *arguments,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        await process.wait()


async def test_drafts_of_a_real_server(tmp_path: Path) -> None:
    """It ignores `n` and cuts off an answer when a new request comes; both are found out, and all drafts arrive."""
    write_model(tmp_path / "tiny.gguf")
    async with (
        llama_server(tmp_path / "tiny.gguf") as url,
        running(url, waits=PATIENT, api_key="k", ready=False) as engine,
    ):
        await until(lambda: engine.status.state is EngineState.READY, 60)
        many = await collect(engine, 5, Sampling(top_p=1, top_k=50, min_tokens=2, max_tokens=100))
        assert len(texts(many)) == 5
        assert "一次只能答一个请求" in engine.status.detail
        greedy = Sampling(temperature=0, max_tokens=24, presence=0, frequency=0, decay=1)
        events = await collect(engine, 3, greedy)
        assert len(set(texts(events))) == 1, "greedy drafts are alike, none is cut short"
        ends = [event.ending for event in events if isinstance(event, DraftDone)]
        assert ends == [Ending.LENGTH] * 3
        drawn = await collect(engine, 3, Sampling(top_p=1, seed=1, max_tokens=24))
        assert len(set(texts(drawn))) > 1
        assert texts(await collect(engine, 3, Sampling(top_p=1, seed=1, max_tokens=24))) == texts(drawn)
        stop = texts(events)[0][3:5]
        stopped = await collect(engine, 1, greedy, Prompt(PROMPT.parts, (stop,)))
        assert texts(stopped) == [texts(events)[0].partition(stop)[0].rstrip()]
        left = engine.drafts(PROMPT, 2, Sampling(top_p=1, max_tokens=300))
        await anext(left)
        await left.aclose()  # type: ignore[attr-defined]
        assert len(texts(await collect(engine, 2, greedy))) == 2, "an answer that nobody waits for is no hindrance"


async def test_wrong_key_is_told(tmp_path: Path) -> None:
    """The real server's 401."""
    write_model(tmp_path / "tiny.gguf")
    async with llama_server(tmp_path / "tiny.gguf") as url, running(url, api_key="wrong", ready=False) as engine:
        await until(lambda: engine.status.state is EngineState.FAILED, 60)
        assert "engine.remote.api_key" in engine.status.detail
