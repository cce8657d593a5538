"""Raw pages go when they are old, and never while anything needs them: each reason to stay has its case."""

from __future__ import annotations

import json
from typing import Any

import pytest

from include.errors import LandingCorrupt
from include.house.keeping import keep
from tests.depth import MOSTLY_SQLITE
from tests.house.household import FINDING, Household, ago, hold
from tests.rules.evidence import DAY

OLD, RECENT = ago(300), ago(10)


def kept(home: Household, *holds: Any, apply: bool = True) -> Any:
    return keep(home.house(*holds), "landing_pages", apply=apply)


def with_newest(home: Household) -> None:
    """Let a newer full read of the source be there, so that what is older is not the last one."""
    home.land(RECENT, "newest", full=True)


@MOSTLY_SQLITE
def test_old_pages_go_and_recent_ones_and_every_manifest_stay(home: Household) -> None:
    gone = home.land(OLD, "old", "older", full=True)
    with_newest(home)
    done = kept(home)
    assert (done.things, done.reasons, done.is_applied) == (2, {"older_than_kept": 2}, True)
    assert home.texts() == {"newest"}
    manifest = home.store.get_manifest("contracts", gone)
    proven = {(line["kind"], line["source"], line["hash"]) for line in home.proven()}
    assert proven == {("landing_pages", "contracts", page["sha256"]) for page in manifest["pages"]}
    assert {line["removed_on"] for line in home.proven()} == {DAY.isoformat()}
    with pytest.raises(LandingCorrupt, match="gone from the landing zone"):
        home.store.get_page("contracts", manifest["pages"][0]["sha256"])


@MOSTLY_SQLITE
def test_a_trial_run_counts_the_same_and_touches_nothing(home: Household) -> None:
    home.land(OLD, "old")
    with_newest(home)
    done = kept(home, apply=False)
    assert (done.things, done.is_applied) == (1, False)
    assert done.size > 0
    assert home.texts() == {"old", "newest"}
    assert home.proven() == []


@MOSTLY_SQLITE
def test_a_page_that_a_recent_batch_names_as_well_stays(home: Household) -> None:
    home.land(OLD, "same", "old")
    home.land(RECENT, "same", full=True)
    home.age(home.store._page("contracts", home.store.put_page("contracts", [{"text": "same"}])), OLD)
    assert kept(home).things == 1
    assert home.texts() == {"same"}


@MOSTLY_SQLITE
def test_the_last_batches_of_a_source_stay_however_old(home: Household) -> None:
    home.land(ago(390), "overtaken", full=True)
    home.land(ago(380), "last full", full=True)
    home.land(ago(370), "incremental")
    home.land(ago(360), "last")
    assert kept(home).things == 2
    assert home.texts() == {"last full", "last"}


@MOSTLY_SQLITE
def test_what_was_not_merged_waits_and_a_trial_run_of_a_sync_does_not(home: Household) -> None:
    home.land(OLD, "waiting", merged=False)
    home.land(OLD, "trial", merged=False, dry_run=True)
    with_newest(home)
    done = kept(home)
    assert home.texts() == {"waiting", "newest"}
    assert (done.things, done.stays) == (1, {"not_merged": 1})


@MOSTLY_SQLITE
def test_the_evidence_of_an_open_finding_stays_and_that_of_a_resolved_one_goes(home: Household) -> None:
    open_one, resolved = home.land(OLD, "open"), home.land(OLD, "resolved")
    home.judged(open_one)
    home.judged(resolved, subject="T", state="resolved", finding_id="e" * 32)
    with_newest(home)
    assert kept(home).stays == {"open_finding": 1}
    assert home.texts() == {"open", "newest"}


@MOSTLY_SQLITE
def test_the_page_of_a_record_in_quarantine_stays_and_its_siblings_go(home: Household) -> None:
    batch_id = home.land(OLD, "one", "two", "three")
    home.set_aside(batch_id, 2)
    home.set_aside(batch_id, 3, state="closed")
    with_newest(home)
    assert kept(home).stays == {"quarantine": 1}
    assert home.texts() == {"two", "newest"}


@MOSTLY_SQLITE
def test_a_page_that_no_batch_names_goes_when_it_is_old_and_not_while_a_read_may_be_on(home: Household) -> None:
    home.page("contracts", "orphan", OLD)
    home.page("contracts", "young orphan", RECENT)
    with_newest(home)
    assert kept(home).reasons == {"named_by_no_batch": 1}
    assert home.texts() == {"young orphan", "newest"}


@MOSTLY_SQLITE
def test_an_old_page_that_a_read_has_just_met_again_stays(home: Household) -> None:
    home.land(OLD, "seen again")
    with_newest(home)
    name = home.store.put_page("contracts", [{"text": "seen again"}])  # its batch is not sealed yet
    home.age(home.store._page("contracts", name), ago(1))
    assert kept(home).things == 0
    assert home.texts() == {"seen again", "newest"}


@MOSTLY_SQLITE
def test_landing_a_page_again_marks_it_as_in_use(home: Household) -> None:
    name = home.page("contracts", "x", OLD)
    before, _ = home.store.page_written_at("contracts", name)
    home.store.put_page("contracts", [{"text": "x"}])
    assert home.store.page_written_at("contracts", name)[0] > before


HOLDS = {
    "of the source": {"source": "contracts"},
    "of the days": {"first": OLD, "last": OLD},
    "of the subject by its evidence": {"subject": "S"},
    "of the finding": {"finding": FINDING},
    "of the subject in those days": {"subject": "S", "first": OLD, "last": DAY},
}
NO_HOLDS = {
    "of another source": {"source": "payments"},
    "of other days": {"first": ago(299), "last": DAY},
    "of another subject": {"subject": "T"},
    "of another finding": {"finding": "a" * 32},
    "that has ended": {"source": "contracts", "until": ago(1)},
    "of the subject in other days": {"subject": "S", "first": ago(9), "last": DAY},
}


@MOSTLY_SQLITE
@pytest.mark.parametrize("what", HOLDS)
def test_a_legal_hold_keeps_what_it_is_about(home: Household, what: str) -> None:
    home.judged(home.land(OLD, "held"), state="resolved")
    with_newest(home)
    done = kept(home, hold(**HOLDS[what]))
    assert (done.things, done.stays) == (0, {"legal_hold": 1})
    assert home.texts() == {"held", "newest"}


@MOSTLY_SQLITE
@pytest.mark.parametrize("what", NO_HOLDS)
def test_a_legal_hold_keeps_nothing_else(home: Household, what: str) -> None:
    home.judged(home.land(OLD, "free"), state="resolved")
    with_newest(home)
    assert kept(home, hold(**NO_HOLDS[what])).things == 1
    assert home.texts() == {"newest"}


@MOSTLY_SQLITE
def test_nothing_is_done_twice_and_the_proof_says_each_thing_once(home: Household) -> None:
    home.land(OLD, "old")
    with_newest(home)
    kept(home)
    before = home.proven()
    assert kept(home).things == 0
    home.land(OLD, "late comer")
    kept(home)
    after = [json.dumps(line) for line in home.proven()]
    assert len(after) == len(set(after)) == len(before) + 1
