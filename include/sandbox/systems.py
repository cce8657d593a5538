"""The information systems of the city: which there are, of whom, for which project, and what each one's profile is.

Everything comes from seed, number and start day; what happens on a day is in `city_days`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from include.sandbox import words
from include.sandbox.codes import UNUSED_DEPARTMENT, credit_code, project_code
from include.sandbox.gateway_answers import Behaviour
from include.sandbox.layout import Kind
from include.sandbox.profiles import PROFILES, Profile, expected
from include.sandbox.records import Draw, Record
from include.sandbox.world import World

LEAST, MOST = 120, 1000
FOREIGN_URLS = (
    "http://169.254.1.1/health",
    "http://10.20.30.40:8080/health",
    "http://no-such-gateway.invalid/health",
    "http://[::1]:8080/health",
    "ftp://127.80.0.1/health",
)
"""Addresses that no prober may call: link-local, private, without a name, loopback of IPv6, another scheme."""
ODD = (
    *(b for b in Behaviour if b not in (Behaviour.OK, Behaviour.SLOW)),
    *FOREIGN_URLS,
)
PLANTED = tuple(name for name in PROFILES if name != "healthy")
KINDS = ("接口", "接口", "接口", "库表", "文件")


def default_number(projects: int) -> int:
    """Return how many systems a city with so many projects has unless told."""
    return min(MOST, max(LEAST, projects // 5))


@dataclass(frozen=True, slots=True)
class Service:
    """One service of a system as the exchange lists it; `answers` is a behaviour of the gateway or a foreign address."""

    code: str
    name: str
    kind: str
    state: str
    answers: Behaviour | str


@dataclass(frozen=True)
class System:
    """One information system."""

    number: int
    profile_name: str
    code: str
    name: str
    unit: str
    credit: str
    projects: tuple[str, ...]
    users: int
    services: tuple[Service, ...]
    callers: tuple[str, ...]
    """Who calls its services."""
    resources: tuple[str, ...]

    @cached_property
    def profile(self) -> Profile:
        """Return what is so about it."""
        return PROFILES[self.profile_name]

    @property
    def is_in_files(self) -> bool:
        """Return whether its usage comes in the department's CSV instead of the statistics platform."""
        return self.unit == words.HEALTH


class City:
    """All systems of one seed, number and start day."""

    def __init__(self, world: World, number: int | None, start: date) -> None:
        self.number = default_number(world.size) if number is None else number
        if self.number < 1:
            raise ValueError(f"a city needs at least one system, not {self.number}")
        self.world, self.seed, self.start = world, world.seed, start

    @cached_property
    def systems(self) -> tuple[System, ...]:
        """Return every system, the classified ones too."""
        return tuple(self._system(number) for number in range(self.number))

    @cached_property
    def open(self) -> tuple[System, ...]:
        """Return the systems that may be shown."""
        return tuple(system for system in self.systems if not system.profile.is_classified)

    @cached_property
    def with_services(self) -> dict[str, tuple[System, Service]]:
        """Return service code → system and service, classified ones left out."""
        return {service.code: (system, service) for system in self.open for service in system.services}

    def behaviours(self) -> Iterator[tuple[str, Behaviour]]:
        """Yield what the gateway serves: every service whose address is not a foreign one."""
        for code, (_, service) in self.with_services.items():
            if isinstance(service.answers, Behaviour) and service.kind == "接口":
                yield code, service.answers

    def draw(self, *parts: object) -> Draw:
        """Return numbers that depend on the seed and these parts alone."""
        return Draw(self.seed, "city", *parts)

    def ago(self, days: int) -> date:
        """Return a day so many days before the start day."""
        return self.start - timedelta(days=days)

    def profile_name(self, number: int) -> str:
        """Return the profile of a system: three of four have a planted one, in turn."""
        return "healthy" if number % 4 == 3 else PLANTED[(number - number // 4) % len(PLANTED)]

    def code(self, number: int) -> str:
        """Return the code of a system."""
        return f"SYS2305{number:05d}"

    def _system(self, number: int) -> System:
        name = self.profile_name(number)
        profile, draw = PROFILES[name], self.draw("system", number)
        record = self._project(number)
        unit, credit = record["ENTERPRISE"]["ENTERPRISENAME"], record["ENTERPRISE"]["LEREPCERTNO"]
        if profile.project != "digital":
            place = draw.below(len(words.UNITS))
            unit, credit = words.UNITS[place], credit_code("11", f"MB{place:06d}")
        title = words.SYSTEMS[draw.below(len(words.SYSTEMS))]
        code = self.code(number)
        called = f"{unit}{title}{number + 1}号"
        if profile.is_classified:
            unit, credit = f"双鸭山市第{number}机要系统办公室", credit_code("11", f"XT{number:06d}")
            called, code = f"XK-S{number}号机要系统", f"SYS2305X{number:04d}"
        services = tuple(self._services(number, code, called, profile))
        return System(
            number, name, code, called, unit, credit, self._codes(profile, record, number),
            60 + draw.below(400), services, self._callers(number) if services else (),
            self._resources(number, profile),
        )  # fmt: skip

    def _project(self, number: int) -> Record:
        """Return a digital project; each seventh has no system, some have several."""
        layout = self.world.layout
        turn = number % (layout.digital_count - layout.digital_count // 7)
        return self.world.recorder.record(layout.digital(turn + turn // 6))

    def _codes(self, profile: Profile, record: Record, number: int) -> tuple[str, ...]:
        if profile.project == "none" or profile.is_classified:
            return ()
        if profile.project == "unknown":
            return (project_code("2609", words.CITY[0], UNUSED_DEPARTMENT, "04", self.seed * 41 + number * 70297),)
        if profile.project == "reissued" and (former := self._withdrawn(number)):
            return (former,)
        codes = [record["PROJECT_CODE"]]
        if profile.project == "two":
            codes.append(self._project(number + 1)["PROJECT_CODE"])
        return tuple(codes)

    @cached_property
    def _withdrawn_codes(self) -> list[str]:
        """Return codes that have been replaced by others; registers often keep them."""
        layout = self.world.layout
        found = (index for index in range(min(layout.size, 20_000)) if layout.kind(index) is Kind.OLD_CODE)
        return [self.world.recorder.record(index)["PROJECT_CODE"] for index in found]

    def _withdrawn(self, number: int) -> str | None:
        codes = self._withdrawn_codes
        return codes[number % len(codes)] if codes else None

    def _services(self, number: int, code: str, name: str, profile: Profile) -> Iterator[Service]:
        turn = number * 3 // 4 // len(PLANTED)
        for position in range(profile.services):
            answers: Behaviour | str = profile.behaviour or ODD[(turn * profile.services + position) % len(ODD)]
            if answers is Behaviour.OK and number % 8 == 5:
                answers = Behaviour.SLOW
            yield Service(f"s_{code[3:].lower()}_{position:03d}", f"{name}查询服务", "接口", "已发布", answers)
        if number % 4 == 3:
            kind = KINDS[number // 4 % len(KINDS)]
            state = "已停用" if number // 4 % 9 == 2 else "已发布"
            yield Service(f"s_{code[3:].lower()}_900", f"{name}数据资源", kind, state, Behaviour.OK)

    def _callers(self, number: int) -> tuple[str, ...]:
        """Return the codes of two healthy systems, never its own."""
        last = (self.number - 4) // 4
        if last < 0:
            return ()
        turns = {(number * 7 + step) % (last + 1) for step in (1, 2)}
        return tuple(self.code(turn * 4 + 3) for turn in sorted(turns) if turn * 4 + 3 != number)

    def _resources(self, number: int, profile: Profile) -> tuple[str, ...]:
        if not profile.is_on_cloud:
            return ()
        hosts = tuple(f"ecs-{self.seed}-{number:05d}-{n}" for n in range(1 + number % 2))
        return (*hosts, f"obs-{self.seed}-{number:05d}") if number % 8 == 3 else hosts

    def truth(self, urls: dict[str, str]) -> dict[str, Any]:
        """Return what is so and what is to be found, system by system."""
        hidden = [system for system in self.systems if system.profile.is_classified]
        used = {code for system in self.systems for code in system.projects}
        layout = self.world.layout
        digital = (self.world.current(layout.digital(n)) for n in range(layout.digital_count))
        return {
            "start": self.start.isoformat(),
            "systems": {
                system.code: {
                    "profile": system.profile_name,
                    "name": system.name,
                    "unit": system.unit,
                    "project_codes": list(system.projects),
                    "services": [service.code for service in system.services],
                    "resources": list(system.resources),
                    "usage_in_files": system.is_in_files,
                    "expected": expected(system.profile),
                }
                for system in self.open
            },
            "services": {
                code: {"system": system.code, "kind": service.kind, "state": service.state,
                       "answers": service.answers, "url": urls.get(code, "")}
                for code, (system, service) in self.with_services.items()
            },
            "classified": {
                "codes": sorted(system.code for system in hidden),
                "names": sorted(system.name for system in hidden),
                "units": sorted(system.unit for system in hidden),
                "services": sorted(service.code for system in hidden for service in system.services),
                "resources": sorted(code for system in hidden for code in system.resources),
            },
            "without_project": [s.code for s in self.open if not s.projects],
            "project_not_found": [s.code for s in self.open if s.profile.project == "unknown"],
            "old_project_codes": sorted({*self._withdrawn_codes} & used),
            "projects_without_system": sorted(
                record["PROJECT_CODE"] for record in digital if record["PROJECT_CODE"] not in used
            ),
        }  # fmt: skip
