"""The verbs of the rules: evaluate judges, replays and compares; explain says why. They call the functions that the tasks call."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from include.clock import now, read_day
from include.commands import DEGRADED, DONE, NOT_DONE, OUTSIDE_FAILED, cards_of, dumps, say, sync_cards
from include.errors import ConfigurationError, Retryable, ShuhengError

if TYPE_CHECKING:
    from datetime import date

    from include.findings.judging import Judged

NARROWEST = 60
"""Cells below which a screen is not folded further."""


def add_evaluate(verb: argparse.ArgumentParser) -> None:
    """Declare what `evaluate` takes."""
    verb.add_argument("--scope", action="append", metavar="SCOPE", help="one scope, may be repeated; by default all")
    verb.add_argument(
        "--as-of",
        metavar="DATE",
        help="a past day: replayed and compared where it was judged, else judged late: 2026-11-01",
    )
    verb.add_argument("--full", action="store_true", help="judge what still holds, too; the result is the same")
    verb.add_argument(
        "--diff", metavar="FOLDER", type=Path,
        help="say what a folder in the place of SHUHENG_CONFIG would alter: cards, thresholds, clauses, calendar; write nothing",
    )  # fmt: skip
    verb.add_argument("--sync", action="store_true", help="read the sources of group dossiers first")
    verb.set_defaults(mode="auto", since=None, until=None, dry_run=False, accept_vanished=False)


def add_explain(verb: argparse.ArgumentParser) -> None:
    """Declare what `explain` takes."""
    verb.add_argument("what", metavar="WHAT", help="the beginning of a finding's id, or the code of what is judged")
    verb.add_argument("--rule", metavar="RULE", help="of a subject: what this rule says of it")
    verb.add_argument(
        "--lang", choices=["zh", "en"], default="zh", help="language of everything but recorded sentences"
    )
    verb.add_argument("--all", action="store_true", help="write every part out, however long")


def evaluate(options: argparse.Namespace) -> int:
    """Judge the scopes from the ledger, or say what a folder of changes would alter."""
    day = read_day(options.as_of, "--as-of") if options.as_of else now().date()
    scopes = _scopes(options.scope)
    if options.diff:
        return _diff(options, scopes, day)
    if options.sync and day != now().date():
        raise ConfigurationError("a past day is judged from kept evidence; leave --sync or --as-of out")
    results, worst = sync_cards(cards_of("dossiers"), options) if options.sync else ([], DONE)
    judged, failed = _judge(scopes, day, is_full=options.full)
    if options.json:
        said = {scope: f"{type(error).__name__}: {error}" for scope, error in failed.items()}
        say(dumps({"sources": results, "judged": [one.summary() for one in judged], "failed": said}))
    else:
        _show(judged, failed)
    broken = any(one.crashed or (one.is_replay and not one.is_equal) for one in judged)
    codes = [OUTSIDE_FAILED if isinstance(error, Retryable) else NOT_DONE for error in failed.values()]
    return max(worst, DEGRADED if broken else DONE, *codes, DONE)


def _scopes(asked: list[str] | None) -> list[str]:
    from include.rules.evaluation import SCOPES

    if unknown := sorted(set(asked or ()) - set(SCOPES)):
        raise ConfigurationError(f"there is no scope {', '.join(unknown)}; use some of {', '.join(SCOPES)}")
    return [scope for scope in SCOPES if scope in (asked or SCOPES)]


def _judge(scopes: list[str], day: date, *, is_full: bool) -> tuple[list[Judged], dict[str, ShuhengError]]:
    """Judge scope after scope; one that cannot be judged does not keep the others."""
    from include.alerts.telling import tell_if_possible
    from include.findings.judging import judge
    from include.ledger.database import open_ledger

    engine, judged, failed = open_ledger(), [], {}
    for scope in scopes:
        try:
            judged.append(judge(engine, scope, day, full=is_full, tell=tell_if_possible))
        except ShuhengError as error:
            failed[scope] = error
    return judged, failed


def _show(judged: list[Judged], failed: dict[str, ShuhengError]) -> None:
    from include.findings.screen import plain

    for one in judged:
        for line in one.lines():
            say(plain(line))
    for scope, error in failed.items():
        say(f"未评判 {scope}: {error}")


def _diff(options: argparse.Namespace, scopes: list[str], day: date) -> int:
    from include.findings.difference import differences
    from include.findings.difference_report import difference_lines
    from include.ledger.database import open_ledger

    if options.sync or options.full:
        raise ConfigurationError("--diff only looks; leave --sync and --full out")
    found = differences(open_ledger(), scopes, day, options.diff)
    if options.json:
        say(dumps(found.summary()))
    else:
        for line in difference_lines(found):
            say(line)
    return DEGRADED if found.is_different else DONE


def explain(options: argparse.Namespace) -> int:
    """Say on one screen what is known about a finding or a verdict, or list what is said of a subject."""
    from include.findings.explain import Explained, explain
    from include.findings.explain_report import Screen, explained_lines, overview_lines
    from include.ledger.database import open_ledger
    from include.ledger.snapshot import glance

    with glance(open_ledger()) as connection:
        found = explain(connection, options.what, options.rule)
    if options.json:
        say(dumps(found.summary()))
        return DONE
    screen = Screen(options.lang, _width(), is_whole=options.all)
    lines: Any = explained_lines(found, screen) if isinstance(found, Explained) else overview_lines(found, screen)
    for line in lines:
        say(line)
    return DONE


def _width() -> int:
    from include.findings.screen import WIDTH

    return max(NARROWEST, min(WIDTH, shutil.get_terminal_size().columns)) if sys.stdout.isatty() else WIDTH
