"""The verbs of the catalogues: harvest and what belongs to it, undo, decide. They call the functions that the tasks call."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from include.commands import (
    DEGRADED,
    DONE,
    cards_of,
    dumps,
    judge_after,
    say,
    show_problem,
    show_result,
    shown_progress,
    sync_cards,
)
from include.errors import ConfigurationError

if TYPE_CHECKING:
    from include.ledger.batch_record import RecordOutcome
    from include.sources.card import Card

OUTCOMES = {
    "created": "新增", "updated": "变更", "unchanged": "未变", "repeated": "重复", "quarantined": "隔离", "warned": "提醒",
    "held": "搁置", "tombstoned": "注销", "restored": "恢复",
}  # fmt: skip


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Declare what `harvest` takes."""
    verb.add_argument("sources", nargs="*", metavar="SOURCE", help="catalogue sources; by default all enabled ones")
    verb.add_argument(
        "--mode", choices=["normal", "force", "validate", "preview", "clear"], default="normal",
        help="force: map every record again; validate: judge all, keep nothing; preview: the first 20; clear: tombstone all of one",
    )  # fmt: skip
    verb.add_argument("--confirm", default="", metavar="SOURCE", help="clear: the name of the source once more")
    verb.add_argument("--day", metavar="DAY", help="a past day is judged from kept evidence: 2026-11-01")
    verb.add_argument("--no-sync", action="store_true", help="judge what the ledger holds; read no source")
    verb.add_argument(
        "--accept-vanished", action="store_true",
        help="a person confirmed that the missing records are gone: no guard holds them (two full reads are still needed)",
    )  # fmt: skip
    only = verb.add_mutually_exclusive_group()
    only.add_argument("--records", metavar="BATCH", help="list what a batch did, record by record, and do nothing else")
    only.add_argument(
        "--coverage", action="store_true", help="list how many records fill each field, and do nothing else"
    )
    verb.add_argument(
        "--unchanged", action="store_true",
        help="with --records: list the records that nothing had to be done about, too; reads the landed pages again",
    )  # fmt: skip
    verb.set_defaults(since=None, until=None, dry_run=False)


def harvest(options: argparse.Namespace) -> int:
    """Harvest catalogues and judge which system owes what, or do one of the things for people who look into a source."""
    if options.records:
        return _list_records(options)
    if options.coverage:
        return _list_coverage(options)
    doing: dict[str, Callable[[argparse.Namespace], int]] = {
        "validate": _validate, "preview": _preview, "clear": _clear
    }  # fmt: skip
    return doing.get(options.mode, _harvest)(options)


def _harvest(options: argparse.Namespace) -> int:
    options.force, options.mode = options.mode == "force", "full" if options.mode == "force" else "auto"
    return judge_after(options, "catalogues", lambda: sync_cards(_cards(options), options))


def _cards(options: argparse.Namespace) -> list[Card]:
    from include.sources.card_files import load_card

    cards = [load_card(s) for s in options.sources] if options.sources else cards_of("catalogues")
    for card in cards:
        if card.entity != "resource":
            raise ConfigurationError(
                f"{card.source} is no catalogue; read it with: python -m include sync {card.source}"
            )
    return cards


def _one_card(options: argparse.Namespace) -> Card:
    if len(options.sources) != 1:
        raise ConfigurationError("name exactly one source for this")
    return _cards(options)[0]


def _validate(options: argparse.Namespace) -> int:
    from include.landing.store import LandingStore
    from include.ledger.database import open_ledger
    from include.ledger.rehearsal import validate
    from include.settings import load_settings

    store, reports = LandingStore(load_settings().landing_url), []
    for card in _cards(options):
        with shown_progress(options) as progress:
            reports.append(validate(open_ledger(), store, card, progress))
    if options.json:
        say(dumps([asdict(report) for report in reports]))
    else:
        for report in reports:
            show_result(asdict(report.result), dry_run=True)
            _show_records(report.records)
    return DONE if all(r.result.is_complete and not r.result.quarantined for r in reports) else DEGRADED


def _preview(options: argparse.Namespace) -> int:
    from include.ledger.rehearsal import preview

    records = preview(_one_card(options))
    if options.json:
        say(dumps([asdict(record) for record in records]))
        return DONE
    for number, record in enumerate(records, 1):
        say(f"{number}. {record.record_key or '(无标识)'}")
        for name, value in record.record.items():
            if value is not None:
                say(f"    {name}: {value}")
        for entity, child in record.children:
            say(f"    {entity}: " + ", ".join(f"{k} {v}" for k, v in child.items() if v is not None))
        _show_problems(record.problems, record.warnings)
    return DONE


def _clear(options: argparse.Namespace) -> int:
    from include.ledger.database import open_ledger
    from include.ledger.undo import clear_source

    card = _one_card(options)
    result = clear_source(open_ledger(), card.source, options.confirm)
    if options.json:
        say(dumps(asdict(result)))
    else:
        say(
            f"已清空 {card.source}: 注销 {result.tombstoned} 条;撤销: python -m include undo {card.source} {result.batch_id}"
        )
    return DONE


def _list_records(options: argparse.Namespace) -> int:
    from include.landing.store import LandingStore
    from include.ledger.batch_record import records_of_batch, unchanged_of_batch
    from include.ledger.database import open_ledger
    from include.settings import load_settings

    card = _one_card(options)
    with open_ledger().connect() as connection:
        records = list(records_of_batch(connection, card.source, options.records))
        if options.unchanged:
            store = LandingStore(load_settings().landing_url)
            records += unchanged_of_batch(connection, store, card, options.records)
    if options.json:
        say(dumps([asdict(record) for record in records]))
    else:
        _show_records(records)
    return DONE


def _list_coverage(options: argparse.Namespace) -> int:
    from include.ledger.coverage import coverage
    from include.ledger.database import open_ledger

    engine, cards = open_ledger(), _cards(options)
    found = {card.source: coverage(engine, card.source) for card in cards}
    if options.json:
        say(dumps({s: [asdict(line) for line in lines] for s, lines in found.items()}))
        return DONE
    for card in cards:
        say(f"{card.source} {card.title}")
        for line in found[card.source]:
            share = f"{line.filled * 100 / line.of:.1f}%" if line.of else "–"
            say(f"    {line.title}({line.field}): {line.filled}/{line.of}, {share}")
    return DONE


def undo(options: argparse.Namespace) -> int:
    """Restore what a batch tombstoned."""
    from include.ledger.database import open_ledger
    from include.ledger.undo import undo_tombstones

    result = undo_tombstones(open_ledger(), options.source, options.batch)
    if options.json:
        say(dumps(asdict(result)))
    else:
        say(f"{options.source}: 恢复 {result.restored} 条")
    return DONE


def decide(options: argparse.Namespace) -> int:
    """Say of held records whether they are the known ones under new identifiers; without an answer, list them."""
    from include.landing.store import LandingStore
    from include.ledger.database import open_ledger
    from include.ledger.decide import decide_identity, held_records
    from include.settings import load_settings
    from include.sources.card_files import load_card

    engine, card = open_ledger(), load_card(options.source)
    if options.is_same is None:
        with engine.connect() as connection:
            held = held_records(connection, card.source)
        if options.json:
            say(dumps([asdict(h) for h in held]))
            return DONE
        say(f"{card.source} 搁置待定 {len(held)} 条")
        for one in held:
            say(f"    已有 {one.record_key}  新标识 {one.new_key}")
        return DONE
    if not options.key and not options.all:
        raise ConfigurationError("name the known record, or say --all")
    store = LandingStore(load_settings().landing_url)
    result = decide_identity(
        engine, store, card, options.key, is_same=options.is_same, by=options.by, reason=options.reason
    )
    if options.json:
        say(dumps(asdict(result) if result else None))
    elif result is None:
        say(f"{card.source} 没有搁置待定的记录")
    else:
        show_result(asdict(result), dry_run=False)
    return DONE


def publish(options: argparse.Namespace) -> int:
    """Publish data sets, a report, or the catalogue."""
    from include.datasets.command import publish as publish_set

    with shown_progress(options) as progress:
        return publish_set(options, progress)


def _show_records(records: list[RecordOutcome]) -> None:
    if not records:
        say("    没有需要列出的记录")
    for record in records:
        say(f"    {OUTCOMES[record.outcome]} {record.record_key}")
        detail = record.detail
        _show_problems(detail.get("problems", []), detail.get("warnings", []))
        if record.outcome in ("updated", "restored"):
            for name, (old, new) in detail.items():
                say(f"        {name}: {old} → {new}")
        if "known" in detail:
            say(f"        疑为已有记录 {detail['known']}")


def _show_problems(problems: list[dict[str, Any]], warnings: list[str]) -> None:
    from include.ledger.quality import WARNINGS

    for problem in problems:
        show_problem(problem)
    for code in warnings:
        warning = WARNINGS.get(code)
        say(f"        提醒 {code}" + (f": {warning.title};{warning.fix}" if warning else ""))
