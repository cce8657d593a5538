"""What the tasks of the catalogues' DAG do beside landing and merging, as plain functions over names and ids."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict
from typing import Any

from include.errors import ConfigurationError
from include.opening import landing_zone, ledger
from include.tasks import SourcesFailed, land_source, report_judged

log = logging.getLogger(__name__)

CHANGING = ("normal", "force")
"""Modes that bring the ledger to the sources."""


def land_catalogue(source: str, mode: str) -> dict[str, Any]:
    """Land one source as the mode wants it, or only look at it; `batch_id` is empty where there is nothing to merge.

    What validating and previewing find stands in the task's log: records never go into Airflow's own database.
    """
    if mode == "validate":
        return _validate(source)
    if mode == "preview":
        return _preview(source)
    return land_source(source, "full" if mode == "force" else "auto", force=mode == "force")


def _validate(source: str) -> dict[str, Any]:
    from include.ledger.rehearsal import validate
    from include.sources.card_files import load_card

    report = validate(ledger(), landing_zone(), load_card(source))
    for record in report.records:
        log.info("%s %s %s", record.outcome, record.record_key, json.dumps(record.detail, ensure_ascii=False))
    counts = {k: v for k, v in asdict(report.result).items() if isinstance(v, int)}
    log.info("validated %s, nothing kept: %s", source, counts)
    return {"source": source, "batch_id": "", "counts": counts}


def _preview(source: str) -> dict[str, Any]:
    from include.ledger.rehearsal import preview
    from include.sources.card_files import load_card

    records = preview(load_card(source))
    for record in records:
        filled = {k: v for k, v in record.record.items() if v is not None}
        log.info("%s %s", record.record_key, json.dumps(filled, ensure_ascii=False))
        for problem in record.problems:
            log.warning("%s %s", record.record_key, json.dumps(problem, ensure_ascii=False))
    return {"source": source, "batch_id": "", "counts": {"shown": len(records)}}


def clear_source(source: str, confirm: str) -> dict[str, Any]:
    """Tombstone every record of one source; return the batch by which that can be undone."""
    from include.ledger.undo import clear_source as clear

    if source == "all":
        raise ConfigurationError("choose one source to clear; all of them at once are never cleared")
    result = clear(ledger(), source, confirm)
    log.info("cleared %s; undo with: python -m include undo %s %s", source, source, result.batch_id)
    return {"source": source, "batch_id": result.batch_id, "tombstoned": result.tombstoned}


def report_harvest(
    mode: str,
    chosen: list[str],
    merged: list[dict[str, Any]],
    judged: dict[str, Any] | None,
    cleared: dict[str, Any] | None,
) -> dict[str, Any]:
    """Return what a whole run brought; raise if a chosen source has no result, or a rule or the judging broke."""
    if mode == "clear":
        if not cleared:
            raise ConfigurationError("nothing was cleared; see the clear task for the cause")
        return cleared
    if mode in CHANGING:
        return report_judged(chosen, merged, judged)
    looked = {r["source"]: r["counts"] for r in merged}
    if missing := sorted(set(chosen) - set(looked)):
        raise SourcesFailed(f"could not look at {', '.join(missing)}; see the land tasks of each for the cause")
    return looked
