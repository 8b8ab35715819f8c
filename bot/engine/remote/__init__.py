"""The engine on another machine: drafts from any server that speaks OpenAI's API, or rwkv_lightning's. No torch."""

from bot.engine.remote.engine import RemoteEngine
from bot.engine.remote.forms import Form
from bot.engine.remote.server import Waits

__all__ = ["Form", "RemoteEngine", "Waits"]
