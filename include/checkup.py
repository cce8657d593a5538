"""What `doctor` checks: that settings, cards, connections, ledger and landing zone are such that a sync can run."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from include.clock import now
from include.connections import get_connection
from include.errors import ShuhengError
from include.landing.store import LandingStore
from include.ledger.database import open_ledger
from include.ledger.reconcile import load_scope
from include.rules.parameters import ParameterBook
from include.rules.rule_book import load_rules
from include.rules.workdays import Workdays
from include.settings import load_settings
from include.sources.card_files import card_paths, read_card
from include.sources.probing.policy import load_policy


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    is_ok: bool
    text: str


def check_all() -> list[Check]:
    """Look at everything; one failing check never hides another."""
    checks = [
        _check("设置 settings", lambda: f"landing {load_settings().landing_url}"),
        _check("台账 ledger", lambda: f"{open_ledger().url.render_as_string(hide_password=True)} is migrated"),
        _check("落地区 landing", _landing),
        _check("对账范围 reconciliation", lambda: f"{load_scope().plan} ↔ {load_scope().platform}"),
    ]
    checks += [
        _check("规则 rules", lambda: f"{len(load_rules())} rules, each with its clause and function"),
        _check("阈值 parameters", _parameters),
        _check("工作日历 calendar", _calendar),
        _check(
            "探测 probing",
            lambda: f"{load_policy().concurrency} probes at once, {load_policy().sweep_seconds:g} s a sweep",
        ),
    ]
    for source, path in card_paths().items():
        checks.append(_check(f"卡片 {source}", lambda p=path: read_card(p).title))  # type: ignore[misc]
        if checks[-1].is_ok and read_card(path).enabled:
            name = read_card(path).connection
            checks.append(_check(f"连接 {name}", lambda n=name: f"{get_connection(n).conn_type} is defined"))  # type: ignore[misc]
    return checks


def _parameters() -> str:
    """Return whether every threshold has a value today, and which ones somebody should have looked at again."""
    book, today = ParameterBook.load(), now().date()
    count = len(book.on(today))
    overdue = ", ".join(v.name for v in book.overdue(today))
    return f"{count} thresholds have a value" + (f"; review is overdue for {overdue}" if overdue else "")


def _calendar() -> str:
    """Return until when working days are known; a year that is not loaded makes terms intervals, which is no failure."""
    workdays, year = Workdays.load(), now().year + 1
    missing = (
        "" if workdays.covers(date(year, 12, 31)) else f"; {year} is not loaded: terms that reach it are intervals"
    )
    return f"working days are known from {workdays.covered_from} to {workdays.covered_until}{missing}"


def _landing() -> str:
    url = load_settings().landing_url
    store = LandingStore(url)
    name = store.put_page("doctor", [{"probe": secrets.token_hex(8)}])
    store.get_page("doctor", name)
    store.drop_page("doctor", name)
    return f"{url} can be written and read"


def _check(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except ShuhengError as error:
        return Check(name, False, str(error))
    except Exception as error:  # the border of doctor: whatever is broken is its finding
        return Check(name, False, f"{type(error).__name__}: {error}")
