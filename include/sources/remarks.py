"""What a reader could already say of a row, in fields of its own that begin with an underscore: problems and doubts.

`_shifted`: a line of a table has more filled cells than the heading has columns. `_shacl`: results of the card's shapes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MARKS = frozenset({"_file", "_sheet", "_row", "_year", "_list", "_shifted", "_shacl"})
"""Fields that readers add to a row; no platform has them, so no card need name them, nor the keywords of JSON-LD (@type)."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with one field of a raw row."""

    field: str
    title: str
    problem: str
    """A Chinese sentence that names the field by its title."""
    raw: str
    fix: str
    """What to do about it, in Chinese."""


@dataclass(slots=True)
class Remarks:
    """Problems keep a record out, warnings go with it."""

    problems: list[Problem] = field(default_factory=list)
    warnings: tuple[str, ...] = ()


def remarks_of(row: dict[str, Any], titles: dict[str, str]) -> Remarks | None:
    """Return what the reader remarked on a row; None where it remarked nothing. `titles` are those of raw fields."""
    if "_shifted" not in row and "_shacl" not in row:
        return None
    found = Remarks()
    if row.get("_shifted"):
        sentence = (
            f"整行错位:最后一个表头之后还有 {row['_shifted']} 个有内容的单元格,多半是单元格里的逗号把后面的内容挤开了"
        )
        fix = "给含逗号的单元格加上双引号,或删去多余的逗号,再重新导出"
        found.problems.append(Problem("_shifted", "整行", sentence, "", fix))
    doubts = set()
    for result in _results(row.get("_shacl")):
        if result["severity"] == "violation":
            found.problems.append(_of_shape(str(result["path"]), str(result["message"])[:300], titles))
        else:
            doubts.add("shapes")
    found.warnings = tuple(sorted(doubts))
    return found


def _results(found: object) -> list[dict[str, Any]]:
    """Return the results of shapes. A document may have a field of that name, too; what is written otherwise is not ours."""
    if not isinstance(found, list):
        return []
    return [one for one in found if isinstance(one, dict) and one.keys() >= {"severity", "path", "message"}]


def _of_shape(path: str, message: str, titles: dict[str, str]) -> Problem:
    title = titles.get(path, path) or "整条记录"
    return Problem(path, title, f"“{title}”不符合形状约定:{message}", "", "按约定补全或更正该项,再重新发布")
