"""The engine: tokens in, several drafts out. It knows nothing of viewers, approval or the audience."""

from bot.engine.types import (
    DraftDone,
    DraftText,
    Ending,
    Engine,
    EngineError,
    EngineState,
    EngineStatus,
    Prompt,
    Sampling,
)

__all__ = [
    "DraftDone",
    "DraftText",
    "Ending",
    "Engine",
    "EngineError",
    "EngineState",
    "EngineStatus",
    "Prompt",
    "Sampling",
]
