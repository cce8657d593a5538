"""What the tasks of the DAGs do, as plain functions over names and ids, so that a DAG file is wiring only.

Returns ids and counts, never records: what is returned here lies in Airflow's own database.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from include.clock import SHANGHAI, now, read_day, read_moment
from include.errors import BatchSuperseded, Permanent
from include.opening import landing_zone, ledger
from include.sources.outlines import Outline, outline_cards

log = logging.getLogger(__name__)

PROBE_POOL = "probing"
PROBES_PER_SHARD = 5_000
"""Endpoints that one task probes at a time: what fits into a sweep's budget with room to spare."""


DOSSIERS_SCOPE = "regulation"
"""The scope of the rules over projects' dossiers, which `evaluate_rules` alone judges."""


class SourcesFailed(Permanent):
    """Some sources could not be synced; the others were."""


class TasksFailed(Permanent):
    """Tasks of a run failed of which no other report tells."""


class NotProbed(Permanent):
    """Some endpoints were not probed; what could be judged was judged."""


class NotJudged(Permanent):
    """A day could not be judged, or not by every rule."""


def enabled_cards(*groups: str) -> list[Outline]:
    """Return outlines of the enabled cards of some groups: projects, exchange, register, systems."""
    return [c for c in outline_cards() if c.is_enabled and c.group in groups]


def choose_sources(*groups: str, source: str = "all") -> list[str]:
    """Return the sources that a run is for: the named one, or every enabled card of the groups."""
    return [c.source for c in enabled_cards(*groups)] if source == "all" else [source]


def flatten(merged: list[Any]) -> list[dict[str, Any]]:
    """Return the results of all lanes in one list; a lane that failed or was skipped has none.

    Airflow hands over the bare result of a lane with one source, and a list where there are more.
    """
    lanes = ([lane] if isinstance(lane, dict) else lane or [] for lane in merged)
    return [result for lane in lanes for result in lane if result]


def land_source(
    source: str,
    mode: str,
    since: str | None = None,
    until: str | None = None,
    *,
    dry_run: bool = False,
    force: bool = False,
) -> dict[str, Any]:
    """Land one source; return the batch to merge, and whether records that are known are to be mapped again."""
    from include.ledger.sync import land
    from include.sources.card_files import load_card

    window = read_moment(since, "起始时间 since"), read_moment(until, "截止时间 until")
    how: dict[str, Any] = {"dry_run": dry_run, "force": force, "progress": _log_progress()}
    manifest = land(ledger(), landing_zone(), load_card(source), mode, *window, **how)
    for reason in manifest.reasons:
        log.warning("batch %s is not complete: %s: %s", manifest.batch_id, reason.code, reason.text)
    return {"source": source, "batch_id": manifest.batch_id, "force": force}


def merge_source(batch: dict[str, Any]) -> dict[str, Any]:
    """Merge one landed batch; return its counts. Where another run merged a newer one meanwhile, return those of that."""
    if not batch["batch_id"]:
        return batch  # the source was only looked at
    from include.ledger.merge import newest_result
    from include.ledger.sync import merge_batch
    from include.sources.card_files import load_card

    engine, store = ledger(), landing_zone()
    how: dict[str, Any] = {"force": batch.get("force", False), "progress": _log_progress()}
    try:
        result = merge_batch(engine, store, load_card(batch["source"]), batch["batch_id"], **how)
    except BatchSuperseded as superseded:
        log.info("%s", superseded)
        with engine.connect() as connection:
            newer = newest_result(connection, batch["source"])
        if newer is None:
            raise
        result = newer
    for line in result.sample:
        log.info("would change %s %s: %s → %s", line["record_key"], line["field"], line["old"], line["new"])
    return {k: v for k, v in asdict(result).items() if k not in ("sample", "notes")}


def reconcile_plan() -> dict[str, Any]:
    """Reconcile plan and platform; return the open questions by kind."""
    from include.ledger.reconcile import reconcile

    result = reconcile(ledger())
    if result is None:
        log.warning("plan or platform was never read; nothing to reconcile")
    return asdict(result) if result else {}


def report_run(chosen: list[str], done: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the counts of the whole run; raise `SourcesFailed` if a chosen source has no result."""
    missing = sorted(set(chosen) - {r["source"] for r in done})
    counted = ("rows_received", "created", "changed", "unchanged", "quarantined", "refused", "restored", "tombstoned")
    total: dict[str, Any] = {name: sum(r[name] for r in done) for name in counted}
    total["degraded"] = sorted(r["source"] for r in done if not r["is_complete"])
    log.info("run done: %s", total)
    if missing:
        raise SourcesFailed(f"could not sync {', '.join(missing)}; see the land and merge tasks of each for the cause")
    return total


def refuse_failed(states: Mapping[str, str]) -> None:
    """Raise `TasksFailed` where a task of a run failed, by the states of its tasks.

    Airflow takes the state of a run from its last task alone, and a success closes the incident of the task that failed.
    """
    if failed := sorted(task for task, state in states.items() if state in ("failed", "upstream_failed")):
        raise TasksFailed(f"failed: {', '.join(failed)}; see the log of each for the cause")


def day_of_run(context: Any) -> date:
    """Return the day that a run judges, in Asia/Shanghai: the form's, that of a backfill, or today."""
    run, at = context["dag_run"], now()
    if context["params"].get("day"):
        return read_day(context["params"]["day"], "评判日 day")
    if run.run_type == "backfill" and run.logical_date:
        asked: datetime = run.logical_date
        return min(asked.astimezone(SHANGHAI).date(), at.date())
    return at.date()


def is_today(day: date) -> bool:
    """Return whether sources can still be asked about a day; a past one is judged from kept evidence."""
    return day == now().date()


def plan_probes(run_id: str) -> list[dict[str, Any]]:
    """Return the shards of a sweep, one task each; a shard that is tried again keeps its id, so it counts once."""
    from include.ledger.probe_targets import count_targets

    of = max(1, -(-count_targets(ledger()) // PROBES_PER_SHARD))
    return [{"sweep_id": f"{run_id}/{n + 1}of{of}", "shard": n, "of": of} for n in range(of)]


def probe_shard(shard: dict[str, Any]) -> dict[str, Any]:
    """Probe the endpoints of one shard and record what came of it; return counts and causes."""
    from include.ledger.probe_round import probe_round

    counts = probe_round(ledger(), landing_zone(), **shard, progress=_log_progress())
    log.info("probed: %s", counts)
    return counts


def judge_day(scope: str, day: date) -> dict[str, Any]:
    """Judge every subject of a scope for a day; return counts, rates and what changed, never names."""
    from include.alerts.telling import tell_if_possible
    from include.findings.judging import judge

    judged = judge(ledger(), scope, day, tell=tell_if_possible)
    for line in judged.lines():
        log.info("%s", line)
    return judged.summary()


def is_by_assets(context: Any) -> bool:
    """Return whether a run was started because data came in, not by the clock or by a person."""
    return bool(context["dag_run"].run_type == "asset_triggered")


def scopes_of_run(scopes: Sequence[str], asked: str, *, is_by_assets: bool) -> list[str]:
    """Return the scopes that a run judges: those asked for; where data came in only the one that no other DAG judges."""
    if asked != "all":
        return [asked]
    return [DOSSIERS_SCOPE] if is_by_assets else list(scopes)


def report_evaluated(
    chosen: list[str], merged: list[dict[str, Any]], scopes: list[str] | None, judged: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return what a run over several scopes brought; raise if a source or a scope has no result, or a rule broke."""
    total: dict[str, Any] = report_run(chosen, merged) if chosen else {}
    missing = sorted(set(scopes or ()) - {one["scope"] for one in judged})
    if missing or not judged:
        raise NotJudged(
            f"not judged: {', '.join(missing) or 'anything'}; see the judge task of each scope for the cause"
        )
    _refuse_broken(*judged)
    return total | {"judged": judged}


def require_probed(planned: list[Any] | None, probed: list[dict[str, Any]]) -> None:
    """Raise `NotProbed` where shards were to be probed and have no result."""
    if planned is None or len(probed) < len(planned):
        of = "?" if planned is None else len(planned)
        raise NotProbed(f"{len(probed)} of {of} shards were probed; see the plan_probes and probe tasks for the cause")


def report_judged(chosen: list[str], merged: list[dict[str, Any]], judged: dict[str, Any] | None) -> dict[str, Any]:
    """Return what a whole run brought; raise if a source has no result, or a rule or the judging itself broke."""
    total: dict[str, Any] = report_run(chosen, merged) if chosen else {}
    if not judged:
        raise NotJudged("nothing was judged; see the judge task for the cause")
    _refuse_broken(judged)
    return total | {"judged": judged}


def _refuse_broken(*judged: dict[str, Any]) -> None:
    if broken := sorted({rule for one in judged for rule in one["crashed"]}):
        raise NotJudged(f"rules that broke and gave no verdict: {', '.join(broken)}; the others were judged")


def _log_progress() -> Any:
    """Log one line a tenth, so that a long read shows life without flooding the task log."""
    last: dict[str, int] = {}

    def progress(step: str, done: int, total: int | None) -> None:
        tenth = done * 10 // total if total else done // 10_000
        if last.get(step) != tenth:
            last[step] = tenth
            log.info("%s %d/%s", step, done, total or "?")

    return progress
