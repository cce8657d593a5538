"""How long what is kept is kept: `retention.yaml`, with the bureau's own laid over it, and the legal holds that stand above it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from include.ledger.call_sums import LOOK_BACK
from include.rules.parameters import ParameterBook
from include.sources.own_files import LaidOver, read_laid_over

SHIPPED = Path(__file__).parent / "retention.yaml"
SCHEMA = "retention.v1.json"
REFERENCE = "include/house/retention.yaml"
PROBE_WINDOW = "connected_window_days"
"""The parameter by which rules look back at probes; a last success is looked for in `LOOK_BACK` times as many days."""


@dataclass(frozen=True, slots=True)
class LegalHold:
    """What must be kept, whatever its age, until a day has passed; what is named together narrows it."""

    ground: str
    until: date
    source: str | None = None
    subject: str | None = None
    finding: str | None = None
    first: date | None = None
    last: date | None = None

    def spans(self, day: date) -> bool:
        """Return whether a day lies in the span of the hold; one without a span spans all days."""
        return self.first is None or self.last is None or self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Retention:
    """Days by kind, how far back days can be judged again, which releases stay, and the holds."""

    keep_days: Mapping[str, int]
    replay_days: int
    last_releases: int
    last_of_month: bool
    legal_holds: tuple[LegalHold, ...]

    def cutoff(self, kind: str, today: date) -> date:
        """Return the first day whose things of a kind are kept."""
        return today - timedelta(days=self.keep_days[kind])

    def holds_on(self, today: date) -> tuple[LegalHold, ...]:
        """Return the legal holds that stand on a day; the last day of a hold belongs to it."""
        return tuple(hold for hold in self.legal_holds if hold.until >= today)


def load_retention() -> Retention:
    """Return the retention that counts; raise `CardError` with file, line and fix for what is wrong in it."""
    laid = read_laid_over(SHIPPED, SCHEMA, REFERENCE)
    data = laid.data
    holds = tuple(_hold(laid, n, entry) for n, entry in enumerate(data["legal_holds"]))
    found = Retention(data["keep_days"], data["replay_days"], data["last_releases"], data["last_of_month"], holds)
    _check_probes(laid, found)
    return found


def _hold(laid: LaidOver, number: int, entry: dict[str, str]) -> LegalHold:
    try:
        until, first, last = (_day(entry.get(name)) for name in ("until", "from", "to"))
    except ValueError as error:
        raise laid.wrong(["legal_holds", number], f"a day of the hold: {error}", 'write "2027-12-31"') from error
    if first and last and first > last:
        raise laid.wrong(["legal_holds", number], f"the span ends on {last}, before it begins", "swap from and to")
    assert until is not None  # noqa: S101 - the schema requires it
    return LegalHold(
        entry["ground"], until, entry.get("source"), entry.get("subject"), entry.get("finding"), first, last
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _check_probes(laid: LaidOver, found: Retention) -> None:
    """Refuse days of probes that a day still to be judged again would miss: it would come to another result."""
    values = ParameterBook.load().values[PROBE_WINDOW]
    window = max(v.value for v in values if isinstance(v.value, int)) * LOOK_BACK
    needed = found.replay_days + window
    if found.keep_days["probe_days"] < needed:
        raise laid.wrong(
            ["keep_days", "probe_days"],
            f"probe_days is {found.keep_days['probe_days']}, and days of {found.replay_days} days ago look {window} days back",
            f"keep them for at least {needed} days, or lower replay_days",
        )  # fmt: skip
