"""Made-up identifiers that pass their checks: project codes (ISO 7064 MOD 11,10), credit codes (GB 32100)."""

from __future__ import annotations

from functools import lru_cache

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
ORGANISATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
GUIDING_DEPARTMENTS = ("04", "89", "07", "11", "18", "13", "20", "15", "09", "17", "21", "33")
UNUSED_DEPARTMENT = "05"
"""No project of the world carries it, so codes with it are valid and on no platform."""


def check_digit(digits: str) -> str:
    """Return the ISO 7064 MOD 11,10 check digit of a row of digits."""
    check = 5
    for digit in digits:
        check = (((check or 10) * 2) % 11 + int(digit)) % 10
    return str((1 - ((check or 10) * 2) % 11) % 10)


def project_code(year_month: str, division: str, department: str, kind: str, serial: int) -> str:
    """Return a valid new-form code, e.g. 2611-230500-04-04-000018."""
    body = f"{serial % 100000:05d}"
    check = check_digit(f"{year_month}{division}{department}{kind}{body}")
    return f"{year_month}-{division}-{department}-{kind}-{body}{check}"


def old_project_code(year: int, division: str, industry: str, kind: str, serial: int) -> str:
    """Return a code of the form used before November 2020; it has no check digit."""
    return f"{year}-{division}-{industry}-{kind}-{serial % 1000000:06d}"


def spoilt(code: str) -> str:
    """Return the code with another last digit, so that its check fails."""
    return f"{code[:-1]}{(int(code[-1]) + 3) % 10}"


@lru_cache(maxsize=8192)
def credit_code(prefix: str, body: str) -> str:
    """Return a 统一社会信用代码: kind of body (2), division (6), organisation (8 + its check), check."""
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(ORGANISATION_ALPHABET.index(c) * w for c, w in zip(body, weights, strict=True))
    organisation = body + "0123456789X0"[(11 - total % 11) % 11]
    front = f"{prefix}230500{organisation}"
    total = sum(USCC_ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(front))
    return front + USCC_ALPHABET[(31 - total % 31) % 31]
