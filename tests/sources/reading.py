"""Read a platform of a test to its end, and take apart what came."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from include.sources.card import Card
from include.sources.http_reader import read_http
from include.sources.page import PageFault, Window
from include.sources.raw_page import RawPage
from tests.sources.answering import AnsweringServer, Asked, FakeTime, Reply, connection_to, make_card

FULL = Window()


def read(
    answer: Callable[[Asked], Reply],
    card: Card | None = None,
    window: Window = FULL,
    time_: FakeTime | None = None,
    **extra: Any,
) -> tuple[list[RawPage | PageFault], list[Asked]]:
    """Read a platform that answers like this; return what came and what was asked."""
    login, password = extra.pop("login", ""), extra.pop("password", "")
    with AnsweringServer(answer) as server:
        connection = connection_to(server.url, login, password, **extra)
        found = list(read_http(card or make_card(), connection, window, (time_ or FakeTime()).timing()))
        return found, server.asked


def pages_of(found: list[RawPage | PageFault]) -> list[RawPage]:
    return [f for f in found if isinstance(f, RawPage)]


def faults_of(found: list[RawPage | PageFault]) -> list[tuple[int, type[Exception]]]:
    return [(f.number, type(f.error)) for f in found if isinstance(f, PageFault)]


def ids(found: list[RawPage | PageFault]) -> list[int]:
    return [row["ID"] for page in pages_of(found) for row in page.rows]
