"""The task that asks a named second person, or nobody where one is enough."""

from __future__ import annotations

from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk.execution_time.hitl import HITLUser

from dags.wiring.lanes import skip_unless


class AskSecondPerson(HITLOperator):
    """Ask whom the form names as `approver`: only that user can answer. Skipped where the decision needs no second person.

    The name is the user's id in Airflow, which for the simple auth manager is the user name.
    """

    def __init__(self, *, kinds: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kinds = kinds

    def execute(self, context: Any) -> Any:
        """Ask, and wait without holding a worker."""
        form = context["params"]
        skip_unless(form["kind"] in self.kinds, "this decision needs no second person")
        name = form["approver"].strip()
        self.assigned_users = [HITLUser(id=name, name=name)]
        return super().execute(context)
