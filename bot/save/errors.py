"""What goes wrong with the disk."""

from __future__ import annotations

from bot.errors import UserError


class SaveError(UserError):
    """The disk refused. Nothing was changed."""
