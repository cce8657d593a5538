"""Project codes of both generations, and the check digits of codes.

GB/T 40058-2021 writes `YYMM-AAAAAA-DD-TT-RRRRRC` (month, division, guiding department, type, random, check digit);
codes of 2015-2020 are `YYYY-AAAAAA-HH-TT-NNNNNN` (year, division, industry, type, serial) and carry no check digit.
python-stdnum is imported when a check digit is asked for: it brings pydoc, a fifth of all that starting up costs us.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

_WANTED = "a project code like 2611-230500-04-04-000018"
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−－﹣﹘ー_"), "-")
_HYPHENED = re.compile(r"\d{4}-\d{6}-\d{2}-\d{2}-\d{6}", re.ASCII)
_BARE = re.compile(r"\d{20}", re.ASCII)
_NOISE = re.compile(r"[\s\u200b-\u200f\u2060\ufeff\x00]+")
LEGACY_YEARS = range(2015, 2021)
"""With which codes of the older form begin."""

_SWITCH_MONTH = "2012"
"""December 2020 in the present form and the year 2012 in the old one; only the check digit can tell."""


@dataclass(frozen=True, slots=True)
class ProjectCode:
    """A project code that was read; `check` is "none" for the old form, which has no check digit."""

    text: str
    form: Literal["gb40058", "legacy"]
    year: int
    month: int | None
    division: str
    check: Literal["ok", "failed", "none"]


def parse_project_code(text: str) -> ProjectCode:
    """Read a project code of either form.

    A failing check digit is a finding about the platform's data and no error: the code still identifies the project.

    Raises:
        ValueError: it is no project code in either form.
    """
    from stdnum.iso7064 import mod_11_10

    code = normalise_project_code(text)
    head, month, division = code[:4], int(code[2:4]), code[5:11]
    if int(head) in LEGACY_YEARS:
        return ProjectCode(code, "legacy", int(head), None, division, "none")
    passed = mod_11_10.is_valid(code.replace("-", ""))
    if head == _SWITCH_MONTH and not passed:
        return ProjectCode(code, "legacy", 2012, None, division, "none")
    if not 1 <= month <= 12:
        raise ValueError(f"wanted {_WANTED}, but {code!r} begins with neither a year 2015-2020 nor a month 01-12")
    return ProjectCode(code, "gb40058", 2000 + int(code[:2]), month, division, "ok" if passed else "failed")


def normalise_project_code(text: str) -> str:
    """Return the code with ASCII digits and hyphens in their places; raises `ValueError` if it is none."""
    code = _NOISE.sub("", unicodedata.normalize("NFKC", text)).translate(_DASHES)
    if _BARE.fullmatch(code):
        code = f"{code[:4]}-{code[4:10]}-{code[10:12]}-{code[12:14]}-{code[14:]}"
    if not _HYPHENED.fullmatch(code):
        raise ValueError(f"wanted {_WANTED}, found {text[:40]!r}")
    return code


@lru_cache(maxsize=16_384)
def uscc_check(text: str) -> Literal["ok", "failed"]:
    """Return whether a unified social credit code (统一社会信用代码) satisfies its check character (GB 32100-2015)."""
    from stdnum.cn import uscc
    from stdnum.exceptions import ValidationError

    try:
        uscc.validate(text)
    except ValidationError:
        return "failed"
    return "ok"
