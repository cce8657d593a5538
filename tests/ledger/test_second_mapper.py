"""The second mapping process: the same result as here, and a clear error when it is lost."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, select

from include.errors import SecondProcessLost
from include.landing.store import LandingStore
from include.ledger.page_mapper import Lines, PageMapper
from include.ledger.second_mapper import SecondMapper
from include.ledger.tables import approval_item, project, quarantine
from include.sources import second_process
from include.sources.card import Card
from include.sources.card_files import load_card
from include.sources.second_process import SecondProcess
from tests.ledger.rows import row, sync


@pytest.fixture
def card() -> Card:
    return load_card("provincial_approval")


def lines_of(rows: list[dict[str, Any]]) -> Lines:
    texts = [orjson.dumps(r, option=orjson.OPT_SORT_KEYS) for r in rows]
    return [(n, blake2b(t, digest_size=16).digest(), t) for n, t in enumerate(texts)]


@pytest.mark.parametrize("as_text", [True, False])
def test_both_processes_map_alike(card: Card, *, as_text: bool) -> None:
    rows = [row(n) for n in range(50)] + [row(60, TOTAL_MONEY="-1"), row(61, PROJECT_CODE=None), row(62, NEW_FIELD="x")]
    lines = lines_of(rows)
    here = PageMapper(card, as_text=as_text)
    with SecondProcess() as process, SecondMapper(process, card, as_text=as_text) as there:
        answer = there.submit(3, lines).result(30)
        oddities = there.finish()
    expected = here.map(3, lines)
    assert answer == expected
    assert (expected.counts["project"], len(expected.bad), expected.keyless) == (51, 2, 1)
    assert oddities == here.card_mapper.oddities
    assert oddities.fields["NEW_FIELD"] == 1


def test_a_lost_process_is_a_named_error_that_may_be_tried_again(card: Card) -> None:
    with (
        pytest.raises(SecondProcessLost, match="run it again"),
        SecondProcess() as process,
        SecondMapper(process, card, as_text=True) as there,
    ):
        there.submit(1, lines_of([row(1)])).result(30)
        assert process._process is not None
        process._process.kill()
        there.submit(2, lines_of([row(2)])).result(30)


def test_an_error_here_leaves_no_process_behind(card: Card) -> None:
    with SecondProcess() as process:
        with pytest.raises(KeyError), SecondMapper(process, card, as_text=True):
            started = process._process
            raise KeyError
        assert started is not None
        assert started.poll() is not None
        with SecondMapper(process, card, as_text=True) as there:  # what follows gets one of its own
            assert there.submit(1, lines_of([row(1)])).result(30).counts["project"] == 1


def test_a_merge_with_it_is_the_merge_without(
    engine: Engine, store: LandingStore, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row(n) for n in range(60)] + [row(70, TOTAL_MONEY="-1")]
    monkeypatch.setattr(second_process, "WORTH_A_PROCESS", 10)
    result = sync(engine, store, card, rows)
    assert (result.created, result.quarantined, result.is_complete) == (60, 1, True), result
    with engine.connect() as connection:
        assert len(list(connection.execute(select(project)))) == 60
        assert len(list(connection.execute(select(approval_item)))) == 120
        assert len(list(connection.execute(select(quarantine)))) == 1
    assert sync(engine, store, card, rows).writes == 0
