"""What people read when the web layer refuses something: one table per language, and the status of each refusal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

Language = Literal["zh", "en"]

STATUS = {
    "bad_request": 400,
    "not_signed_in": 401,
    "wrong_token": 401,
    "other_site": 403,
    "wrong_host": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "too_large": 413,
    "too_many_attempts": 429,
    "too_many_pages": 429,
    "failed": 500,
}

TEXTS: dict[Language, dict[str, str]] = {
    "zh": {
        "bad_request": "请求有误：{detail}",
        "not_signed_in": "请先登录：令牌在启动时印在终端里。",
        "wrong_token": "令牌不对。请核对启动时终端里显示的令牌。",
        "other_site": "这个请求来自别的网站，已拒绝。请直接在地址栏打开本页面。",
        "wrong_host": "不认识这个主机名。请用启动时显示的地址访问。",
        "not_found": "没有这个页面。",
        "method_not_allowed": "这个地址不接受这种请求方式。",
        "too_large": "内容太大，最多 {detail}。",
        "too_many_attempts": "尝试次数太多，请 {detail} 秒后再试。",
        "too_many_pages": "打开的页面太多了，请关掉一些再试。",
        "failed": "程序出错了，这次操作可能没有生效。详情见日志。",
        # How a body can be wrong.
        "body_not_json": "正文不是有效的 JSON",
        "field_missing": "缺少这一项",
        "field_integer": "应为整数",
        "field_text": "应为文字",
        "field_truth": "应为 true 或 false",
        "field_object": "应为 JSON 对象",
        "field_choice": "应为 {expected} 之一",
        "field_too_small": "不能小于 {ge}",
        "field_too_big": "不能大于 {le}",
        "field_too_long": "太长，最多 {max_length} 字",
        "field_too_short": "太短，最少 {min_length} 字",
        "field_wrong": "不符合要求",
        "colon": "：",
        "semicolon": "；",
    },
    "en": {
        "bad_request": "Bad request: {detail}",
        "not_signed_in": "Sign in first: the token was printed in the terminal at start.",
        "wrong_token": "Wrong token. Compare it with the one printed in the terminal at start.",
        "other_site": "This request came from another site and was refused. Open this page from the address bar.",
        "wrong_host": "Unknown host name. Use the address printed at start.",
        "not_found": "There is no such page.",
        "method_not_allowed": "This address does not take this method.",
        "too_large": "Too large: {detail} at most.",
        "too_many_attempts": "Too many attempts: try again in {detail} seconds.",
        "too_many_pages": "Too many pages are open: close some and try again.",
        "failed": "The program failed; this may have had no effect. The log says more.",
        "body_not_json": "the body is not valid JSON",
        "field_missing": "is missing",
        "field_integer": "must be an integer",
        "field_text": "must be a text",
        "field_truth": "must be true or false",
        "field_object": "must be a JSON object",
        "field_choice": "must be one of {expected}",
        "field_too_small": "must be at least {ge}",
        "field_too_big": "must be at most {le}",
        "field_too_long": "is too long: {max_length} characters at most",
        "field_too_short": "is too short: {min_length} characters at least",
        "field_wrong": "is not acceptable",
        "colon": " ",
        "semicolon": "; ",
    },
}


def spoken(accepted: str, usual: Language) -> Language:
    """The language of an `Accept-Language` header: the first in it that we speak, else the usual one. Our pages send the
    one that was chosen on them."""
    found = re.search(r"\b(?:zh|en)\b", accepted.lower())
    if found is None:
        return usual
    return "zh" if found[0] == "zh" else "en"


class Denied(Exception):
    """A request that the web layer itself refuses. `code` is a key of STATUS; `detail` fills the text's gap.

    `fields`: what is wrong with each part of the body, by its path ("lorebook.2.text").
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        headers: dict[str, str] | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.headers = headers or {}
        self.fields = dict(fields or {})

    @property
    def status(self) -> int:
        return STATUS[self.code]

    def text(self, language: Language) -> str:
        return TEXTS[language][self.code].format(detail=self.detail)
