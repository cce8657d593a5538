"""Plain SQL with named values: the merge's statements share their values, and each takes those that it names."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

Bind = dict[str, Any]


def runner(connection: Connection, bind: Bind) -> Any:
    """Return a function that runs a statement with those of the values that it names."""

    def run(statement: str, **more: Any) -> Any:
        clause = text(statement)
        names = set(clause._bindparams)
        return connection.execute(clause, {k: v for k, v in {**bind, **more}.items() if k in names})

    return run
