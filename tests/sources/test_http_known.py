"""An answer that is known byte for byte says again what was said of it, and how the clocks differ now."""

from __future__ import annotations

import json
from datetime import timedelta
from email.utils import format_datetime

from include.sources.http_reader import read_http
from include.sources.page import KnownPage
from include.sources.raw_page import RawPage
from tests.sources.answering import NOON, AnsweringServer, Asked, FakeTime, Reply, connection_to, envelope_of, make_card
from tests.sources.reading import FULL, pages_of

BODY = json.dumps(envelope_of([{"ID": 1, "NAME": "数字档案馆"}], 1), ensure_ascii=False).encode("gb18030")


def test_notes_of_a_known_answer_come_again_and_the_clocks_are_compared_anew() -> None:
    behind = [600, 900]

    def answer(_: Asked) -> Reply:
        date = format_datetime(NOON - timedelta(seconds=behind.pop(0)))
        return Reply(BODY, 200, {"Content-Type": "application/json; charset=utf-8", "Date": date})

    def read(known: dict[str, tuple[KnownPage, ...]]) -> RawPage:
        (page,) = pages_of(list(read_http(make_card(), connection_to(server.url), FULL, FakeTime().timing(), known)))
        return page

    with AnsweringServer(answer) as server:
        first = read({})
        assert first.body_sha256
        again = read({first.body_sha256: (KnownPage("p", 1, 1, 0, 1, None, None, first.notes),)})
    assert (len(first.rows), again.rows, len(first.notes)) == (1, [], 2)
    assert again.notes == (first.notes[0], "clock differs by -900 s")
    assert "GB18030" in first.notes[0] and first.notes[1] == "clock differs by -600 s"
