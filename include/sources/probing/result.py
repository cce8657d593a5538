"""What a probe and a sweep found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Outcome(StrEnum):
    """How a probe ended."""

    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    RESET = "reset"
    TIMED_OUT = "timed_out"
    NAME_UNRESOLVED = "name_unresolved"
    TLS_UNTRUSTED = "tls_untrusted"
    TLS_EXPIRED = "tls_expired"
    WRONG_STATUS = "wrong_status"
    WRONG_BODY = "wrong_body"
    REDIRECTED = "redirected"
    ADDRESS_REFUSED = "address_refused"
    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    OUT_OF_TIME = "out_of_time"
    SKIPPED_MAINTENANCE = "skipped_maintenance"

    @property
    def is_inconclusive(self) -> bool:
        """Return whether the outcome says nothing of the service: it was not asked, or its answer not read to the end."""
        return self in _INCONCLUSIVE

    @property
    def is_failure(self) -> bool:
        """Return whether the service was asked and did not answer as it should."""
        return self is not Outcome.SUCCEEDED and self not in _INCONCLUSIVE


_INCONCLUSIVE = frozenset(
    {Outcome.ADDRESS_REFUSED, Outcome.TOO_LARGE, Outcome.OUT_OF_TIME, Outcome.SKIPPED_MAINTENANCE}
)


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One probe; times in milliseconds from its start, None for what was not reached."""

    service_code: str
    outcome: Outcome
    status: int | None
    connect_ms: float | None
    first_byte_ms: float | None
    total_ms: float | None
    certificate_expires_on: date | None
    detail: str | None
    """For people, in Chinese; never more than 200 characters, and nothing of a body."""
    started_at: datetime
    tls_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """What endpoints of one host have in common: most of them fail alike, so the host is meant and none of them alone."""

    host: str
    outcome: Outcome
    endpoints: int
    """How many endpoints of the host were probed."""
    services: tuple[str, ...]
    """Those that failed in this way."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """All that one sweep found; `lag_ms`: 99 of 100 times events waited no longer for the loop to serve them."""

    sweep_id: str
    started_at: datetime
    ended_at: datetime
    results: tuple[ProbeResult, ...]
    is_cut_off: bool
    """None of the canaries answered: nothing that was found counts."""
    lag_ms: int
    causes: tuple[Cause, ...]
