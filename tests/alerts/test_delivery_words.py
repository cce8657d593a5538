"""Glossary and runbook hold every word that delivery and the pipelines' health give to people."""

from __future__ import annotations

from include.alerts.incidents import CAUSE_WORDS, Cause
from include.alerts.outbox import Try
from tests.test_map import _text
from tests.test_words import _has_row, _rows


def test_every_outcome_and_cause_has_its_row_and_is_called_as_people_read_it() -> None:
    names = [*Try, *Cause, "outbox", "delivery_attempt", "channel_state", "incident", "deliver"]
    assert not [name for name in names if not _has_row(name)]
    for cause in Cause:
        assert any(row.startswith(f"| {CAUSE_WORDS[cause]} | `{cause}`") for row in _rows()), cause


def test_the_runbook_says_what_each_outcome_and_each_incident_means() -> None:
    runbook = _text("docs/runbooks/delivery.md")
    assert not [
        cause
        for cause in Cause
        if cause is not Cause.HEARTBEAT and f"| `{cause}` {CAUSE_WORDS[cause]} |" not in runbook
    ]
    assert not [outcome for outcome in Try if outcome is not Try.CUT_SHORT and f"| `{outcome}`" not in runbook]
