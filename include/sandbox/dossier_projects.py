"""The projects that units keep dossiers of: the digital ones of the city and the first of the counties, with life and money."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import islice

from include.sandbox.layout import Kind
from include.sandbox.lives import Life, Plant, county_life, live
from include.sandbox.records import Record, wan_yuan
from include.sandbox.systems import City

MOST_COUNTY_PROJECTS = 40
MILLION = Decimal("1000000.00")
FEN = Decimal("0.01")
AMOUNTS = {
    Plant.SPLIT: (Decimal("960000.00"), Decimal("950000.00")),
    Plant.TEST_MISSING: (Decimal("1860000.00"),),
    Plant.EXACTLY_A_MILLION: (MILLION,),
    Plant.JUST_BELOW: (Decimal("999999.99"),),
}


@dataclass(frozen=True)
class Project:
    """One project with a dossier."""

    number: int
    record: Record
    life: Life
    start: date
    systems: tuple[str, ...] = ()
    upgrades: str = ""
    is_county: bool = False

    @property
    def code(self) -> str:
        """Return its code."""
        return str(self.record["PROJECT_CODE"])

    @property
    def unit(self) -> str:
        """Return who builds it."""
        return str(self.record["ENTERPRISE"]["ENTERPRISENAME"])

    def told(self, step: str) -> date | None:
        """Return the day of a step that the unit can tell by the start day."""
        return day if (day := self.life.day(step)) <= self.start else None

    @cached_property
    def amounts(self) -> tuple[Decimal, ...]:
        """Return the amounts of its contracts in yuan."""
        for plant, amounts in AMOUNTS.items():
            if self.life.has(plant):
                return amounts
        return ((self.total * Decimal("0.8")).quantize(FEN),)

    @property
    def total(self) -> Decimal:
        """Return what the platform says that it costs, in yuan."""
        return wan_yuan(self.record["TOTAL_MONEY"]) * 10000

    @property
    def approved(self) -> Decimal:
        """Return the investment of the reply, in yuan; no contract goes beyond it."""
        return max(self.total, sum(self.amounts, Decimal(0)))

    @property
    def is_built(self) -> bool:
        """Return whether it came to a contract."""
        stops = (Plant.REPLY_RUNNING, Plant.DESIGN_RUNNING, Plant.BLANK)
        return not self.is_county and not self.life.has(*stops) and self.told("signed") is not None

    @property
    def is_accepted(self) -> bool:
        """Return whether its works were accepted or refused by the start day."""
        return self.is_built and self.told("accepted_works") is not None


def dossier_projects(city: City) -> list[Project]:
    """Return every project with a dossier: first the city's, then some of the counties'."""
    world, layout = city.world, city.world.layout
    of_project: dict[str, list[str]] = {}
    for system in city.open:
        for code in system.projects:
            of_project.setdefault(code, []).append(system.code)
    healthy, stale = _codes(city, "healthy"), _codes(city, "stale")
    found = []
    for ordinal in range(layout.digital_count):
        index = layout.digital(ordinal)
        record, life = world.recorder.record(index), live(ordinal, layout, world.recorder.updated(index))
        targets = stale if life.has(Plant.DESIGN_LATE) and stale else healthy
        upgrades = targets[ordinal % len(targets)] if record["PROJECT_NATURE"] in "12" and targets else ""
        systems = tuple(of_project.get(record["PROJECT_CODE"], ()))
        found.append(Project(ordinal, record, life, city.start, systems, upgrades))
    return [*found, *_of_counties(city)]


def _codes(city: City, profile: str) -> list[str]:
    return [system.code for system in city.open if system.profile_name == profile]


def _of_counties(city: City) -> Iterator[Project]:
    world = city.world
    indexes = (index for index in range(world.size) if world.layout.kind(index) is Kind.COUNTY_DIGITAL)
    for number, index in enumerate(islice(indexes, MOST_COUNTY_PROJECTS)):
        life = county_life(index, world.recorder.updated(index))
        yield Project(number, world.recorder.record(index), life, city.start, is_county=True)
