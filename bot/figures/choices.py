"""What a person made of what was proposed: the cards of a show, and the lines that were put to paper at the desk."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.approval import State
from bot.save import Place
from bot.save.ledger import CardRow


class Fate(StrEnum):
    """Each choice has one. Their shares add up to one, with those that wait left out."""

    TAKEN = "taken"  # as the model wrote it
    EDITED = "edited"  # the model's words, changed by a person
    OWN = "own"  # a person's words; the model had proposed nothing
    REJECTED = "rejected"
    EXPIRED = "expired"
    RECALLED = "recalled"  # it was aired, and taken off the air
    WAITING = "waiting"  # nobody has decided yet


@dataclass(frozen=True, slots=True)
class Choice:
    """`subject`: the show's series/name, or the scene's id. `at`: when the card came up, or the line was taken.
    `hit`: the words are those of the first draft. `waited`: seconds from the card, or from the ask for drafts at the desk,
    until a person had decided (None: nobody has, or there was nothing to wait for). `characters`: of the words that stand."""

    place: Place
    subject: str
    character: str
    at: float
    fate: Fate
    hit: bool = False
    waited: float | None = None
    characters: int = 0


def card_choice(card: CardRow) -> Choice:
    """A card, with what has become of it by now. One that was taken back and decided again has the last decision's
    fate, and waited for the first."""
    fate = _fate(card)
    stands = fate in (Fate.TAKEN, Fate.EDITED, Fate.OWN)
    said_at_once = card.asked is None and not card.drafts
    waited = None if card.decided is None or said_at_once else max(0.0, card.decided - card.created)
    hit = fate is Fate.TAKEN and card.text == card.drafts[0]
    length = len(card.text or "") if stands else 0
    return Choice(Place.SHOW, card.scenario, card.character, card.created, fate, hit, waited, length)


def _fate(card: CardRow) -> Fate:
    match card.state:
        case State.PENDING:
            return Fate.WAITING
        case State.APPROVED | State.AIRED | State.DONE:
            if not card.drafts:
                return Fate.OWN
            return Fate.TAKEN if card.text in card.drafts else Fate.EDITED
        case State.REJECTED | State.EXPIRED | State.RECALLED:
            return Fate(card.state.value)
