"""Gather what a pass looks at: every finding with whom it is for, who knows of it, and who is not to hear of it anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from include.alerts.by_rule import by_rule
from include.alerts.concern import EVERYONE, OPEN, OVERDUE, Concern, read_findings
from include.alerts.deciding import Told
from include.alerts.inhibition import inhibit
from include.alerts.routing import Labels, Routing
from include.alerts.subjects import Subjects
from include.alerts.told_rows import Known
from include.findings.story import Handling
from include.rules.rule import Rule

LIGHTEST = "low"
"""The severity of a finding whose rule gave none."""


def gather(
    connection: Connection,
    rules: Mapping[str, Rule],
    routing: Routing,
    subjects: Subjects,
    known: Known,
    held: set[str],
) -> list[Concern]:
    """Return the findings that are open or not told to their end; those in `held` are silent for everybody.

    Findings of rules that are no longer in force are left alone: nobody could say what of them is to be done.
    """
    found = [
        _silenced(_concern(row, rules[row["rule"]], routing, subjects, known), held)
        for row in read_findings(connection)
        if row["rule"] in rules
    ]
    return by_rule(connection, inhibit(found, routing.inhibitions, subjects.sources), known)


def _concern(row: Mapping[str, Any], rule: Rule, routing: Routing, subjects: Subjects, known: Known) -> Concern:
    department = subjects.department(row["subject_type"], row["subject"])
    topic, severity = routing.topic_of[rule.id], row["severity"] or LIGHTEST
    labels = Labels(topic, rule.id, severity, row["outcome"], department, row["subject_type"], rule.scope)
    receivers = routing.receivers_of(labels, rule.told)
    is_rectifying = row["handling"] == Handling.RECTIFYING
    return Concern(
        row["finding_id"], rule.id, topic, rule.scope, row["subject_type"], row["subject"], department, row["outcome"],
        row["reason"], severity, row["message"], row["reopened"], row["first_seen_on"], row["handling"], row["handled_until"],
        row["state"] == OPEN, is_rectifying and row["overdue_since"] is not None, row["unverified_since"] is not None, receivers,
        _told_since(known.get(row["finding_id"], {}), receivers, row["reopened"]),
    )  # fmt: skip


def _told_since(told: Mapping[str, Told], receivers: Iterable[str], reopened: int) -> Any:
    """Return the first day on which one of the receivers was told of the finding as it stands now."""
    rows: Iterator[Told] = (told[receiver] for receiver in receivers if receiver in told)
    days = (one.first_told_on for one in rows if one.state in (OPEN, OVERDUE) and one.reopened == reopened)
    return min(days, default=None)


def _silenced(concern: Concern, held: set[str]) -> Concern:
    return replace(concern, silent_for=frozenset((EVERYONE,))) if concern.finding_id in held else concern
