"""Probes, messages, spooled files and releases: what is old goes, what somebody may need stays, and rows keep their hash."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from include.errors import ConfigurationError
from include.house.keeping import keep
from include.house.releases import _LEAVING
from include.ledger.alert_tables import delivery_attempt, outbox
from include.ledger.tables import probe_day, probe_sweep
from tests.depth import MOSTLY_SQLITE
from tests.house.household import FINDING, Household, ago, hold
from tests.rules.evidence import DAY, Evidence, rows_of


def rows(home: Household, table: Any) -> list[dict[str, Any]]:
    with home.engine.connect() as connection:
        return rows_of(connection, table)


@MOSTLY_SQLITE
def test_a_kind_that_is_none_is_refused(home: Household) -> None:
    with pytest.raises(ConfigurationError, match="landing_pages"):
        keep(home.house(), "findings", apply=True)


# -- probes


@MOSTLY_SQLITE
def test_old_results_of_probes_go_and_their_sweeps_stay(home: Household) -> None:
    for days, name in ((60, "old"), (55, "evidence"), (52, "held"), (10, "recent")):
        home.swept(ago(days), name, name)
    home.page("probe", "orphan", ago(60))
    home.judged("evidence")
    held = hold(source="probe", first=ago(52), last=ago(52))
    done = keep(home.house(held), "probe_rounds", apply=True)
    assert done.reasons == {"older_than_kept": 1, "named_by_no_batch": 1}
    assert done.stays == {"open_finding": 1, "legal_hold": 1}
    assert home.texts("probe") == {"evidence", "held", "recent"}
    assert {row["sweep_id"] for row in rows(home, probe_sweep)} == {"old", "evidence", "held", "recent"}


@pytest.fixture
def probed(home: Household) -> list[date]:
    days = [ago(n) for n in (1003, 1002, 1001, 1000, 999)]
    for day in days:
        for service in ("A", "B"):
            Evidence(home.engine).probed(service, day, successes=1)
    return days


def left(home: Household) -> set[date]:
    return {row["day"] for row in rows(home, probe_day)}


@MOSTLY_SQLITE
def test_the_days_of_probes_go_from_the_oldest_on_with_a_hash_a_day(home: Household, probed: list[date]) -> None:
    done = keep(home.house(), "probe_days", apply=True)
    assert (done.things, done.size) == (3, 6)
    assert left(home) == set(probed[3:])
    assert [line["size"] for line in home.proven()] == [2, 2, 2]
    assert len({line["hash"] for line in home.proven()}) == 3


@MOSTLY_SQLITE
@pytest.mark.parametrize(
    ("held", "first"),
    [
        (hold(source="probe"), 1003),
        (hold(subject="S"), 1003),
        (hold(first=ago(1002), last=ago(1002)), 1002),
        (hold(source="contracts"), 1000),
    ],
)
def test_a_hold_keeps_the_days_of_probes_without_a_gap(
    home: Household, probed: list[date], held: Any, first: int
) -> None:
    done = keep(home.house(held), "probe_days", apply=True)
    assert left(home) == {day for day in probed if day >= ago(first)}
    assert done.stays.get("legal_hold", 0) == first - 1000


# -- messages


@MOSTLY_SQLITE
def test_the_text_of_an_old_sent_message_goes_and_its_row_and_hash_stay(home: Household) -> None:
    old = home.message(1, ago(70))
    stays = [
        home.message(2, ago(59)),
        home.message(3, ago(70), state="pending"),
        home.message(4, ago(70), state="dead"),
    ]
    before = {row["message_id"]: row for row in rows(home, outbox)}
    done = keep(home.house(), "message_bodies", apply=True)
    assert (done.things, done.size) == (1, len("body 1"))
    after = {row["message_id"]: row for row in rows(home, outbox)}
    assert after[old] == before[old] | {"body": ""}
    assert all(after[i] == before[i] for i in stays)
    assert [line["hash"] for line in home.proven()] == [before[old]["body_hash"]]
    assert keep(home.house(), "message_bodies", apply=True).things == 0


@MOSTLY_SQLITE
def test_old_tries_go_unless_the_message_is_still_on_its_way_or_was_tried_of_late(home: Household) -> None:
    gone = home.message(1, ago(70), tries=[ago(70), ago(69)])
    stays = {
        home.message(2, ago(70), state="pending", tries=[ago(70)]),
        home.message(3, ago(70), tries=[ago(70), ago(5)]),
        home.message(4, ago(5), tries=[ago(5)]),
    }
    done = keep(home.house(), "delivery_attempts", apply=True)
    assert (done.things, done.size) == (1, 2)
    assert {row["message_id"] for row in rows(home, delivery_attempt)} == stays
    assert len(rows(home, outbox)) == 4
    assert gone not in {row["message_id"] for row in rows(home, delivery_attempt)}


@MOSTLY_SQLITE
@pytest.mark.parametrize(
    ("held", "is_kept"),
    [
        (hold(finding=FINDING), True),
        (hold(subject="S"), True),
        (hold(first=ago(70), last=ago(70)), True),
        (hold(subject="S", first=ago(9), last=DAY), False),
        (hold(finding="a" * 32), False),
        (hold(source="contracts"), False),
    ],
)
def test_a_hold_keeps_messages_their_tries_and_files(home: Household, held: Any, is_kept: bool) -> None:
    home.judged()
    message = home.message(1, ago(70), FINDING, tries=[ago(70)])
    path = home.spooled(ago(70), message)
    for kind in ("message_bodies", "delivery_attempts", "spool_files"):
        done = keep(home.house(held), kind, apply=True)
        assert (done.things, done.stays) == ((0, {"legal_hold": 1}) if is_kept else (1, {})), kind
    assert path.exists() is is_kept
    assert bool(rows(home, outbox)[0]["body"]) is is_kept


# -- files


@MOSTLY_SQLITE
def test_old_files_of_the_spool_go_with_their_folders_and_others_are_not_ours(home: Household) -> None:
    old, recent = home.spooled(ago(30), home.message(1, ago(30))), home.spooled(ago(3), home.message(2, ago(3)))
    notes = home.spool / "说明" / "readme.txt"
    notes.parent.mkdir()
    notes.write_text("of people", "utf-8")
    done = keep(home.house(), "spool_files", apply=True)
    assert (done.things, done.reasons) == (1, {"older_than_kept": 1})
    assert {p for p in home.spool.rglob("*") if p.is_file()} == {recent, notes}
    assert not old.parent.parent.parent.exists()


@MOSTLY_SQLITE
def test_a_spooled_message_that_the_outbox_no_longer_has_is_called_back_however_young(home: Household) -> None:
    known, forgotten = home.message(1, ago(1)), "12345678" + "0" * 24
    here, gone = home.spooled(ago(1), known), home.spooled(ago(1), forgotten)
    beside = here.with_name("汇总.csv")
    beside.write_text("no number", "utf-8")
    assert keep(home.house(), "spool_files", apply=True).reasons == {"message_forgotten": 1}
    assert (here.exists(), gone.exists(), beside.exists()) == (True, False, True)


@MOSTLY_SQLITE
def test_where_nothing_was_ever_spooled_or_published_there_is_nothing_to_do(home: Household) -> None:
    assert [keep(home.house(), kind, apply=True).things for kind in ("spool_files", "releases")] == [0, 0]


@MOSTLY_SQLITE
def test_the_newest_releases_the_last_of_each_month_and_the_current_one_stay(home: Household) -> None:
    days = [date(2026, 8, 30), date(2026, 8, 31), date(2026, 9, 1), date(2026, 10, 5), date(2026, 10, 30)]
    days += [date(2026, 11, 2), date(2026, 11, 3), date(2026, 11, 18), date(2026, 11, 19)]
    names = {day: home.released(day) for day in days}
    current = home.released(date(2026, 10, 7), current=True)
    (home.datasets / "releases" / "notes").mkdir()
    done = keep(home.house(), "releases", apply=True)
    gone = {names[date(2026, 8, 30)], names[date(2026, 10, 5)], names[date(2026, 11, 2)], names[date(2026, 11, 3)]}
    assert done.things == len(gone)
    assert home.releases() == {*names.values(), current, "notes"} - gone
    assert done.stays == {"newest": 2, "last_of_month": 3, "current": 1}
    held = keep(home.house(hold(first=DAY, last=DAY), last_releases=1, last_of_month=False), "releases", apply=False)
    assert held.things == 4


@MOSTLY_SQLITE
def test_a_hold_of_days_keeps_their_releases_and_a_removal_cut_short_is_ended(home: Household) -> None:
    first, second = home.released(date(2026, 10, 5)), home.released(date(2026, 10, 6))
    last = [home.released(day) for day in (date(2026, 10, 7), date(2026, 11, 8), date(2026, 11, 9))]
    half = home.datasets / "releases" / f"{_LEAVING}20260101T000000-001"
    half.mkdir()
    Path(half / "manifest.json").write_text("{}", "utf-8")
    done = keep(home.house(hold(first=date(2026, 10, 5), last=date(2026, 10, 5))), "releases", apply=True)
    assert done.reasons == {"removal_cut_short": 1, "older_than_kept": 1}
    assert home.releases() == {first, *last}
    assert second not in home.releases()


@MOSTLY_SQLITE
def test_a_hold_on_a_finding_that_is_gone_keeps_the_messages_that_name_it(home: Household) -> None:
    home.message(1, ago(70), "a" * 32, FINDING)
    assert keep(home.house(hold(finding=FINDING)), "message_bodies", apply=False).stays == {"legal_hold": 1}
    assert keep(home.house(hold(finding="b" * 32)), "message_bodies", apply=False).stays == {}
