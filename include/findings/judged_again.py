"""One verdict worked out again from what its last evaluation knew, because the ledger keeps it as it was when it last changed.

So its steps, facts and figures are those of the last evaluation, at the cost of one rule's facts. Writes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping

from include.errors import ShuhengError
from include.rules.evaluation import Judging, Knowledge
from include.rules.parameters import ParameterBook
from include.rules.rule import Rule


def judged_again(connection: Connection, rule: Rule, subject: str, evaluated: RowMapping) -> Mapping[str, Any] | None:
    """Return the verdict as JSON has it; None where the subject is judged no more or the rule breaks on it."""
    known, day = Knowledge.read(evaluated["known"]), evaluated["day"]
    try:
        found = Judging(connection, evaluated["scope"], [rule], ParameterBook.load(), day, known).judge(rule, subject)
    except ShuhengError:
        return None
    body: Mapping[str, Any] | None = json.loads(found.canonical()) if found else None
    return body
