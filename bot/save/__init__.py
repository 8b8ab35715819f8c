"""The only package that writes under Save/."""

from bot.save.database import MIGRATIONS
from bot.save.errors import SaveError
from bot.save.generations import Generation, Outcome, Place
from bot.save.recorder import Recorder
from bot.save.store import Save

__all__ = ["MIGRATIONS", "Generation", "Outcome", "Place", "Recorder", "Save", "SaveError"]
