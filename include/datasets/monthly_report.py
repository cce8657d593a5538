"""The monthly report (月度通报) as a workbook: rates and what stands beside them, departments, open leads, trend, method.

Rates are those of the last day of the month that was judged, leads those that stand open when the report is made. Beside the
workbook lies a note of what it was made from; a report that may name what was expunged since is removed by the next publication.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Date, Engine, TextClause, bindparam, text

from include.clock import now
from include.datasets.definitions import DATASETS
from include.datasets.inputs import read_inputs
from include.datasets.ledger_state import LedgerState, ledger_state
from include.datasets.one_publisher import one_publisher
from include.datasets.releases import REPORTS, Releases
from include.errors import ConfigurationError
from include.ledger.snapshot import glance
from include.rules.workdays import Workdays

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

MOST_LEADS = 20_000
"""Leads that the workbook lists; all of them stand in the data set findings."""

TREND_DAYS = 366

COUNTS = ("passed", "warned", "failed", "unknown", "not_applicable", "waived", "settled")
_SUMS = ", ".join(f"sum(coalesce({name}, 0)) AS {name}" for name in COUNTS)
_DAYS = ("day", "first_seen_on", "since", "due_on")
_LEADS = (
    "department", "article", "rule_title", "subject", "subject_name", "outcome", "severity", "handling", "message", "first_seen_on",
    "since", "age_days", "due_on", "remedy", "responsible",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figures:
    """What a report shows. `day` is the day whose rates it shows; `leads` are cut at `MOST_LEADS` of `open_leads`."""

    month: str
    day: date
    made_at: datetime
    by_rule: pd.DataFrame
    by_department: pd.DataFrame
    leads: pd.DataFrame
    open_leads: int
    trend: pd.DataFrame
    inputs: list[dict[str, Any]]
    state: LedgerState


def file_name(month: str) -> str:
    """Return the name of the workbook of a month."""
    return f"{month}-月度通报.xlsx"


def write_report(engine: Engine, url: str, month: str) -> dict[str, Any]:
    """Write the report of a month (`2026-11`) into `reports/` of the location and return the note beside it.

    Raises `ConfigurationError` for what is no month, or one of which no day was judged.
    """
    from include.datasets.report_sheets import build

    first, last = _span(month)
    releases = Releases(url)
    with one_publisher(engine), releases.staging() as folder:
        with glance(engine) as connection:
            figures = read_figures(connection, month, first, last)
        workbook, note_file = folder / file_name(month), folder / f"{month}.json"
        build(figures).save(workbook)
        note = {
            "month": month, "day": figures.day.isoformat(), "made_at": figures.made_at.isoformat(), "file": workbook.name,
            "sha256": hashlib.sha256(workbook.read_bytes()).hexdigest(), "open_leads": figures.open_leads,
            "expunged": figures.state.expunged(),
        }  # fmt: skip
        note_file.write_text(json.dumps(note, ensure_ascii=False, indent=1) + "\n", "utf-8")
        # The note last: a new workbook under an old note is taken for an old one, and goes rather than stays.
        releases.put([workbook, note_file], REPORTS)
    log.info("report month=%s day=%s leads=%d", month, figures.day, figures.open_leads)
    return note | {"path": releases.path(f"{REPORTS}/{workbook.name}")}


def month_due(url: str, today: date, workdays: Workdays | None = None) -> str | None:
    """Return the month whose report is due and not there: the one before, from the first working day of this one on."""
    workdays = workdays or Workdays.load()
    before = today.replace(day=1) - timedelta(days=1)
    if workdays.after(before, 1).latest > today:
        return None
    month = f"{before:%Y-%m}"
    return None if file_name(month) in Releases(url).files(REPORTS) else month


def read_figures(connection: Connection, month: str, first: date, last: date) -> Figures:
    """Return the figures of a month from one state of the ledger."""
    at = now().replace(microsecond=0)
    day = connection.execute(
        text("SELECT max(day) FROM compliance_daily WHERE day BETWEEN :first AND :last"),
        {"first": str(first), "last": str(last)},
    ).scalar()
    if day is None:
        raise ConfigurationError(
            f"no day of {month} was summed up, so there is nothing to report; is publish_datasets running?"
        )
    day = date.fromisoformat(str(day))
    span = {"day": day, "first": first, "since": last - timedelta(days=TREND_DAYS)}
    by_rule = _read(
        connection, f"SELECT article, rule_title, {_SUMS} FROM compliance_daily WHERE day = :day "
        "GROUP BY rule, article, rule_title ORDER BY rule", span,
    )  # fmt: skip
    by_department = _read(
        connection, "SELECT c.department, m.opened, m.resolved, m.reopened, " + ", ".join(f"c.{n}" for n in COUNTS) + " FROM "
        f"(SELECT department, {_SUMS} FROM compliance_daily WHERE day = :day GROUP BY department) c JOIN (SELECT department, "
        "sum(opened) AS opened, sum(resolved) AS resolved, sum(reopened) AS reopened FROM compliance_daily "
        "WHERE day BETWEEN :first AND :day GROUP BY department) m ON m.department = c.department "
        "ORDER BY c.failed DESC, c.warned DESC, c.department", span,
    )  # fmt: skip
    trend = _read(
        connection, f"SELECT day, {_SUMS}, sum(opened) AS opened, sum(resolved) AS resolved FROM compliance_daily "
        "WHERE day BETWEEN :since AND :day GROUP BY day ORDER BY day", span,
    )  # fmt: skip
    open_leads = connection.execute(text(f"SELECT count(*) FROM findings WHERE {_IS_OPEN}")).scalar_one()
    leads = _read(
        connection, f"SELECT {', '.join(_LEADS)} FROM findings WHERE {_IS_OPEN} "
        f"ORDER BY department, rule, subject, finding_id LIMIT {MOST_LEADS}", {},
    )  # fmt: skip
    inputs = [one.summary() for one in read_inputs(connection, at)]
    return Figures(
        month, day, at, _with_rate(by_rule), _with_rate(by_department), _in_words(leads), open_leads, _with_rate(trend), inputs,
        ledger_state(connection),
    )  # fmt: skip


_IS_OPEN = "state = 'open' AND handling NOT IN ('waived', 'attested') AND settled_on IS NULL"


def _span(month: str) -> tuple[date, date]:
    found = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", month)
    if not found:
        raise ConfigurationError(f"{month!r} is no month; write it as 2026-11")
    year, number = int(found[1]), int(found[2])
    return date(year, number, 1), date(year, number, monthrange(year, number)[1])


def _dated(query: str, days: dict[str, date]) -> TextClause:
    """Return a query with its days, as either database compares them."""
    used = (bindparam(name, day, Date) for name, day in days.items() if f":{name}" in query)
    return text(query).bindparams(*used)


def _read(connection: Connection, query: str, days: dict[str, date]) -> pd.DataFrame:
    import pandas as pd

    frame = pd.read_sql_query(_dated(query, days), connection)
    for name in (n for n in _DAYS if n in frame):  # SQLite has them as text
        frame[name] = pd.Series([date.fromisoformat(v) if isinstance(v, str) else v for v in frame[name]], dtype=object)
    counted = [name for name in (*COUNTS, "opened", "resolved", "reopened") if name in frame]
    return frame.astype(dict.fromkeys(counted, "int64"))


def _with_rate(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the share of passes among what was judged, in percent; none where nothing was."""
    judged = frame["passed"] + frame["warned"] + frame["failed"]
    frame["pass_percent"] = (frame["passed"] * 100 / judged.where(judged > 0)).round(2)
    return frame


def _in_words(leads: pd.DataFrame) -> pd.DataFrame:
    """Put Chinese for codes, and the titles of the data set over the columns."""
    columns = {column.name: column for column in DATASETS["findings"].columns}
    for name in leads.columns:
        if labels := columns[name].labels:
            leads[name] = leads[name].map(dict(labels)).fillna(leads[name])
    return leads.rename(columns={name: columns[name].title for name in _LEADS})
