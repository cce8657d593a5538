"""The verbs of the command line: each calls the same functions as the DAGs and prints for people or as JSON.

Exit codes: 0 done, 1 done but degraded, 2 not done (configuration, arguments), 3 the outside world failed.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from include.clock import now, read_day, read_moment
from include.collection import no_collection
from include.errors import ConfigurationError

if TYPE_CHECKING:
    from include.sources.card import Card

DONE, DEGRADED, NOT_DONE, OUTSIDE_FAILED = 0, 1, 2, 3

log = logging.getLogger(__name__)


def sync(options: argparse.Namespace) -> int:
    """Sync sources into the ledger, then reconcile plan and platform."""
    with no_collection():  # modules are kept: to look through them for garbage takes a seventh of the time to load them
        from include.ledger.database import open_ledger
        from include.ledger.reconcile import reconcile
        from include.sources.card_files import load_card

    cards = [load_card(s) for s in options.sources] if options.sources else cards_of("projects")
    results, worst = sync_cards(cards, options)
    reconciled = None if options.dry_run else reconcile(open_ledger())
    if options.json:
        say(dumps({"sources": results, "reconciled": asdict(reconciled) if reconciled else None}))
    elif reconciled:
        kinds = "、".join(f"{k} {n}" for k, n in reconciled.open.items() if n) or "无"
        say(f"对账: 平台 {reconciled.compared_projects} 个, 计划 {reconciled.compared_entries} 条; 待核问题: {kinds}")
    return worst


def cards_of(*groups: str) -> list[Card]:
    """Return the enabled cards of some groups."""
    from include.sources.card_files import load_cards

    return [c for c in load_cards() if c.enabled and c.group in groups]


def sync_cards(cards: list[Card], options: argparse.Namespace) -> tuple[list[dict[str, Any]], int]:
    """Land and merge each source; return what each brought, and the exit code. One that fails does not keep the others."""
    with no_collection():
        from include.errors import LimitExceeded, Retryable, ShuhengError, SourceMalformed, SourceRefused
        from include.landing.store import LandingStore
        from include.ledger.ahead import Ahead
        from include.ledger.database import open_ledger
        from include.ledger.sync import land, merge_batch
        from include.settings import load_settings
        from include.sources.second_process import SecondProcess

    window = read_moment(options.since, "--since"), read_moment(options.until, "--until")
    engine, store = open_ledger(), LandingStore(load_settings().landing_url)
    results: list[dict[str, Any]] = []
    worst = DONE
    for card in cards:
        with shown_progress(options) as progress, SecondProcess() as beside, Ahead() as ahead:
            try:
                how: dict[str, Any] = {
                    "force": getattr(options, "force", False),
                    "process": beside,
                    "ahead": ahead,
                    "progress": progress,
                }
                manifest = land(engine, store, card, options.mode, *window, dry_run=options.dry_run, **how)
                believed = replace(card, max_vanishing_share=1.0, max_vanishing_count=sys.maxsize)
                result = merge_batch(
                    engine, store, believed if options.accept_vanished else card, manifest.batch_id, **how
                )
            except Exception as error:
                if not isinstance(error, ShuhengError):
                    log.exception("%s failed", card.source)
                is_outside = isinstance(error, Retryable | SourceRefused | SourceMalformed | LimitExceeded)
                worst = max(worst, OUTSIDE_FAILED if is_outside else NOT_DONE)
                results.append({"source": card.source, "error": type(error).__name__, "message": str(error)})
                if not options.json:
                    say(f"失败 {card.source}: {error}")
                continue
        results.append(asdict(result))
        worst = max(worst, DONE if result.is_complete and not result.quarantined else DEGRADED)
        if not options.json:
            show_result(asdict(result), options.dry_run)
    return results, worst


def check(options: argparse.Namespace) -> int:
    """Read the exchange, probe the endpoints, and judge each system's interconnection."""
    return _judge(options, ("exchange", "register"), "interconnection", is_probing=not options.no_probe)


def watch(options: argparse.Namespace) -> int:
    """Read register, city cloud and usage, and judge what is idle, rarely used, oversized, stale or not on the city cloud."""
    return _judge(options, ("register", "systems"), "systems", is_probing=False)


def _judge(options: argparse.Namespace, groups: tuple[str, ...], scope: str, *, is_probing: bool) -> int:
    """Do what the DAG does."""
    probe = (lambda: _probe(options)) if is_probing else None
    return judge_after(options, scope, lambda: sync_cards(cards_of(*groups), options), probe)


def judge_after(
    options: argparse.Namespace,
    scope: str,
    read: Callable[[], tuple[list[dict[str, Any]], int]],
    probe: Callable[[], list[dict[str, Any]]] | None = None,
) -> int:
    """Read, probe where it is wanted, judge; a past day reads and probes nothing and is judged from kept evidence."""
    from include.alerts.telling import tell_if_possible
    from include.findings.judging import judge
    from include.ledger.database import open_ledger

    today = now().date()
    day = read_day(options.day, "--day") if options.day else today
    results, worst = read() if day == today and not options.no_sync else ([], DONE)
    probed = probe() if probe and day == today else []
    judged = judge(open_ledger(), scope, day, tell=tell_if_possible)
    if options.json:
        say(dumps({"sources": results, "probed": probed, "judged": judged.summary()}))
    else:
        for line in judged.lines():
            say(line)
    broken = judged.crashed or (judged.is_replay and not judged.is_equal)
    return max(worst, DEGRADED if broken else DONE)


def _probe(options: argparse.Namespace) -> list[dict[str, Any]]:
    from include.landing.store import LandingStore
    from include.ledger.database import open_ledger
    from include.ledger.probe_round import probe_round
    from include.settings import load_settings
    from include.tasks import plan_probes

    store, done = LandingStore(load_settings().landing_url), []
    for shard in plan_probes(f"command-{now():%Y%m%dT%H%M%S.%f}"):
        with shown_progress(options) as progress:
            done.append(probe_round(open_ledger(), store, **shard, progress=progress))
        if not options.json:
            say("探测: " + ", ".join(f"{k} {v}" for k, v in done[-1].items() if v))
    return done


def quarantine(options: argparse.Namespace) -> int:
    """List quarantined records, or show one with its problems and its raw row."""
    from include.ledger.database import open_ledger
    from include.ledger.replay import open_quarantine

    rows = open_quarantine(open_ledger(), options.source)
    if options.hash:
        rows = [r for r in rows if r["record_hash"].startswith(options.hash)]
        if not rows:
            raise ConfigurationError(f"no open quarantine row begins with {options.hash!r}; list them without --hash")
    for row in rows:
        row["problems"] = json.loads(row["problems"])
    if options.json:
        say(dumps(rows))
        return DONE
    say(f"隔离记录 {len(rows)} 条" + ("" if rows else ";没有需要处理的"))
    for row in rows:
        key = row["record_key"] or "(无标识)"
        say(f"{row['record_hash'][:12]}  {row['source']}  {key}  批次 {row['batch_id']} 第 {row['page']} 页")
        for problem in row["problems"]:
            show_problem(problem)
        if options.hash:
            say("    " + row["raw"])
    return DONE


def show_problem(problem: dict[str, str]) -> None:
    """Print a problem with its remedy; older rows have none, and an English sentence without the title."""
    if "fix" not in problem:
        say(f"    {problem['title']}({problem['field']}): {problem['problem']}; 原值“{problem['raw']}”")
        return
    say(f"    {problem['field']}: {problem['problem']}" + (f"; 原值“{problem['raw']}”" if problem["raw"] else ""))
    say(f"        改法: {problem['fix']}")


def replay(options: argparse.Namespace) -> int:
    """Merge the quarantine of a source, or one of its landed batches, under the card as it is now."""
    from include.landing.store import LandingStore
    from include.ledger.database import open_ledger
    from include.ledger.replay import replay_batch, replay_quarantine
    from include.settings import load_settings
    from include.sources.card_files import load_card

    card = load_card(options.source)
    engine, store = open_ledger(), LandingStore(load_settings().landing_url)
    result = (
        replay_batch(engine, store, card, options.batch) if options.batch else replay_quarantine(engine, store, card)
    )
    if options.json:
        say(dumps(asdict(result) if result else None))
    elif result is None:
        say(f"{card.source} 没有隔离记录")
    else:
        show_result(asdict(result), dry_run=False)
    return DEGRADED if result and result.quarantined else DONE


def questions(options: argparse.Namespace) -> int:
    """List the open questions."""
    from include.ledger.database import open_ledger
    from include.ledger.summary import open_questions

    rows = open_questions(open_ledger(), options.kind)
    if options.json:
        say(dumps(rows))
        return DONE
    say(f"待核问题 {len(rows)} 个")
    for row in rows:
        say(f"[{row['kind']}] {row['text']}")
    return DONE


def doctor(options: argparse.Namespace) -> int:
    """Check settings, cards, connections, ledger and landing zone; or migrate, or print pools or figures."""
    from include.ledger.database import migrate, open_ledger

    if options.pools:
        from include.delivery_tasks import ALERT_POOL
        from include.sources.card_files import load_cards
        from include.tasks import PROBE_POOL

        pools = {PROBE_POOL: {"slots": 2, "description": "接口探测", "include_deferred": False}}
        pools |= {ALERT_POOL: {"slots": 4, "description": "发送提示", "include_deferred": False}}
        pools |= {c.pool: {"slots": 1, "description": c.title, "include_deferred": False} for c in load_cards()}
        say(dumps(pools))
        return DONE
    if options.migrate:
        migrate()
        say("台账已迁移到最新版本")
        return DONE
    if options.summary:
        from include.ledger.summary import summarise

        say(dumps(summarise(open_ledger())))
        return DONE
    from include.checkup import check_all

    checks = check_all()
    if options.json:
        say(dumps([asdict(c) for c in checks]))
    else:
        for c in checks:
            say(f"{'!' if c.is_noted else '✓' if c.is_ok else '✗'} {c.name}: {c.text}")
    if not all(c.is_ok for c in checks):
        return NOT_DONE
    return DEGRADED if any(c.is_noted for c in checks) else DONE


def sandbox(options: argparse.Namespace) -> int:
    """Run the stand-ins of the outside platforms."""
    from include.sandbox.cli import main

    return main(options.rest)


def show_result(r: dict[str, Any], dry_run: bool) -> None:
    """Say what a batch did."""
    kind = ("全量" if r["is_full"] else "增量") + ("(试运行, 未写入)" if dry_run else "")
    state = "完整" if r["is_complete"] else "不完整(降级)"
    say(
        f"{r['source']} {kind} {state}: 读 {r['rows_received']}, 新增 {r['created']}, 变更 {r['changed']}, 未变 {r['unchanged']}, "
        f"隔离 {r['quarantined']}, 拒收涉密 {r['refused']}, 恢复 {r['restored']}, 缺席 {r['absent']}, 注销 {r['tombstoned']}"
    )
    for entity, counts in r["children"].items():
        say(f"    {entity}: " + ", ".join(f"{k} {v}" for k, v in counts.items()))
    for reason in r["reasons"]:
        say(f"    不完整原因 {reason['code']}: {reason['text']}")
    for note in r["notes"]:
        say(f"    注意: {note}")
    for change in r["sample"]:
        say(f"    将变更 {change['record_key']} {change['field']}: {change['old']} → {change['new']}")


class shown_progress:  # noqa: N801 - reads as a function where it is used
    """Show progress on a terminal, and nothing where output is read by a program."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._bar: Any = None
        self._tasks: dict[str, Any] = {}
        if sys.stderr.isatty() and not options.json:
            from rich.console import Console
            from rich.progress import Progress

            self._bar = Progress(console=Console(stderr=True), transient=True)

    def __enter__(self) -> Callable[[str, int, int | None], None]:
        if self._bar:
            self._bar.start()
        return self._update

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def _update(self, step: str, done: int, total: int | None) -> None:
        if not self._bar:
            return
        if step not in self._tasks:
            self._tasks[step] = self._bar.add_task(step, total=total)
        self._bar.update(self._tasks[step], completed=done, total=total)


def say(sentence: str) -> None:
    """Print a sentence at once."""
    print(sentence, file=sys.stdout, flush=True)  # noqa: T201


def dumps(data: Any) -> str:
    """Return data as JSON for programs."""
    return json.dumps(data, ensure_ascii=False, indent=1, default=str)
