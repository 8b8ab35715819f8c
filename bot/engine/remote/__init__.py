"""The engine on another machine: drafts from any server that speaks OpenAI's API, or rwkv_lightning's. No torch."""

from bot.engine.remote.engine import RemoteEngine

__all__ = ["RemoteEngine"]
