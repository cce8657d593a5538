"""The `@task` of these DAGs: what a task returns is handed over as one value."""

from __future__ import annotations

from functools import partial

from airflow.sdk import task as airflow_task

# Of a function that returns a dictionary Airflow would store every key a second time, one call of its API each; nothing
# here reads a single key.
task = partial(airflow_task, multiple_outputs=False)
"""Airflow's decorator; takes the same arguments, and always in parentheses."""
