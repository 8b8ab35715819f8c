"""What a request says in each of the three forms, and what an event of the answer says. No network here.

- `completions`: `POST /completions`, the prompt as it stands (vLLM, llama.cpp, RWKV-Runner, Ai00). The best form: the
  model reads exactly what our own would.
- `chat`: `POST /chat/completions`. The server puts its template around the prompt, so the model is told what to do.
- `lightning`: `POST /chat/completions` of rwkv_lightning: `contents`, a row for each draft, told apart by `index`;
  `alpha_*` penalties, the password in the body. (RWKV-Vibe/rwkv_lightning, README and API_servers/router/schemas.py.)

Many servers apply `temperature` before `top_p`, our own model after it; at temperature 1 that is the same. Where it
is not, llama.cpp is told the order by `samplers`; the others are reported.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from bot.engine.types import Prompt, Sampling

Body = dict[str, Any]


class Form(StrEnum):
    COMPLETIONS = "completions"
    CHAT = "chat"
    LIGHTNING = "lightning"


PATHS = {Form.COMPLETIONS: "/completions", Form.CHAT: "/chat/completions", Form.LIGHTNING: "/chat/completions"}

FEW_STOPS = 4
"""As many stop texts as the strictest servers take."""

NEUTRAL = {"top_k": 0, "min_p": 0, "repeat_penalty": 1}
"""Said so that a server's own default does not apply (llama.cpp: 40, 0.05, and 1.1 in older ones). Not missed."""

IGNORED: dict[str, frozenset[str]] = {
    "vllm": frozenset({"typical_p", "mirostat", "dry_multiplier", "samplers"}),
    "llamacpp": frozenset({"bad_words"}),
    "me": frozenset({"typical_p", "dry_multiplier", "samplers", "bad_words"}),
}
"""What servers take and silently leave out, by `owned_by` in their lists of models; "me" is llama-cpp-python's."""

LLAMA_STEPS = {"typical": "typ_p"}
"""llama.cpp's names of steps, where they differ from ours."""

BAN = -100
"""OpenAI's API: a bias that is a ban."""

CHAT_TASK = (
    "下面是一段直播间的记录。请接着最后一行往下写，只写最后那个名字这一次说的话：不要重复名字，不要换行，"
    "不要替别人说话，不要解释。"
)

LIGHTNING_CHUNK = 2
"""Tokens that rwkv_lightning gathers before it sends them."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One answer that is asked for."""

    prompt: Prompt
    sampling: Sampling

    @property
    def text(self) -> str:
        """The prompt as a server reads it."""
        return "".join(self.prompt.parts) + self.prompt.start_with

    def after(self, added: str, times: int) -> Wish:
        """The wish for what comes after `added`, with another seed each time."""
        s = self.sampling
        left = max(1, s.min_tokens - len(added))
        seed = None if s.seed is None else s.seed + 1000 * times
        sampling = replace(s, min_tokens=left, max_tokens=max(left, s.max_tokens - len(added)), seed=seed)
        return Wish(replace(self.prompt, start_with=(self.prompt.start_with or " ") + added), sampling)

    @property
    def echoes(self) -> tuple[str, ...]:
        """What a chat model may say again before it goes on."""
        cue = self.prompt.parts[-1].strip() if self.prompt.parts else ""
        cues = [cue[:-1] + colon for colon in ":："] if cue.endswith((":", "：")) else []
        start = self.prompt.start_with.strip()
        starts = [start, *(cue + space + start for cue in cues for space in ("", " "))] if start else []
        return (*cues, *starts)


def body(form: Form, model: str, wish: Wish, rows: int, first: int, lacks: frozenset[str], key: str = "") -> Body:
    """A request for `rows` drafts, the first of them number `first`, without what the server `lacks`."""
    if form is Form.LIGHTNING:
        return _lightning(model, wish, rows, lacks, key)
    said: Body = {"model": model} if model else {}
    if form is Form.COMPLETIONS:
        said["prompt"] = wish.text
    else:
        said["messages"] = [{"role": "system", "content": CHAT_TASK}, {"role": "user", "content": wish.text}]
    sampling = wish.sampling
    said |= {
        "stream": True,
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        "top_p": max(sampling.top_p, 0.001),  # 0 is refused by many
    }
    return said | {name: value for name, value in _options(wish, rows, first, lacks) if name not in lacks}


def _options(wish: Wish, rows: int, first: int, lacks: frozenset[str]) -> Iterator[tuple[str, Any]]:
    """What a server may refuse, by the names of the wire."""
    sampling = wish.sampling
    if rows > 1:
        yield "n", rows
    if wish.prompt.stops:
        yield "stop", list(wish.prompt.stops)[: FEW_STOPS if "many stops" in lacks else None]
    if sampling.seed is not None:
        yield "seed", sampling.seed + first
    if sampling.presence:
        yield "presence_penalty", sampling.presence
    if sampling.frequency:
        yield "frequency_penalty", sampling.frequency
    if (sampling.presence or sampling.frequency) and sampling.decay < 1:
        yield "penalty_decay", sampling.decay
    if sampling.min_tokens:
        yield "min_tokens", sampling.min_tokens
    yield from (NEUTRAL | {"top_k": sampling.top_k, "min_p": sampling.min_p}).items()
    yield from _rare_steps(sampling, lacks)
    yield from _wording(sampling)


def _rare_steps(sampling: Sampling, lacks: frozenset[str]) -> Iterator[tuple[str, Any]]:
    """By llama.cpp's names. What only makes sense beside an option that is lacking is not said."""
    if sampling.typical < 1:
        yield "typical_p", sampling.typical
    if sampling.mirostat_tau:
        yield "mirostat", 2
        if "mirostat" not in lacks:
            yield "mirostat_mode", 2  # llama-cpp-python's name for it
            yield "mirostat_tau", sampling.mirostat_tau
            yield "mirostat_eta", sampling.mirostat_rate
    if sampling.dry_multiplier:
        yield "dry_multiplier", sampling.dry_multiplier
        if "dry_multiplier" not in lacks:
            yield "dry_base", sampling.dry_base
            yield "dry_allowed_length", sampling.dry_allowed_length
            yield "dry_penalty_last_n", sampling.dry_range + sampling.max_tokens
            yield "dry_sequence_breakers", list(sampling.dry_breakers)
    if "temperature" in sampling.steps and sampling.temperature > 0 and len(sampling.steps) > 1:
        steps = [LLAMA_STEPS.get(step, step) for step in sampling.order if step != "mirostat"]
        yield "samplers", ["penalties", "dry", *steps]


def _wording(sampling: Sampling) -> Iterator[tuple[str, Any]]:
    """`logit_bias` by ids is OpenAI's form; texts in it are llama.cpp's. `bad_words` are vLLM's."""
    bias = [*sampling.logit_bias, *((word, BAN) for word in sampling.ban if isinstance(word, int))]
    if bias:
        by_id = all(isinstance(word, int) for word, _ in bias)
        yield "logit_bias", {str(word): amount for word, amount in bias} if by_id else [list(pair) for pair in bias]
    if texts := [word for word in sampling.ban if isinstance(word, str)]:
        yield "bad_words", texts


def _lightning(model: str, wish: Wish, rows: int, lacks: frozenset[str], password: str) -> Body:
    sampling = wish.sampling
    greedy = sampling.temperature <= 0
    said: Body = {
        "model": model or "rwkv7",
        "contents": [wish.text] * rows,
        "stream": True,
        "max_tokens": sampling.max_tokens,
        # Newer versions take texts, older ones token ids, of which only 0, the end of a text, is the same everywhere.
        "stop_tokens": [0] if "stop" in lacks else list(wish.prompt.stops),
        "temperature": 1.0 if greedy else max(sampling.temperature, 0.001),
        "top_k": 1 if greedy else sampling.top_k,
        "top_p": sampling.top_p,
        "alpha_presence": sampling.presence,
        "alpha_frequency": sampling.frequency,
        "alpha_decay": sampling.decay,
        "chunk_size": LIGHTNING_CHUNK,
    }
    return said | ({"password": password} if password else {})


UNHEARD_OF = frozenset({"no_repeat", "guidance"})
"""What no server knows."""

LIGHTNING_LACKS = frozenset(
    {"seed", "min_tokens", "min_p", "typical_p", "mirostat", "dry_multiplier", "samplers", "logit_bias", "bad_words"}
)


def missed(form: Form, wish: Wish, lacks: frozenset[str]) -> set[str]:
    """What this wish asks for and the server does not do. Several drafts, stops and the least length are done on our
    side: not missed."""
    asked = {name: value for name, value in _options(wish, 1, 0, frozenset()) if NEUTRAL.get(name) != value}
    lost = lacks | LIGHTNING_LACKS if form is Form.LIGHTNING else lacks
    off = Sampling()
    unheard = {name for name in UNHEARD_OF if getattr(wish.sampling, name) != getattr(off, name)}
    return unheard | (set(asked) & lost - {"n", "stop", "min_tokens"})


# ---- what a server says ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of draft `index` of the request. `reason` None: it goes on."""

    index: int
    text: str
    reason: str | None


class NoAnswer(Exception):
    """An event that is an error of the server's, or nothing that we understand. The message is the server's."""


DONE = "[DONE]"


def pieces(data: str) -> list[Piece]:
    """The pieces of one event (or of a whole answer that was not streamed). Raises NoAnswer."""
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        raise NoAnswer("not JSON") from None
    if not isinstance(said, dict) or said.get("error") or said.get("object") == "error":
        raise NoAnswer(complaint(data))
    choices = said.get("choices")
    found = [_piece(place, choice) for place, choice in enumerate(choices or []) if isinstance(choice, dict)]
    if not isinstance(choices, list) and "usage" not in said:
        raise NoAnswer("no choices")
    return found


def _piece(place: int, choice: Body) -> Piece:
    index = choice.get("index", place)
    inner = choice.get("delta") or choice.get("message") or {}
    text = choice.get("text") or (inner.get("content") if isinstance(inner, dict) else "")
    reason = choice.get("finish_reason")
    return Piece(index if isinstance(index, int) else place, text if isinstance(text, str) else "", reason or None)


def complaint(text: str, secret: str = "", limit: int = 200) -> str:
    """A server's own words on what went wrong, for people: one line, short, without the key if it quotes that."""
    try:
        said = _words(json.loads(text))
    except (ValueError, RecursionError):
        said = re.sub(r"<[^>]*>", " ", text)
    said = " ".join("".join(letter if letter.isprintable() else " " for letter in said).split())
    return (said.replace(secret, "***") if secret else said)[:limit]


def _words(said: object) -> str:
    match said:
        case str():
            return said
        case {"error": inner} | {"message": inner} | {"detail": inner} | {"msg": inner} if inner:
            return _words(inner)
        case [first, *_]:
            return _words(first)
    return json.dumps(said, ensure_ascii=False)


def blamed(text: str, sent: Body) -> set[str]:
    """Which of the options that were sent the server names as what it does not take; empty when it names none."""
    options = set(sent) & OPTIONAL
    try:
        said = json.loads(text)
        named, words = _parameters(said) & options, _words(said)
    except (ValueError, RecursionError):
        named, words = set(), text
    return named or {name for name in options if re.search(rf"\b{name}\b", words)}


def _parameters(said: object) -> set[str]:
    """Names of parameters in OpenAI's way (`error.param`) and in FastAPI's (`detail[].loc`)."""
    match said:
        case {"error": {"param": str() as name}}:
            return {name}
        case {"detail": [*problems]}:
            places = [problem.get("loc") for problem in problems if isinstance(problem, dict)]
            return {part for place in places if isinstance(place, list) for part in place if isinstance(part, str)}
    return set()


OPTIONAL = {
    "n", "stop", "seed", "presence_penalty", "frequency_penalty", "penalty_decay", "min_tokens", *NEUTRAL,
    "typical_p", "mirostat", "mirostat_mode", "mirostat_tau", "mirostat_eta", "samplers", "logit_bias", "bad_words",
    "dry_multiplier", "dry_base", "dry_allowed_length", "dry_penalty_last_n", "dry_sequence_breakers",
}  # fmt: skip

SUSPECTS: tuple[set[str], ...] = (
    {"penalty_decay", "min_tokens", "min_p", "repeat_penalty", "typical_p", "dry_multiplier", "bad_words"},
    {"top_k"},
    {"n"},
    {"many stops"},
    {"seed"},
    {"presence_penalty", "frequency_penalty"},
    {"stop"},
)
"""Given up one after another when a server refuses a request and does not say why: the rarest first."""
