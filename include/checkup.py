"""What `doctor` checks: that settings, cards, connections, ledger and landing zone are such that a sync can run."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import func, select

from include.clock import now
from include.connections import get_connection
from include.errors import ConfigurationError, ShuhengError
from include.house.operator_message import ways_to_operator
from include.house.retention import load_retention
from include.landing.store import LandingStore
from include.ledger.alert_tables import DEAD, incident, outbox
from include.ledger.database import open_ledger
from include.ledger.reconcile import load_scope
from include.rules.coverage import load_coverage
from include.rules.parameters import ParameterBook
from include.rules.rule_book import load_articles, load_rules
from include.rules.workdays import Workdays
from include.settings import load_settings
from include.sources.card_files import read_card
from include.sources.location import location
from include.sources.outlines import card_paths
from include.sources.probing.policy import load_policy

OLDEST_DAYS = 4
"""Days after which a data set is old: it is published on working days, and no holiday is looked up here."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `is_noted` where all is in order and somebody should still look at it."""

    name: str
    is_ok: bool
    text: str
    is_noted: bool = False


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
    checks += [
        _check("告警路由 routing", _routing),
        _check("看板地址 links", _links),
        _check("条款覆盖 coverage", _coverage),
        _check("留存规则 retention", _retention),
        _check("文件通道 spool", _spool),
        _look("未送达消息 dead letters", _dead_letters),
        _look("运行事件 incidents", _incidents),
        _look("数据集 data sets", _data_sets),
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


def _routing() -> str:
    """Return how the operator is reached; a routing that cannot be read is the finding."""
    ways = ways_to_operator()
    return f"the operator is reached by {', '.join(channel for channel, _ in ways.channels) or 'no channel'}"


def _links() -> str:
    """Return to where messages lead; without it "…另有 40 条" in a robot's message leads nowhere, which a bureau may want."""
    url = load_settings().public_url
    return f"messages lead to {url}" if url else "PUBLIC_URL is not set: messages name no page with the rest"


def _coverage() -> str:
    """Return whether every clause of the measures is held by a rule, by people, or by nothing for a reason."""
    coverage = load_coverage(load_articles(), load_rules())
    if problems := coverage.problems():
        raise ConfigurationError("; ".join(problems))
    return f"{len(coverage.clauses)} clauses, each with its rules or its reason for none"


def _retention() -> str:
    found = load_retention()
    holds = len(found.holds_on(now().date()))
    return f"raw pages are kept for {found.keep_days['landing_pages']} days; {holds} legal holds"


def _spool() -> str:
    url = load_settings().spool_url
    probe = location(url) / f".doctor-{secrets.token_hex(8)}"
    probe.parent.mkdir(parents=True, exist_ok=True)
    probe.write_bytes(b"x")
    probe.unlink()
    return f"{url} can be written"


def _dead_letters() -> tuple[str, bool]:
    query = select(outbox.c.channel, func.count()).where(outbox.c.state == DEAD).group_by(outbox.c.channel)
    with open_ledger().connect() as connection:
        found = sorted(connection.execute(query).tuples())
    said = ", ".join(f"{channel} {count}" for channel, count in found)
    return (f"messages that could not be delivered: {said}" if found else "every message was delivered or waits"), bool(
        found
    )


def _incidents() -> tuple[str, bool]:
    query = select(incident.c.pipeline, incident.c.cause).where(incident.c.resolved_at.is_(None)).distinct()
    with open_ledger().connect() as connection:
        found = sorted(connection.execute(query).tuples())
    said = ", ".join(f"{pipeline} {cause}" for pipeline, cause in found)
    return (f"open: {said}" if found else "none is open"), bool(found)


def _data_sets() -> tuple[str, bool]:
    """Return how old the published data sets are; never published is where everybody begins."""
    path = location(load_settings().datasets_url) / "current.json"
    if not path.exists():
        return "nothing was published yet", False
    moments = re.findall(r'"as_of": *"([0-9T:+.-]+)"', path.read_text("utf-8"))
    days = [(now().date() - date.fromisoformat(moment[:10])).days for moment in moments]
    if not days:
        return "current.json says of no data set when it was made", True
    return f"{len(days)} published, the oldest {max(days)} days ago", max(days) > OLDEST_DAYS


def _look(name: str, look: Callable[[], tuple[str, bool]]) -> Check:
    """Look at what is in order for the installation, and yet may want a person."""
    noted = False

    def said() -> str:
        nonlocal noted
        text, noted = look()
        return text

    check = _check(name, said)
    return replace(check, is_noted=noted)


def _check(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except ShuhengError as error:
        return Check(name, False, str(error))
    except Exception as error:  # the border of doctor: whatever is broken is its finding
        return Check(name, False, f"{type(error).__name__}: {error}")
