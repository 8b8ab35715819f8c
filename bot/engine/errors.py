"""What can be wrong with a model, for those who do not import torch."""

from __future__ import annotations

from bot.errors import UserError


class ModelError(UserError):
    """A model or a strategy that cannot be used. The message is for people and says what to do."""
