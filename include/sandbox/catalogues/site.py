"""All catalogues of one sandbox: the portals, the files and the tables over one world of entries."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from sqlalchemy.engine import Engine
from starlette.routing import Route

from include.sandbox.catalogues.ckan import Ckan
from include.sandbox.catalogues.datajson import DataJson
from include.sandbox.catalogues.dcat import Dcat
from include.sandbox.catalogues.exchange_catalogue import ExchangeCatalogue
from include.sandbox.catalogues.files import FOLDER, write_catalogues
from include.sandbox.catalogues.frontdb import append_catalogue, write_catalogue
from include.sandbox.catalogues.motion import Movement, advance
from include.sandbox.catalogues.municipal import Municipal
from include.sandbox.catalogues.system_entries import COMPONENT_FILE, FRONTDB, WORKBOOK
from include.sandbox.catalogues.world import CatalogueWorld
from include.sandbox.city_days import Days
from include.sandbox.faults import Faults
from include.sandbox.signing import ExchangeGate
from include.sandbox.systems import City


class Catalogues:
    """The stand-ins of everything that lists catalogue entries."""

    def __init__(
        self, city: City, number: int, days: Days, gate: ExchangeGate, faults: Faults, calls: Counter[str]
    ) -> None:
        self.world = CatalogueWorld(city, number)
        self.portals = (
            ExchangeCatalogue(self.world, days, gate, faults, calls),
            *(portal(self.world, days, faults, calls) for portal in (Ckan, Dcat, DataJson, Municipal)),
        )

    def routes(self) -> list[Route]:
        """Return the addresses of all portals."""
        return [route for portal in self.portals for route in portal.routes()]

    def write_files(self, home: Path) -> None:
        """Write the departments' files."""
        write_catalogues(self.world, home / FOLDER)

    def write_tables(self, engine: Engine) -> None:
        """Write the tables of the front-end database."""
        write_catalogue(engine, self.world)

    def advance(self, wanted: dict[str, float], day: str, home: Path | None, engine: Engine | None) -> Movement:
        """Move the catalogues one day on, files and tables too where something in them has moved."""
        moved = advance(self.world, wanted, day)
        changed = {(one["source"], one["code"]) for one in moved["changed"]}
        if home and {source for source, _ in changed} & {WORKBOOK, COMPONENT_FILE}:
            self.write_files(home)
        if engine:
            append_catalogue(engine, self.world, (code for source, code in changed if source == FRONTDB))
        return moved
