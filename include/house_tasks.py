"""What the tasks of `keep_house` do, as plain functions; they return counts and never what was removed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from include.clock import now
from include.errors import Permanent
from include.opening import ledger

log = logging.getLogger(__name__)

KINDS = (
    "landing_pages", "probe_rounds", "probe_days", "message_bodies", "delivery_attempts", "spool_files", "releases",
)  # fmt: skip
"""The kinds of what is kept, one mapped task each; a test compares them with `include.house.keeping.KINDS`."""


class NotKept(Permanent):
    """Some kinds could not be cleaned; the others were."""


def review_week() -> dict[str, Any]:
    """Look at what a person should look at; put it into the outbox, once a week at most; return counts by kind."""
    from include.house.operator_message import tell_operator
    from include.house.review import by_kind, review

    engine, at = ledger(), now()
    found = review(engine, at.date())
    for line in found.lines():
        log.info("%s", line)
    return {"remarks": by_kind(found), "messages": tell_operator(engine, found, at)}


def keep_kind(kind: str, *, apply: bool) -> dict[str, Any]:
    """Remove what may go of one kind, or only count it; return the counts."""
    from include.house.keeping import keep, open_house

    return asdict(keep(open_house(), kind, apply=apply))


def report_kept(reviewed: dict[str, Any] | None, kept: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what the night came to; raise `NotKept` where a kind, or the review, has no result."""
    missing = sorted(set(KINDS) - {one["kind"] for one in kept}) + ([] if reviewed else ["review"])
    total = {one["kind"]: one["things"] for one in kept}
    log.info("kept house: %s", total)
    if missing:
        raise NotKept(f"not done: {', '.join(missing)}; see the task of each for the cause")
    return {"removed": total, "review": reviewed}
