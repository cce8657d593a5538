"""Chat robots as they answer: always HTTP 200, and a code of their own that says whether the message was taken."""

from __future__ import annotations

import base64
import hashlib
import hmac
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request

from include.sandbox.channels.taken import Rate

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a message is not taken, in the platform's own code and words."""

    code: int
    text: str


class Robot(ABC):
    """One platform's robot: it checks who calls, how often and what; `refused` and `throttled` are what its faults answer."""

    name: str
    path: str
    refused: Refusal
    throttled: Refusal
    rates: tuple[Rate, ...]

    @abstractmethod
    def check(self, request: Request, body: bytes, now_ms: int) -> Refusal | None:
        """Return why a call is refused, or None."""

    @abstractmethod
    def answer(self, refusal: Refusal | None) -> dict[str, Any]:
        """Return the answer's JSON."""

    def admits(self) -> bool:
        """Return whether one more call keeps to every rate."""
        return all([rate.admits() for rate in self.rates])


def read_object(body: bytes) -> dict[str, Any] | None:
    """Return a JSON object, or None where the body is none."""
    try:
        value = orjson.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def is_json(request: Request) -> bool:
    """Return whether the caller says that it sends JSON."""
    return request.headers.get("content-type", "").split(";")[0].strip().lower() == "application/json"


def filled(value: Any, *names: str) -> bool:
    """Return whether a value is an object of exactly these names, each with a text that is not blank."""
    return (
        isinstance(value, dict)
        and set(value) == set(names)
        and all(isinstance(value[name], str) and value[name].strip() for name in names)
    )


class DingTalkRobot(Robot):
    """DingTalk: token and signature in the query, Markdown with a title, 20,000 bytes, 20 a minute or 10 minutes of silence."""

    name, path = "dingtalk", "/dingtalk/robot/send"
    refused = Refusal(310000, "keywords not in content")
    throttled = Refusal(130101, "send too fast, exceed 20 times per minute")
    most_bytes = 20_000

    def __init__(self, token: str, secret: str) -> None:
        self.token, self.secret = token, secret
        self.rates = (Rate(20, 60.0, silence=600.0),)

    def check(self, request: Request, body: bytes, now_ms: int) -> Refusal | None:
        """Check token, signature, size and form."""
        query = dict(parse_qsl(request.scope["query_string"].decode(), keep_blank_values=True))
        if query.get("access_token") != self.token:
            return Refusal(300001, "token is not exist")
        if not query.get("timestamp", "").isdigit() or abs(int(query["timestamp"]) - now_ms) > HOUR_MS:
            return Refusal(310000, "invalid timestamp")
        if query.get("sign") != self._signature(query["timestamp"]):
            return Refusal(310000, "sign not match")
        if len(body) > self.most_bytes:
            return Refusal(460101, "message too long, exceed 20000 bytes")
        return self._check_form(request, body)

    def _signature(self, timestamp: str) -> str:
        return base64.b64encode(
            hmac.digest(self.secret.encode(), f"{timestamp}\n{self.secret}".encode(), "sha256")
        ).decode()

    def _check_form(self, request: Request, body: bytes) -> Refusal | None:
        document = read_object(body)
        if document is None or not is_json(request):
            return Refusal(40035, "不合法的参数")
        if document.get("msgtype") != "markdown" or set(document) != {"msgtype", "markdown"}:
            return Refusal(400105, "unsupported msgtype")
        return None if filled(document["markdown"], "title", "text") else Refusal(40035, "缺少参数 markdown")

    def answer(self, refusal: Refusal | None) -> dict[str, Any]:
        """Answer as this platform does."""
        return {"errcode": refusal.code, "errmsg": refusal.text} if refusal else {"errcode": 0, "errmsg": "ok"}


class WeComRobot(Robot):
    """WeCom: the key in the query, Markdown of at most 4,096 bytes, 20 a minute."""

    name, path = "wecom", "/wecom/cgi-bin/webhook/send"
    refused = Refusal(93000, "invalid webhook url, hint: [1763884800123456789012345]")
    throttled = Refusal(45009, "api freq out of limit")
    most_bytes = 4096

    def __init__(self, key: str) -> None:
        self.key = key
        self.rates = (Rate(20, 60.0),)

    def check(self, request: Request, body: bytes, now_ms: int) -> Refusal | None:
        """Check key, form and size."""
        query = parse_qsl(request.scope["query_string"].decode(), keep_blank_values=True)
        if query != [("key", self.key)]:
            return self.refused
        document = read_object(body)
        if document is None or not is_json(request):
            return Refusal(47001, "data format error")
        if document.get("msgtype") != "markdown" or set(document) != {"msgtype", "markdown"}:
            return Refusal(40008, "invalid message type")
        if not filled(document["markdown"], "content"):
            return Refusal(44004, "empty content")
        if len(document["markdown"]["content"].encode()) > self.most_bytes:
            return Refusal(40058, "markdown.content exceed max length 4096. invalid Request Parameter")
        return None

    def answer(self, refusal: Refusal | None) -> dict[str, Any]:
        """Answer as this platform does."""
        return {"errcode": refusal.code, "errmsg": refusal.text} if refusal else {"errcode": 0, "errmsg": "ok"}


class FeishuRobot(Robot):
    """Feishu: the hook in the path, time and signature in the body, a card with Markdown, 20 kB, 100 a minute and 5 a second."""

    name, path = "feishu", "/feishu/open-apis/bot/v2/hook/{hook}"
    refused = Refusal(19024, "Key Words Not Found")
    throttled = Refusal(11232, "create message trigger system frequency limit")
    most_bytes = 20_000

    def __init__(self, hook: str, secret: str) -> None:
        self.hook, self.secret = hook, secret
        self.rates = (Rate(100, 60.0), Rate(5, 1.0))

    def check(self, request: Request, body: bytes, now_ms: int) -> Refusal | None:
        """Check hook, signature, size and form."""
        if request.path_params["hook"] != self.hook:
            return Refusal(19001, "param invalid: incoming webhook access token invalid")
        document = read_object(body)
        if document is None or not is_json(request):
            return Refusal(9499, "Bad Request")
        moment, given = document.get("timestamp"), document.get("sign")
        if not isinstance(moment, str) or not moment.isdigit() or abs(int(moment) * 1000 - now_ms) > HOUR_MS:
            return Refusal(19021, "sign match fail or timestamp is not within one hour from current time")
        if given != self._signature(moment):
            return Refusal(19021, "sign match fail or timestamp is not within one hour from current time")
        if len(body) > self.most_bytes:
            return Refusal(230025, "The length of the message content reaches its limit")
        return self._check_form(document)

    def _signature(self, timestamp: str) -> str:
        keyed = hmac.new(f"{timestamp}\n{self.secret}".encode(), digestmod=hashlib.sha256)
        return base64.b64encode(keyed.digest()).decode()

    @staticmethod
    def _check_form(document: dict[str, Any]) -> Refusal | None:
        if document.get("msg_type") != "interactive" or not isinstance(card := document.get("card"), dict):
            return Refusal(19002, "params error, msg_type need")
        header, elements = card.get("header"), card.get("elements")
        if not isinstance(header, dict) or not filled(header.get("title"), "tag", "content"):
            return Refusal(9499, "Bad Request: card.header.title")
        if not isinstance(elements, list) or not elements or not all(filled(e, "tag", "content") for e in elements):
            return Refusal(9499, "Bad Request: card.elements")
        return None

    def answer(self, refusal: Refusal | None) -> dict[str, Any]:
        """Answer as this platform does; a success has the older form besides."""
        if refusal:
            return {"code": refusal.code, "msg": refusal.text, "data": {}}
        return {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"}
