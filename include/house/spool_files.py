"""Which files of the spool may go: those of old days, and those of messages that the outbox no longer has (they were forgotten)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from include.house.legal_holds import Held, resolve
from include.house.messages import is_held
from include.house.removal import House, Plan, Thing
from include.ledger.alert_tables import outbox
from include.sources.location import file_at, is_local, location

KIND = "spool_files"
_NUMBER = re.compile(r"[0-9a-f]{8,32}(?=\.|$)")
"""A file is named by the beginning of its message's id."""


def plan_spool(house: House) -> Plan:
    """Return the files below `<day>/` that may go; what lies elsewhere in the folder is not ours."""
    cutoff = house.retention.cutoff(KIND, house.today)
    with house.engine.connect() as connection:
        holds = resolve(connection, house.retention.holds_on(house.today))
        query = select(outbox.c.message_id, outbox.c.finding_ids, outbox.c.decided_at)
        known = {row.message_id[:8]: row for row in connection.execute(query)}
    things: list[Thing] = []
    stays = 0
    for day, path in _files(house):
        number = _NUMBER.match(path.name)
        message = known.get(number[0][:8]) if number else None
        if number and message is None:
            things.append(_thing(house, path, "message_forgotten"))
        elif day < cutoff:
            is_kept = _is_held(holds, message, day)
            stays += is_kept
            if not is_kept:
                things.append(_thing(house, path, "older_than_kept"))
    return Plan(KIND, things, {"legal_hold": stays} if stays else {})


def _is_held(holds: Sequence[Held], message: Any, day: date) -> bool:
    if message is None:
        return any(held.keeps_day(day) for held in holds)
    return is_held(holds, message.finding_ids, message.decided_at)


def _files(house: House) -> Iterator[tuple[date, Any]]:
    root = location(house.spool_url)
    if not root.exists():
        return
    for folder in sorted(root.iterdir(), key=lambda path: path.name):
        try:
            day = date.fromisoformat(folder.name)
        except ValueError:
            continue
        for path in sorted(folder.rglob("*"), key=str):
            if path.is_file():
                yield day, path


def _thing(house: House, path: Any, reason: str) -> Thing:
    content = path.read_bytes()
    return Thing((str(path),), hashlib.sha256(content).hexdigest(), reason, "", len(content))


def remove_spool(house: House, things: Sequence[Thing]) -> None:
    """Remove files, then the folders that are empty."""
    folders = set()
    root = location(house.spool_url)
    for thing in things:
        path = file_at(thing.name[0])
        path.unlink(missing_ok=True)
        folders |= set(path.parents) - {root, *root.parents}
    for folder in sorted(folders, key=lambda path: -len(path.parts)):
        if is_local(house.spool_url) and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
