"""What the limit lines hold raw records against: 20 constraints with 14 patterns, compiled once by jsonschema-rs."""

from __future__ import annotations

from typing import Any

import jsonschema_rs

_STAMP = r"^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[T ][0-2][0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]+)?$"


def _text(pattern: str | None = None, **more: int) -> dict[str, Any]:
    return {"type": "string", **({"pattern": pattern} if pattern else {}), **more}


SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["PROJECT_CODE", "PROJECT_NAME", "UPDATETIME"],
    "properties": {
        "PROJECT_CODE": _text("^[0-9]{4}-[0-9]{6}-[0-9]{2}-[0-9]{2}-[0-9]{6}$"),
        "OLD_PROJECT_CODE": _text("^([0-9]{4}-[0-9]{6}-[0-9]{2}-[0-9]{2}-[0-9]{6})?$"),
        "PROJECT_NAME": _text(minLength=2, maxLength=500),
        "PROJECT_TYPE": _text("^A[0-9]{5}$"),
        "PROJECT_NATURE": _text("^[0-9]$"),
        "DIVISION_CODE": _text("^[0-9]{6}([0-9]{6})?$"),
        "THE_INDUSTRY": _text("^A[0-9]{5}$"),
        "TOTAL_MONEY": _text(r"^[0-9][0-9,]*(\.[0-9]+)?\s*(元|万元|亿元)?$"),
        "SCALE_CONTENT": _text(maxLength=20000),
        "START_YEAR": _text("^[12][0-9]{3}$"),
        "END_YEAR": _text("^[12][0-9]{3}$"),
        "APPLY_DATE": _text(_STAMP),
        "CREATETIME": _text(_STAMP),
        "UPDATETIME": _text(_STAMP),
        "VALIDITY_FLAG": _text("^[01]$"),
        "SECRET_FLAG": _text("^[01]$"),
        "ENTERPRISE": {"type": "object", "properties": {"ENTERPRISENAME": _text(maxLength=200)}},
        "ITEMS": {"type": "array", "maxItems": 50},
    },
}
VALIDATOR = jsonschema_rs.Draft202012Validator(SCHEMA)


def problems(record: dict[str, Any]) -> str:
    """Return all that is wrong with a record, one problem a line."""
    return "\n".join(f"{'.'.join(map(str, e.instance_path))}: {e.message}" for e in VALIDATOR.iter_errors(record))
