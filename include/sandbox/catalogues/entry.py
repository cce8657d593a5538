"""One catalogue entry as the sandbox holds it, before any portal writes it down in its own form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from hashlib import blake2b

DATA, COMPONENT, CLOUD = "data", "component", "cloud_resource"
KINDS = (DATA, COMPONENT, CLOUD)
KIND_WORDS = {DATA: "数据", COMPONENT: "组件", CLOUD: "云资源"}
CYCLE_DAYS = {
    "realtime": 1,
    "daily": 1,
    "weekly": 7,
    "monthly": 31,
    "quarterly": 92,
    "half_yearly": 183,
    "yearly": 366,
    "two_yearly": 731,
}
"""Cycle → after how many days without new data it is missed; cycles left out are never missed."""
PLACEHOLDER = "1900-01-01"
IMPOSSIBLE = "2026-02-30"
HOST, MOVED_HOST = "data.sys-portal.invalid", "opendata.sys-city.invalid"
"""Where every address of the portals points to, and where it points to once they have moved."""
SECRET = "秘密"  # noqa: S105  a word of the data


@dataclass(frozen=True, slots=True)
class Mounted:
    """One table, file or interface through which the data is had."""

    key: str
    title: str
    access: str
    """库表, 文件 or 接口."""
    url: str
    form: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One information item."""

    name: str
    code: str
    type: str
    length: int
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of one source; dates are ISO text or "", words are as that source writes them."""

    source: str
    number: int
    key: str
    """Native identifier; municipal portals show it in an address alone."""
    kind: str
    code: str
    title: str
    unit: str
    credit: str
    system: str = ""
    projects: tuple[str, ...] = ()
    summary: str = ""
    theme: str = ""
    keywords: tuple[str, ...] = ()
    share: str = "有条件共享"
    condition: str = ""
    """The condition of sharing, or the basis of not sharing."""
    opened: str = "有条件开放"
    cycle: str = ""
    """The cycle's meaning; "" where the word means none."""
    cycle_word: str = ""
    issued: str = ""
    modified: str = ""
    updated: str = ""
    """When the data, not its entry, was last updated."""
    collection: str = ""
    mounted: tuple[Mounted, ...] = ()
    items: tuple[Item, ...] = ()
    details: tuple[tuple[str, str | int], ...] = ()
    """What a component or a cloud resource has besides."""
    secret: str = ""
    copies: int = 1
    """How often the source lists it."""

    @property
    def is_classified(self) -> bool:
        """Return whether it may show up nowhere."""
        return self.secret == SECRET

    @property
    def is_bad(self) -> bool:
        """Return whether it cannot be taken: without a title, or issued on an impossible day."""
        return not self.title or self.issued == IMPOSSIBLE

    @property
    def is_good(self) -> bool:
        """Return whether it is to be found in the ledger."""
        return not self.is_classified and not self.is_bad

    def is_overdue(self, today: date) -> bool:
        """Return whether the cycle has been missed; a placeholder or no date says nothing."""
        days, last = CYCLE_DAYS.get(self.cycle), self.updated or self.modified
        if days is None or self.kind != DATA or last in ("", PLACEHOLDER):
            return False
        return (today - date.fromisoformat(last)).days > days


def digest(*parts: object) -> str:
    """Return 32 hex digits that depend on the parts alone."""
    return blake2b("/".join(map(str, parts)).encode(), digest_size=16).hexdigest()


def uuid_of(*parts: object) -> str:
    """Return the digest written as a UUID."""
    text = digest(*parts)
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def recoined(entry: Entry) -> Entry:
    """Return the entry with another native identifier and nothing else changed."""
    return replace(entry, key=uuid_of("recoined", entry.key))


def written_out(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries as often as they are listed, repeats right behind one another."""
    return [entry for entry in entries for _ in range(entry.copies)]
