"""Every error the pipelines raise on purpose.

ShuhengError                      data in attributes, no side effects
├── Permanent                     a retry cannot help: a person must act
│   ├── ConfigurationError        settings, connections, arguments
│   │   └── CardError             a card of ours is wrong: file, line, fix
│   ├── AddressRefused            the address is outside what the card allows
│   ├── SourceRefused             the platform answered and said no
│   │   └── ClockSkew             it said no because the clocks differ
│   ├── SourceMalformed           the answer cannot be read (HTML, cut JSON, wrong shape)
│   ├── LimitExceeded             the answer is larger, longer or slower than the card allows
│   ├── LandingCorrupt            a landed page does not match its hash, or is gone
│   ├── LedgerNotMigrated         the schema of the ledger is not the one of this code
│   ├── BatchSuperseded           a newer batch of the source was merged already
│   ├── RuleCrashed               a rule's function broke: no verdict, nothing concluded
│   └── DecisionRefused           what a person wants to decide about findings may not be decided so
└── Retryable                     the same call may succeed later
    ├── SourceUnreachable         no connection, reset, time-out, HTTP 5xx
    ├── SourceThrottled           HTTP 429 or the platform's own word for it
    ├── LedgerUnreachable         the ledger's database does not answer
    └── SecondProcessLost         the process that works beside a large load ended early
"""

from __future__ import annotations


class ShuhengError(Exception):
    """Base of the errors raised on purpose."""


class Permanent(ShuhengError):
    """A retry cannot help: a person must act."""


class Retryable(ShuhengError):
    """The same call may succeed later."""


class ConfigurationError(Permanent):
    """A setting, a connection or an argument is missing or wrong."""


class CardError(ConfigurationError):
    """A card is wrong; says in which file and line and how to fix it."""

    def __init__(self, file: str, line: int, problem: str, fix: str) -> None:
        super().__init__(f"{file}:{line}: {problem}. Fix: {fix}")
        self.file, self.line, self.problem, self.fix = file, line, problem, fix

    def __reduce__(self) -> tuple[type, tuple[str, int, str, str]]:
        return type(self), (self.file, self.line, self.problem, self.fix)


class AddressRefused(Permanent):
    """An address is outside what the card allows (loopback, link-local, private, other host)."""


class SourceRefused(Permanent):
    """The platform answered and said no: wrong credentials, unknown caller, bad request."""

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class ClockSkew(SourceRefused):
    """The platform refused the signature because its clock and ours differ."""


class SourceMalformed(Permanent):
    """The answer cannot be read: HTML with status 200, cut JSON, a missing path."""


class LimitExceeded(Permanent):
    """The answer is larger, longer or slower than the card allows."""


class LandingCorrupt(Permanent):
    """A landed page does not match its hash, or is gone."""


class LedgerNotMigrated(Permanent):
    """The ledger's schema is not the one this code was written for."""


class BatchSuperseded(Permanent):
    """A newer batch of the same source was merged already; merging this one would go back in time."""


class RuleCrashed(Permanent):
    """The function of a rule broke; the subject has no verdict of it, and its findings stay as they are."""


class DecisionRefused(Permanent):
    """What a person wants to decide about findings may not be decided so, or was not approved; nothing was recorded."""


class ChannelRefused(Permanent):
    """A channel answered that it does not take a message (also with HTTP 200), or the message cannot be put into its form."""


class MessageRefused(ChannelRefused):
    """A channel that works does not take this one message, as a mail none of whose addresses is accepted."""


class NotDelivered(Permanent):
    """Messages are dead or a channel lets nothing through; what could be delivered was."""


class NotPublished(Permanent):
    """Data sets failed their schema or a guard and were not published; their last good versions stay."""


class ChannelUnreachable(Retryable):
    """A channel gave no answer, broke off, or answered with HTTP 5xx: whether it has the message is not known."""


class ChannelThrottled(Retryable):
    """A channel asks to slow down; `retry_after` is in seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SourceUnreachable(Retryable):
    """No connection, a reset, a time-out or an HTTP 5xx answer."""


class SourceThrottled(Retryable):
    """The platform asks to slow down; `retry_after` is in seconds where it says."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class LedgerUnreachable(Retryable):
    """The ledger's database does not answer."""


class SecondProcessLost(Retryable):
    """The process that works beside a large load ended early; the step may be tried again."""
