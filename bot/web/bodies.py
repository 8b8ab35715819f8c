"""The JSON bodies of POST requests, checked. What may be done with them is the show's matter."""

from __future__ import annotations

from typing import Literal, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from bot.messages import Viewer
from bot.web.guard import language_of
from bot.web.texts import TEXTS, Denied


class Body(BaseModel):
    """Types are strict: "3" is not 3. Keys that we do not know are left alone, so newer pages may say more."""

    model_config = ConfigDict(strict=True, frozen=True)


class SignIn(Body):
    token: str = Field(max_length=1000)
    label: str = Field("", max_length=200)


class Seen(Body):
    """Which revision of the card the person was looking at."""

    revision: int


class Approve(Seen):
    """`override`: why words may go out that a check has blocked."""

    text: str
    override: str | None = Field(None, max_length=1000)


class Reject(Seen):
    mute: bool = False


class More(Seen):
    count: int | None = Field(None, ge=1, le=20)
    start_with: str = Field("", max_length=500)
    min_length: int = Field(0, ge=0, le=1000)
    hint: str = Field("", max_length=500)


class Say(Body):
    character: str = Field("", max_length=100)
    text: str


class Generate(Body):
    character: str = Field("", max_length=100)
    start_with: str = Field("", max_length=500)
    min_length: int = Field(0, ge=0, le=1000)
    count: int | None = Field(None, ge=1, le=20)


class Answer(Body):
    message: str


class MessageOf(Body):
    """A message that is held."""

    message: str = Field(max_length=500)


class ViewerOf(Body):
    platform: str = Field(max_length=100)
    viewer_id: str = Field(max_length=500)
    viewer: str = Field("", max_length=500)

    def viewer_value(self) -> Viewer:
        return Viewer(self.platform, self.viewer_id, self.viewer)


class ListedWord(Body):
    """A word for the user's own list."""

    word: str = Field(min_length=1, max_length=100)
    rule: Literal["block", "allow", "forget"]
    category: str = Field("custom", max_length=40)
    severity: int = Field(3, ge=1, le=4)


class Words(Body):
    """Words that somebody is writing and would like to have checked."""

    text: str = Field(max_length=5000)


class Pause(Body):
    mode: Literal["run", "hold", "drop"]


AnyBody = TypeVar("AnyBody", bound=Body)

_KINDS = {
    "missing": "field_missing",
    "int_type": "field_integer",
    "string_type": "field_text",
    "bool_type": "field_truth",
    "model_type": "field_object",
    "literal_error": "field_choice",
    "greater_than_equal": "field_too_small",
    "less_than_equal": "field_too_big",
    "string_too_long": "field_too_long",
    "string_too_short": "field_too_short",
}


async def read(request: web.Request, body: type[AnyBody]) -> AnyBody:
    """The request's body, or Denied with every wrong field named."""
    return checked(request, body, await request.read())


def checked(request: web.Request, body: type[AnyBody], content: bytes) -> AnyBody:
    """The same for a body that has been read."""
    try:
        return body.model_validate_json(content)
    except ValidationError as error:
        texts = TEXTS[language_of(request)]
        details = error.errors(include_url=False, include_input=False)
        fields = {".".join(map(str, detail["loc"])): _mistake(detail, texts) for detail in details}
        said = texts["semicolon"].join(texts["colon"].join(filter(None, field)) for field in fields.items())
        raise Denied("bad_request", said, fields=fields) from None


def _mistake(detail: ErrorDetails, texts: dict[str, str]) -> str:
    if detail["type"] == "json_invalid":
        return texts["body_not_json"]
    return texts[_KINDS.get(detail["type"], "field_wrong")].format(**detail.get("ctx", {}))
