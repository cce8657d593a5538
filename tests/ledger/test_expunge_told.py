"""What was told of a project that turns classified goes with it: told, messages, tries, holds, incidents, counts of its unit."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert

from include.alerts.message import Item, Message, Reason, Section
from include.alerts.outbox import put
from include.house.keeping import keep
from include.landing.store import LandingStore
from include.ledger.alert_tables import (
    alert_hold,
    channel_state,
    compliance_day,
    delivery_attempt,
    expunged,
    held_finding,
    incident,
    outbox,
    told,
)
from include.ledger.expunge import expunge
from include.ledger.sync import merge_batch
from include.ledger.tables import finding
from include.sources.card import Card
from include.sources.card_files import load_card
from tests.depth import MOSTLY_SQLITE
from tests.house.household import Household
from tests.ledger import rows as made
from tests.ledger.rows import code, row
from tests.ledger.test_expunge import NAME, SECRET, UNIT, WORDS, dump, left, open_row
from tests.rules.evidence import DAY, at, rows_of
from tests.traces import traces

MINE, OTHER = "a" * 32, "b" * 32
OTHER_UNIT = "市教育局"


@pytest.fixture
def card() -> Card:
    return load_card("provincial_approval")


@pytest.fixture
def city(engine: Engine, store: LandingStore, card: Card) -> Engine:
    """Return a ledger with the project that will be classified and another, a finding of each, and all that was told."""
    rows = [open_row(), row(4, ENTERPRISE={"ENTERPRISENAME": OTHER_UNIT})]
    merge_batch(engine, store, card, made.land(store, card, made.pages_of(rows)).batch_id)
    for finding_id, key, unit in ((MINE, code(SECRET), UNIT), (OTHER, code(4), OTHER_UNIT)):
        known = {
            "rule": "r",
            "subject_type": "project",
            "subject": key,
            "occurrence": "",
            "outcome": "fail",
            "reason": "late",
        }
        days = {"first_seen_on": DAY, "judged_on": DAY, "reopened": 0, "state": "open", "message": "m"}
        add(engine, finding, **known, **days, finding_id=finding_id)
        add(
            engine, told, receiver="unit", finding_id=finding_id, department=unit, topic="procedure", state="open", outcome="fail",
            reopened=0, first_told_on=DAY, last_told_on=DAY, message_id="m",
        )  # fmt: skip
        counts = ("passed", "warned", "failed", "unknown", "not_applicable", "waived", "opened", "resolved", "reopened")
        add(engine, compliance_day, day=DAY, rule="r", department=unit, appended_at=at(DAY), **dict.fromkeys(counts, 1))
    return engine


def add(engine: Engine, table: Any, **row: Any) -> None:
    with engine.begin() as connection:
        connection.execute(insert(table), [row])


def rows(engine: Engine, table: Any) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return rows_of(connection, table)


def item(finding_id: str, subject: str, text: str) -> Item:
    return Item(text, finding_id, subject, "第十七条", remedy="补办")


SECRET_ITEM = item(MINE, code(SECRET), f"“{NAME}”未批先建")
OTHER_ITEM = item(OTHER, code(4), "“测试系统4”逾期")


def message(number: str, *items: Item, department: str = "", **how: Any) -> Message:
    section = Section(Reason.OPENED, "立项与程序", len(items), items)
    found = Message(number * 32, "spool", "bureau", "市数据局", department, "提示", "线索", (section,), at(DAY))
    return replace(found, **how)


def send(engine: Engine, *messages: Message, state: str = "pending") -> None:
    with engine.begin() as connection:
        put(connection, messages, at(DAY))
        connection.execute(
            outbox.update().where(outbox.c.message_id.in_([m.message_id for m in messages])).values(state=state)
        )
        for one in messages:
            values = {"message_id": one.message_id, "number": 1, "channel": "spool", "started_at": at(DAY)}
            connection.execute(insert(delivery_attempt), [values])


def forget(engine: Engine, store: LandingStore, card: Card) -> None:
    assert expunge(engine, store, card, {code(SECRET)}) == 1


def test_a_message_on_its_way_loses_the_lines_and_goes_on_with_the_rest(
    city: Engine, store: LandingStore, card: Card
) -> None:
    mixed = message("1", SECRET_ITEM, OTHER_ITEM)
    more = replace(mixed.sections[0], count=40)
    send(
        city,
        mixed,
        message("2", SECRET_ITEM),
        message("3", OTHER_ITEM),
        message("4", SECRET_ITEM, OTHER_ITEM, sections=(more,)),
    )
    untouched = next(r for r in rows(city, outbox) if r["message_id"] == "3" * 32)
    forget(city, store, card)
    found = {r["message_id"][0]: r for r in rows(city, outbox)}
    assert set(found) == {"1", "3", "4"}
    assert found["3"] == untouched
    kept = Message.loads(found["1"]["body"])
    assert kept == message("1", OTHER_ITEM)
    assert found["1"]["finding_ids"] == f'["{OTHER}"]'
    with city.begin() as connection:  # what is kept of it is what would be put of such a message
        put(connection, [replace(kept, message_id="9" * 32)], at(DAY))
    assert Message.loads(found["4"]["body"]).sections[0].count == 39
    assert {r["message_id"][0] for r in rows(city, delivery_attempt)} == {"1", "3", "4"}
    assert traces(WORDS, {name: text for name, text in dump(city).items() if name == "outbox"}) == []


@MOSTLY_SQLITE
@pytest.mark.parametrize("state", ["sent", "dead"])
def test_a_message_that_is_out_goes_whole_and_its_file_is_called_back(
    city: Engine, store: LandingStore, card: Card, tmp_path: Path, state: str
) -> None:
    home = Household(city, store, tmp_path)
    send(city, message("1", SECRET_ITEM, OTHER_ITEM), message("2", OTHER_ITEM), state=state)
    gone, stays = home.spooled(DAY, "1" * 32), home.spooled(DAY, "2" * 32)
    gone.write_text(NAME, "utf-8")
    forget(city, store, card)
    assert [r["message_id"][0] for r in rows(city, outbox)] == ["2"]
    assert [r["message_id"][0] for r in rows(city, delivery_attempt)] == ["2"]
    assert keep(home.house(), "spool_files", apply=True).reasons == {"message_forgotten": 1}
    assert (gone.exists(), stays.exists()) == (False, True)
    assert traces(WORDS, left(city, tmp_path)) == []


@MOSTLY_SQLITE
@pytest.mark.parametrize("how", [{"title": f"关于{NAME}"}, {"lead": f"{code(SECRET)} 等"}, {"department": UNIT}])
def test_a_message_that_names_it_outside_its_lines_goes_whole(
    city: Engine, store: LandingStore, card: Card, how: dict[str, str]
) -> None:
    send(city, message("1", OTHER_ITEM, **how), message("2", OTHER_ITEM))
    forget(city, store, card)
    assert [r["message_id"][0] for r in rows(city, outbox)] == ["2"]


def test_told_holds_and_counts_go_and_those_of_others_stay(city: Engine, store: LandingStore, card: Card) -> None:
    blank = {"scope": "regulation", "day": DAY, "raised_at": at(DAY), "allowed": 1, "subjects": 9, "by_rule": "{}"}
    add(city, alert_hold, hold_id="h1", findings=1, state="held", **blank)
    add(city, alert_hold, hold_id="h2", findings=1, state="held", **blank)
    add(city, alert_hold, hold_id="h3", findings=1, state="released", reason=f"放行 {code(SECRET)}", **blank)
    for finding_id, hold_id in ((MINE, "h1"), (OTHER, "h2")):
        add(city, held_finding, finding_id=finding_id, hold_id=hold_id)
    forget(city, store, card)
    assert [r["finding_id"] for r in rows(city, told)] == [OTHER]
    assert [r["finding_id"] for r in rows(city, held_finding)] == [OTHER]
    assert [(r["hold_id"], r["reason"]) for r in rows(city, alert_hold)] == [("h2", None), ("h3", None)]
    assert [r["department"] for r in rows(city, compliance_day)] == [OTHER_UNIT]


@MOSTLY_SQLITE
def test_a_unit_that_has_other_projects_keeps_its_counts(city: Engine, store: LandingStore, card: Card) -> None:
    merge_batch(
        city, store, card, made.land(store, card, made.pages_of([row(5, ENTERPRISE={"ENTERPRISENAME": UNIT})])).batch_id
    )
    forget(city, store, card)
    assert {r["department"] for r in rows(city, compliance_day)} == {UNIT, OTHER_UNIT}


def test_incidents_and_errors_that_name_it_are_cleared(city: Engine, store: LandingStore, card: Card) -> None:
    moments = dict.fromkeys(("opened_at", "last_seen_at"), at(DAY)) | {"times": 1, "pipeline": "p", "cause": "failed"}
    add(city, incident, incident_id="i1", part="", detail=f"record {code(SECRET)} broke", **moments)
    add(city, incident, incident_id="i2", part=NAME, detail="d", **moments)
    add(city, incident, incident_id="i3", part="", detail=f"record {code(SECRET)}9 broke", **moments)
    add(city, channel_state, channel="spool", last_error=f"refused {NAME}")
    send(city, message("2", OTHER_ITEM))
    with city.begin() as connection:
        connection.execute(outbox.update().values(last_error=f"“{NAME}” too long", receipt="fine"))
        connection.execute(delivery_attempt.update().values(detail=code(SECRET)))
    forget(city, store, card)
    assert [r["incident_id"] for r in rows(city, incident)] == [
        "i3"
    ]  # another code, of which this one is the beginning
    assert [r["last_error"] for r in rows(city, channel_state)] == [None]
    assert [(r["last_error"], r["receipt"]) for r in rows(city, outbox)] == [(None, "fine")]
    assert [r["detail"] for r in rows(city, delivery_attempt)] == [None]


@MOSTLY_SQLITE
def test_that_something_was_expunged_is_kept_as_a_count_and_nothing_else(
    city: Engine, store: LandingStore, card: Card
) -> None:
    forget(city, store, card)
    (said,) = rows(city, expunged)
    assert (said["source"], said["records"]) == ("provincial_approval", 1)
    assert said["expunged_at"].date() >= date(2026, 1, 1)
    assert expunge(city, store, card, {code(SECRET)}) == 0
    assert len(rows(city, expunged)) == 1


@MOSTLY_SQLITE
def test_two_that_share_name_and_unit_go_in_portions_and_leave_neither(
    city: Engine, store: LandingStore, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin = open_row() | {"PROJECT_CODE": code(5)}
    assert twin != open_row()
    merge_batch(city, store, card, made.land(store, card, made.pages_of([open_row(), row(4), twin])).batch_id)
    send(city, message("1", SECRET_ITEM, OTHER_ITEM))
    monkeypatch.setattr("include.ledger.portions.PORTION", 1)
    assert expunge(city, store, card, {code(SECRET), code(5)}) == 2
    assert (
        traces(WORDS, {name: text for name, text in dump(city).items() if name in ("outbox", "told", "finding")}) == []
    )
    assert [r["department"] for r in rows(city, compliance_day)] == [OTHER_UNIT]
