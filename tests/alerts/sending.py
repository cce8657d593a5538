"""What the tests of delivery stand on: messages, a clock that is set, channels that do as told, and a real server that counts."""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sqlalchemy import Engine, select

from include.alerts import outbox
from include.alerts.channels.channel import ChannelCard
from include.alerts.message import Item, Message, Reason, Section, message_id
from include.clock import SHANGHAI
from include.errors import ChannelUnreachable
from include.ledger.alert_tables import delivery_attempt
from include.ledger.alert_tables import outbox as table

MONDAY = datetime(2026, 11, 23, 10, 3, tzinfo=SHANGHAI)
"""A working morning, not in the first seconds of a half hour."""


def card(id: str = "robot", kind: str = "webhook", per_minute: int = 1000, per_second: int = 1000) -> ChannelCard:
    return ChannelCard(id, id, kind, True, f"alert_{id}", per_minute, per_second)


def message(
    number: int = 1, channel: str = "robot", receiver: str = "drc", at: datetime = MONDAY, *, urgent: bool = False
) -> Message:
    section = Section(Reason.OPENED, "cloud", 1, (Item(f"第{number}条线索", "f" * 32),))
    name = message_id(receiver, "", channel, at, str(number))
    return Message(name, channel, receiver, "发改委", "", f"提示{number}", "新线索 1 条", (section,), at, urgent)


def put(engine: Engine, *messages: Message, at: datetime = MONDAY) -> list[str]:
    with engine.begin() as connection:
        assert outbox.put(connection, messages, at) == len(messages)
    return [m.message_id for m in messages]


def row(engine: Engine, message_id: str) -> dict[str, Any]:
    with engine.connect() as connection:
        return dict(connection.execute(select(table).where(table.c.message_id == message_id)).mappings().one())


def states(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return dict(Counter(connection.execute(select(table.c.state)).scalars()))


def tries(engine: Engine, message_id: str) -> list[str | None]:
    query = select(delivery_attempt.c.outcome).where(delivery_attempt.c.message_id == message_id)
    with engine.connect() as connection:
        return list(connection.execute(query.order_by(delivery_attempt.c.number)).scalars())


class SetClock:
    """A clock that stands still until somebody sleeps or sets it."""

    def __init__(self, at: datetime = MONDAY) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        assert seconds > 0, "a sleep of nothing would never end"
        self.at += timedelta(seconds=seconds)

    def pass_by(self, **span: float) -> datetime:
        self.at += timedelta(**span)
        return self.at


class ObedientChannel:
    """Takes what it is given, or raises what it is told to, in order; `clock` says when it took it."""

    def __init__(self, *answers: Exception | None, clock: SetClock | None = None, takes: float = 0) -> None:
        self.answers, self.clock, self.takes = list(answers), clock, takes
        self.taken: list[Message] = []
        self.taken_at: list[datetime] = []
        self.asked = 0
        self.is_closed = False

    def open(self, _card: ChannelCard) -> ObedientChannel:
        return self

    def send(self, message: Message) -> str:
        self.asked += 1
        if self.clock and self.takes:
            self.clock.pass_by(seconds=self.takes)
        answer = self.answers.pop(0) if self.answers else None
        if answer:
            raise answer
        self.taken.append(message)
        if self.clock:
            self.taken_at.append(self.clock())
        return f"receipt-{self.asked}"

    def close(self) -> None:
        self.is_closed = True


class PostingChannel:
    """A channel that really posts, each message to a server on this machine."""

    def __init__(self, port: int, before: Callable[[], None] = lambda: None, after: Callable[[], None] = lambda: None):
        self.port, self.before, self.after = port, before, after

    def open(self, _card: ChannelCard) -> PostingChannel:
        return self

    def send(self, message: Message) -> str:
        self.before()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("POST", f"/{message.message_id}", message.dumps().encode())
            answer = connection.getresponse()
            answer.read()
        except OSError as error:
            raise ChannelUnreachable("no answer") from error
        finally:
            connection.close()
        assert answer.status == 200
        self.after()
        return "200"

    def close(self) -> None:
        """Nothing is kept open."""


class CountingServer:
    """A real HTTP server that counts what it took, by message."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                with outer.lock:
                    outer.taken.append(self.path.lstrip("/"))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Stay quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]

    @property
    def counts(self) -> Counter[str]:
        with self.lock:
            return Counter(self.taken)


@contextmanager
def counting_server() -> Iterator[CountingServer]:
    counting = CountingServer()
    thread = threading.Thread(target=counting.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield counting
    finally:
        counting.server.shutdown()
        counting.server.server_close()
        thread.join(10)
