"""Cut a page of the platform into raw records without parsing it, for the limit lines."""

from __future__ import annotations

CUT = b',{"REPORT_CODE":'
"""Every record begins with this field; no text of a record can hold these bytes unescaped."""


def slices(body: bytes) -> list[bytes]:
    """Return the records of a page as they came."""
    begin, end = body.index(b"[") + 1, body.rindex(b"]")
    first, *rest = body[begin:end].split(CUT)
    head = CUT[1:]
    return [first, *[head + part for part in rest]]


def raw_items(raw: bytes) -> str:
    """Return the JSON of a record's approval items, which are its tail: …,"ITEMS":[…]}."""
    return raw[raw.rindex(b'"ITEMS":') + 8 : -1].decode()
