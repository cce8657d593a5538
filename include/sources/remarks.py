"""What a reader could already say of a row, in fields of its own that begin with an underscore: problems and doubts.

`_shifted`: a line of a table has more filled cells than the heading has columns. `_shacl`: results of the card's shapes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with one field of a raw row."""

    field: str
    title: str
    problem: str
    raw: str


@dataclass(slots=True)
class Remarks:
    """Problems keep a record out, warnings go with it."""

    problems: list[Problem] = field(default_factory=list)
    warnings: tuple[str, ...] = ()


def remarks_of(row: dict[str, Any]) -> Remarks | None:
    """Return what the reader remarked on a row; None where it remarked nothing."""
    if "_shifted" not in row and "_shacl" not in row:
        return None
    found = Remarks()
    if row.get("_shifted"):
        sentence = (
            f"has {row['_shifted']} filled cells behind the last heading: a comma within a cell has shifted the line"
        )
        found.problems.append(Problem("_shifted", "整行", sentence, ""))
    doubts = set()
    for result in row.get("_shacl") or ():
        if result["severity"] == "Violation":
            found.problems.append(Problem(str(result["path"]), "形状 shapes", str(result["message"])[:300], ""))
        else:
            doubts.add("shapes")
    found.warnings = tuple(sorted(doubts))
    return found
