"""How large a page may be whose rows come without an answer to measure, as those of a database do."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import orjson

from include.errors import LimitExceeded


def sized(rows: list[dict[str, Any]], page_bytes: int) -> list[dict[str, Any]]:
    """Return the rows; raises `LimitExceeded` where they are larger as JSON than `page_bytes`."""
    with suppress(orjson.JSONEncodeError):  # what cannot be written as JSON is refused with its page
        if len(orjson.dumps(rows)) > page_bytes:
            raise LimitExceeded(
                f"the rows of a page are larger than {page_bytes} bytes (page_bytes); lower page_size, or raise the limit in "
                "the card"
            )
    return rows
