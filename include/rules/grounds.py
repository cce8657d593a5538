"""What the facts of every subject rest on beside the rows of the ledger, as one hash: it tells when all are to be looked at.

That is how far each source may be believed, who goes before whom, the parameters and words that facts are made by, and the code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from datetime import date
from functools import cache
from pathlib import Path

import orjson
from sqlalchemy import Connection, func, select

from include.ledger.alert_tables import expunged
from include.rules.approval_facts import ApprovalKinds
from include.rules.parameters import Parameters
from include.rules.register_facts import Registers

_CODE = ("rules", "ledger", "sources")
"""The packages whose code makes facts of what was read."""


def grounds(registers: Registers, parameters: Parameters, wanted: Collection[str], oldest: Iterable[date]) -> str:
    """Return the hash of what all facts rest on beside rows; `oldest` are the days that the reach of evidence is held against."""
    known, limits = registers.known, list(oldest)
    sources = [
        (
            r.source, r.entity, registers.is_fresh(r.source), r.read_in_full, r.read_on is None,
            [r.read_on < day for day in limits] if r.read_on else [], registers.authority(r.source),
            registers.groups.get(r.source),
        )
        for r in registers.readings.values()
    ]  # fmt: skip
    parts = [
        code(), sorted(wanted), sources, [list(pair) for pair in known.connection.execute(known.aliases())],
        known.listings, parameters.everything(), ApprovalKinds.load().words, gone(known.connection),
    ]  # fmt: skip
    text = orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def gone(connection: Connection) -> str:
    """Return how much was expunged, and when last: what had been worked out with it is worked out anew."""
    return str(
        tuple(connection.execute(select(func.count(), func.max(expunged.c.expunged_at)).select_from(expunged)).one())
    )


@cache
def code() -> str:
    """Return the hash of the code that makes facts."""
    whole, include = hashlib.blake2b(digest_size=16), Path(__file__).parent.parent
    for file in sorted(file for name in _CODE for file in (include / name).rglob("*.py")):
        whole.update(file.relative_to(include).as_posix().encode())
        whole.update(file.read_bytes())
    return whole.hexdigest()
