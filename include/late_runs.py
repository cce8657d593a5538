"""The callback of a run's deadline, by itself: Airflow imports it whenever it parses a DAG's file, which needs no ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

_OVER = ("success", "failed")
"""The states in which a run has come to its end."""


async def note_late(pipeline: str, minutes: int, context: Mapping[str, Any] | None = None) -> None:
    """Write down that a run has been going on for longer than it should: called in the triggerer.

    Airflow keeps the deadline of a run that failed before it; how the run stands is in the `context` that it hands over.
    """
    if ((context or {}).get("dag_run") or {}).get("state") in _OVER:
        return
    # The triggerer has one loop for all that waits in it: a ledger that is slow must not stop it.
    await asyncio.to_thread(_note, pipeline, minutes)


def _note(pipeline: str, minutes: int) -> None:
    from include.health_notes import note_lateness

    note_lateness(pipeline, minutes)
