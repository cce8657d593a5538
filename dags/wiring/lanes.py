"""One lane per platform pool: land, then merge, for each of its cards; with the retries that every task has.

A lane per pool because Airflow cannot map a pool; mapped over the cards because a source that fails must not stop another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from airflow.sdk import (
    ExceptionRetryPolicy,
    Param,
    RetryAction,
    RetryRule,
    get_current_context,
    task_group,
)
from airflow.sdk.exceptions import AirflowSkipException

from dags.wiring.handing_over import task
from dags.wiring.health import ON_TASK_FAILURE
from include import tasks
from include.errors import Permanent, Retryable
from include.sources.outlines import Outline

RETRY = ExceptionRetryPolicy(
    rules=[
        RetryRule(exception=Permanent, action=RetryAction.FAIL, reason="重试无用,需人工处理"),
        RetryRule(
            exception=Retryable, action=RetryAction.RETRY, retry_delay=timedelta(minutes=1), reason="对方暂不可用"
        ),
    ]
)
DEFAULTS = {
    "owner": "data-bureau", "retries": 3, "retry_delay": timedelta(minutes=1),
    "retry_policy": RETRY, "execution_timeout": timedelta(hours=6), "on_failure_callback": ON_TASK_FAILURE,
}  # fmt: skip


JUDGED_DAY = Param(
    None, type=["null", "string"], format="date", title="评判日",
    description="空为今天;过去的日子按当时已知的证据重新评判,不读取、不探测",
)  # fmt: skip
"""The day that a judging run is asked for."""


def skip_unless(condition: bool, reason: str) -> None:
    """End the task as skipped, with a reason that its log shows."""
    if not condition:
        raise AirflowSkipException(reason)


def read_today(context: Any, source: str) -> dict[str, Any]:
    """Return how a judging run reads a source: as it is due; a past day is judged from kept evidence and reads nothing."""
    skip_unless(tasks.is_today(tasks.day_of_run(context)), "a past day is judged from kept evidence")
    return {"mode": "auto"}


def sync_lanes(
    cards: Sequence[Outline],
    asked: Callable[[Any, str], dict[str, Any]],
    land_source: Callable[..., dict[str, Any]] = tasks.land_source,
    begin: Callable[[], Any] | None = None,
) -> list[Any]:
    """Wire one lane per pool of these cards and return what they hand over, for `tasks.flatten`.

    `asked` tells from the run's context how a source is to be read, as arguments of `land_source`, or skips it. `begin` is a
    task before all lanes: where it is skipped so are they, without a process for every source.
    """
    begun = begin() if begin else None
    titles = {c.source: c.title for c in cards}

    def lane(pool: str) -> Any:
        @task(pool=pool, task_display_name="读取并落地", map_index_template="{{ shown }}")
        def land(source: str) -> dict[str, Any]:
            context = get_current_context()
            context["shown"] = titles[source]
            return land_source(source, **asked(context, source))

        @task(task_display_name="并入台账", map_index_template="{{ shown }}")
        def merge(batch: dict[str, Any]) -> dict[str, Any]:
            get_current_context()["shown"] = titles[batch["source"]]
            return tasks.merge_source(batch)

        @task_group(group_id=pool, group_display_name="、".join(c.title for c in cards if c.pool == pool))
        def sync_source(source: str) -> Any:
            landed = land(source)
            if begun is not None:
                begun >> landed
            return merge(landed)

        return sync_source.expand(source=[c.source for c in cards if c.pool == pool])

    return [lane(pool) for pool in sorted({c.pool for c in cards})]
