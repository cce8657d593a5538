"""What the tasks of `publish_datasets` do, as plain functions: sum the day up, publish, write the report, tell what was held.

The command line calls the same. Names and counts go into Airflow's own database, never a record.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any

from include.clock import now
from include.errors import NotPublished
from include.opening import ledger
from include.settings import load_settings

log = logging.getLogger(__name__)

DATASET_TITLES = {
    "projects": "政府投资项目", "approval_items": "审批事项", "systems": "信息系统", "interconnection": "互联互通",
    "usage_monthly": "系统月度使用情况",
    "resources": "政务数据资源目录", "findings": "线索台账", "compliance_daily": "每日合规情况", "dossier": "系统总档",
}  # fmt: skip
"""The data sets, as the form and the assets of the DAG name them: reading nine schemas would slow the parsing of DAG files."""


def append_compliance() -> dict[str, Any]:
    """Sum up the newest judged day; return it, or None where nothing was ever judged."""
    from include.datasets.day_sum import sum_up_newest

    day = sum_up_newest(ledger())
    return {"day": day.isoformat() if day else None}


def publish(accept: Collection[str] = (), by: str = "") -> dict[str, Any]:
    """Publish all data sets; `accept` names those that a person, `by`, lets pass their guards. Return what came of each."""
    from include.datasets.publication import publish_datasets

    published = publish_datasets(ledger(), load_settings().datasets_url, accept=accept, by=by)
    for name, holds in published.held.items():
        log.warning("未发布 %s: %s", DATASET_TITLES.get(name, name), ";".join(hold.text for hold in holds))
    return published.summary()


def write_due_report() -> dict[str, Any]:
    """Write the report of last month from the first working day on, unless it is there; return its month, or None."""
    from include.datasets.monthly_report import month_due, write_report
    from include.errors import ConfigurationError

    url = load_settings().datasets_url
    month = month_due(url, now().date())
    if month is None:
        return {"month": None}
    try:
        return {"month": month, "path": write_report(ledger(), url, month)["path"]}
    except ConfigurationError as error:  # a month before the first publication has nothing to report, and never will
        log.info("no report of %s: %s", month, error)
        return {"month": None}


def report_published(published: dict[str, Any] | None) -> dict[str, Any]:
    """Return what was published; raise `NotPublished` where something was held back, or nothing was even tried."""
    if not published:
        raise NotPublished("nothing was published; see the publish task for the cause")
    if failed := published["failed"]:
        reasons = " | ".join(f"{name}: {';'.join(published['held'][name])}" for name in failed)
        raise NotPublished(
            f"held back, their last good versions stay: {reasons}; mend the cause, or publish --accept NAME once a person looked"
        )
    return published
