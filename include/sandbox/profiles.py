"""The parts that systems of the city play: a profile decides everything about one, and what is to be found of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from include.sandbox.gateway_answers import Behaviour

PASS, WARN, FAIL, UNKNOWN, NOT_APPLICABLE = "pass", "warn", "fail", "unknown", "not_applicable"
CONNECTED, REGISTERED, CLAIMED, NONE, EXEMPT = "CONNECTED", "REGISTERED", "CLAIMED", "NONE", "EXEMPT"
IDLE_CPU, IDLE_CPU_MAX = 5.0, 20.0
OVERSIZED_CPU_MAX, OVERSIZED_MEMORY = 35.0, 50.0
STALE_DAYS = 365
OBSERVED_SHARE = 0.8


class Calls(StrEnum):
    """How the system's services are called, by the exchange's call log."""

    DAILY = "daily"
    NEVER = "never"
    FLAT = "flat"
    FAILING = "failing"
    """Successful until `calls_until` days ago, failed ones since."""


class Logins(StrEnum):
    """How people log in."""

    DAILY = "daily"
    RARE = "rare"
    NEVER = "never"
    UNREPORTED = "unreported"


@dataclass(frozen=True, slots=True)
class Load:
    """Typical daily CPU mean, CPU maximum and memory maximum, in percent."""

    cpu: float
    cpu_max: float
    memory: float


BUSY, SMALL, LOW, ASLEEP = Load(34, 70, 66), Load(9, 24, 34), Load(2.4, 9, 24), Load(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Profile:
    """What is so about a system; ages are days before the start day of the sandbox, None for never."""

    status: str = "在用"
    deployment: str = "全市云平台"
    purpose: str = "普通业务"
    has_season: bool = False
    declared: str = "已联通"
    live_for: int | None = 900
    released: int | None = 60
    in_exchange: bool = True
    services: int = 1
    behaviour: Behaviour | None = Behaviour.OK
    """What its endpoint does; None: odd ones in turn."""
    calls: Calls = Calls.DAILY
    calls_until: int = 0
    calls_others: bool = False
    load: Load | None = BUSY
    busy_until: int | None = None
    """Days ago until which it was busy and used, whatever else is said."""
    observed: float = 1.0
    logins: Logins = Logins.DAILY
    exemption: tuple[str, int] | None = None
    """What it is exempt from, and in how many days that ends."""
    project: str = "digital"
    is_classified: bool = False
    interconnection: str | None = CONNECTED
    """The state to be found, once calls and a sweep of probes are known; None: the defaults do not decide."""

    @property
    def is_on_cloud(self) -> bool:
        """Return whether the city cloud runs it."""
        return self.deployment in ("全市云平台", "混合部署")


UNLISTED: dict[str, Any] = {"in_exchange": False, "services": 0, "behaviour": None, "calls": Calls.NEVER}
SLEEPS: dict[str, Any] = {"load": LOW, "calls": Calls.NEVER, "logins": Logins.NEVER}

PROFILES: dict[str, Profile] = {
    "healthy": Profile(calls_others=True),
    "idle": Profile(**SLEEPS, busy_until=45),
    "idle_but_called": Profile(load=LOW, logins=Logins.NEVER),
    "low_use": Profile(logins=Logins.RARE),
    "low_cpu_but_used": Profile(load=LOW),
    "oversized": Profile(load=SMALL),
    "stale": Profile(released=500),
    "zombie": Profile(**SLEEPS, released=800),
    "not_on_cloud": Profile(deployment="自建机房"),
    "on_other_cloud": Profile(deployment="其他云"),
    "on_both": Profile(deployment="混合部署"),
    "exempt_cloud": Profile(deployment="自建机房", exemption=("上云", 20)),
    "exempt_expired": Profile(deployment="自建机房", exemption=("上云", -20)),
    "exempt_interconnection": Profile(**UNLISTED, declared="未联通", exemption=("联通", 200), interconnection=EXEMPT),
    "exempt_idle": Profile(**SLEEPS, exemption=("闲置", 200)),
    "seasonal_out_of_season": Profile(**SLEEPS, purpose="季节性业务", has_season=True),
    "disaster_recovery": Profile(**SLEEPS, purpose="灾备"),
    "new": Profile(live_for=30, released=30, load=LOW, logins=Logins.RARE),
    "trial": Profile(status="试运行", live_for=None, released=20, load=LOW, logins=Logins.RARE),
    "building": Profile(
        **UNLISTED,
        status="在建",
        deployment="其他云",
        declared="未联通",
        live_for=None,
        released=None,
        load=None,
        logins=Logins.UNREPORTED,
        interconnection=None,
    ),
    "stopped": Profile(
        **UNLISTED,
        status="停用",
        declared="未联通",
        released=700,
        load=None,
        logins=Logins.UNREPORTED,
        interconnection=None,
    ),
    "no_metrics": Profile(load=None, calls=Calls.NEVER, logins=Logins.NEVER),
    "no_usage": Profile(load=LOW, calls=Calls.NEVER, logins=Logins.UNREPORTED),
    "missing_days": Profile(**SLEEPS, observed=2 / 3),
    "zero_metrics": Profile(load=ASLEEP, calls=Calls.NEVER, logins=Logins.NEVER),
    "connected_by_calls": Profile(behaviour=None, services=3),
    "connected_by_probe_only": Profile(calls=Calls.NEVER),
    "registered_never_called": Profile(
        calls=Calls.NEVER, behaviour=Behaviour.REFUSES, declared="未联通", interconnection=REGISTERED
    ),
    "last_success_too_old": Profile(
        calls=Calls.FAILING, calls_until=45, behaviour=Behaviour.ERROR_500, interconnection=REGISTERED
    ),
    "claimed_only": Profile(**UNLISTED, interconnection=CLAIMED),
    "none": Profile(**UNLISTED, declared="未联通", interconnection=NONE),
    "consumer_only": Profile(services=0, calls=Calls.NEVER, calls_others=True),
    "called_but_not_listed": Profile(**UNLISTED, calls_others=True, declared="未联通", interconnection="UNKNOWN"),
    "flat_traffic": Profile(calls=Calls.FLAT),
    "no_project": Profile(project="none"),
    "project_not_found": Profile(project="unknown"),
    "old_project_code": Profile(project="reissued"),
    "two_projects": Profile(project="two"),
    "classified": Profile(is_classified=True, interconnection=None),
}


def expected(profile: Profile) -> dict[str, str]:
    """Return rule → outcome by the defaults of facts.md §9.2; a rule is left out where those do not decide.

    `fail` says that the condition is met; whether a rule's own card calls that a failure or a warning is its matter.
    """
    found: dict[str, str] = {}
    if profile.interconnection:
        found["interconnection"] = profile.interconnection
    if profile.is_classified:
        return {}
    rules = ("idle", "low_use", "oversized", "stale", "zombie", "cloud")
    if profile.status in ("在建", "停用"):
        return found | dict.fromkeys(rules, NOT_APPLICABLE)
    cloud = _cloud(profile)
    if cloud:
        found["cloud"] = cloud
    if profile.purpose != "普通业务" or profile.status == "试运行" or (profile.live_for or 0) < 60:
        return found | dict.fromkeys(("idle", "low_use", "oversized", "zombie"), NOT_APPLICABLE)
    found["stale"] = FAIL if (profile.released or 0) > STALE_DAYS else PASS
    if profile.exemption and profile.exemption[0] == "闲置":
        return found | dict.fromkeys(("idle", "low_use", "oversized", "zombie"), NOT_APPLICABLE)
    found["low_use"] = _low_use(profile)
    if profile.is_on_cloud:
        idle = _idle(profile)
        is_zombie = idle == FAIL and profile.busy_until is None and FAIL in (found["low_use"], found["stale"])
        zombie = idle if idle == UNKNOWN else (FAIL if is_zombie else PASS)
        found |= {"idle": idle, "zombie": zombie, "oversized": _oversized(profile)}
    return found


def _cloud(profile: Profile) -> str | None:
    if profile.status == "试运行":
        return None
    if profile.exemption and profile.exemption[0] == "上云" and profile.exemption[1] >= 0:
        return NOT_APPLICABLE
    return {"全市云平台": PASS, "混合部署": WARN}.get(profile.deployment, FAIL)


def _low_use(profile: Profile) -> str:
    if profile.logins is Logins.UNREPORTED:
        return UNKNOWN
    is_used = profile.logins is Logins.DAILY or profile.busy_until is not None
    return PASS if is_used else FAIL


def _idle(profile: Profile) -> str:
    if profile.load is not None and (profile.load.cpu >= IDLE_CPU or profile.load.cpu_max >= IDLE_CPU_MAX):
        return PASS
    if profile.calls is not Calls.NEVER or profile.logins in (Logins.DAILY, Logins.RARE):
        return PASS
    is_observed = profile.load is not None and profile.observed >= OBSERVED_SHARE
    return FAIL if is_observed and profile.logins is not Logins.UNREPORTED else UNKNOWN


def _oversized(profile: Profile) -> str:
    if profile.load is None or profile.observed < OBSERVED_SHARE:
        return UNKNOWN
    is_small = profile.load.cpu_max < OVERSIZED_CPU_MAX and profile.load.memory < OVERSIZED_MEMORY
    return FAIL if is_small else PASS
