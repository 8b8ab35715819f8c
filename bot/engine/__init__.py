"""The engine: tokens in, several drafts out. It knows nothing of viewers, approval or the audience."""

from bot.engine.types import (
    Counted,
    DraftDone,
    DraftText,
    Ending,
    Engine,
    EngineError,
    EngineState,
    EngineStatus,
    Prompt,
    Reading,
    Sampling,
)

__all__ = [
    "Counted",
    "DraftDone",
    "DraftText",
    "Ending",
    "Engine",
    "EngineError",
    "EngineState",
    "EngineStatus",
    "Prompt",
    "Reading",
    "Sampling",
]
