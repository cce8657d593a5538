"""All channels of one sandbox: the robots and the webhook over HTTP, the mail server beside them, and what they took."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from include.sandbox.channels.hook import Hook
from include.sandbox.channels.keys import ChannelKeys
from include.sandbox.channels.mail import HOST, MailServer
from include.sandbox.channels.robots import DingTalkRobot, FeishuRobot, Robot, WeComRobot, read_object
from include.sandbox.channels.taken import Shelf
from include.sandbox.faults import Fault, Faults
from include.sandbox.responses import TRANSPORT_KEY, json_answer, spoilt_answer
from include.sandbox.signing import Clock

HANGS_SECONDS = 600.0
NOT_TAKEN = ("error_500", "error_429", "html_200", "redirect")
"""Faults of transport before the message was looked at; the others spoil the answer to one that was taken."""


class GoneAnswer(Response):
    """Ends the connection without a byte."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Abort."""
        scope["extensions"][TRANSPORT_KEY].abort()
        await asyncio.sleep(0.01)


class Channels:
    """The channels of one sandbox."""

    def __init__(self, keys: ChannelKeys, faults: Faults, calls: Counter[str]) -> None:
        self.keys, self.faults, self.calls = keys, faults, calls
        self.shelf = Shelf()
        self.robots: tuple[Robot, ...] = (
            DingTalkRobot(keys.dingtalk_token, keys.dingtalk_secret),
            WeComRobot(keys.wecom_key),
            FeishuRobot(keys.feishu_hook, keys.feishu_secret),
        )
        self.hook = Hook(keys.webhook_secret)
        self.mail = MailServer(keys, faults, self.shelf)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Serve the mail server while the context lasts; the others are addresses of the sandbox."""
        with self.mail:
            yield

    def routes(self) -> list[Route]:
        """Return the addresses of robots and webhook."""
        robots = [Route(robot.path, self._robot(robot), methods=["POST"]) for robot in self.robots]
        return [*robots, Route(self.hook.path, self._webhook, methods=["POST"])]

    def clear(self) -> int:
        """Forget what was taken, the rates and the silences; return how many messages there were."""
        for robot in self.robots:
            for rate in robot.rates:
                rate.clear()
        self.hook.clear()
        return self.shelf.clear()

    def described(self) -> dict[str, Any]:
        """Return paths and keys, as the ready line has them."""
        keys = self.keys
        dingtalk, wecom, feishu = (robot.path for robot in self.robots)
        return {
            "dingtalk": {"path": dingtalk, "access_token": keys.dingtalk_token, "secret": keys.dingtalk_secret},
            "wecom": {"path": wecom, "key": keys.wecom_key},
            "feishu": {"path": feishu.removesuffix("{hook}"), "hook": keys.feishu_hook, "secret": keys.feishu_secret},
            "webhook": {"path": self.hook.path, "secret": keys.webhook_secret},
            "mail": {
                "host": HOST, "port": self.mail.port, "login": keys.mail_login, "password": keys.mail_password,
                "ca_file": self.mail.ca_file,
            },
        }  # fmt: skip

    def _robot(self, robot: Robot) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            body = await request.body()
            fault, early = await self._struck(robot.name)
            if early:
                return early
            refusal = self._refusal(robot, request, body, fault)
            if refusal:
                self.shelf.refuse(robot.name, refusal.code)
                return json_answer(robot.answer(refusal))
            self.shelf.keep(robot.name, read_object(body) or {}, len(body))
            return self._spoilt(json_answer(robot.answer(None)), fault)

        return answer

    def _refusal(self, robot: Robot, request: Request, body: bytes, fault: Fault | None) -> Any:
        scenario = fault.scenario if fault else ""
        if scenario == "throttled" or not robot.admits():
            return robot.throttled
        if scenario == "refused":
            return robot.refused
        return robot.check(request, body, self._clock(robot.name).now_ms())

    async def _webhook(self, request: Request) -> Response:
        body = await request.body()
        fault, early = await self._struck(self.hook.name)
        if early:
            return early
        status, word = self.hook.check(request, body, self._clock(self.hook.name).now_ms())
        scenario = fault.scenario if fault else ""
        status, word = {"refused": (403, "refused"), "throttled": (429, "slow down")}.get(scenario, (status, word))
        if status == 202:
            self.hook.remember(request, body)
            self.shelf.keep(self.hook.name, read_object(body) or {}, len(body))
        elif status != 200:
            self.shelf.refuse(self.hook.name, status)
        answer = json_answer({"result": word}, status)
        if status == 429:
            answer.headers["retry-after"] = "7"
        return self._spoilt(answer, fault)

    def _clock(self, name: str) -> Clock:
        return Clock(skew_ms=self.faults.take_skew(name))

    async def _struck(self, name: str) -> tuple[Fault | None, Response | None]:
        """Count a call; return the fault that strikes it, and the answer where it is struck before anything is looked at."""
        self.calls[name] += 1
        if self.faults.is_down(name):
            return None, Response("服务不可用", 503, media_type="text/plain")
        fault = self.faults.take(name, self.shelf.call(name))
        if fault and fault.scenario == "hangs":
            await asyncio.sleep(HANGS_SECONDS)
        if fault and fault.scenario in NOT_TAKEN:
            return fault, spoilt_answer(orjson.dumps({}), fault)
        return fault, None

    @staticmethod
    def _spoilt(answer: Response, fault: Fault | None) -> Response:
        if fault and fault.scenario == "reset_taken":
            return GoneAnswer()
        return spoilt_answer(bytes(answer.body), fault) if fault and answer.status_code < 300 else answer
