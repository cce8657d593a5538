"""One sandbox: a world and a city, their platforms, a front-end database, files, gateways and the control desk."""

from __future__ import annotations

import secrets
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.engine import Engine
from starlette.applications import Starlette

from include.sandbox.catalogues.files import FOLDER
from include.sandbox.catalogues.motion import check
from include.sandbox.catalogues.portal_entries import DEFAULT_NUMBER
from include.sandbox.catalogues.site import Catalogues
from include.sandbox.catalogues.truth import catalogue_truth
from include.sandbox.channels.keys import ChannelKeys
from include.sandbox.channels.site import Channels
from include.sandbox.city_days import Days, shanghai_day
from include.sandbox.city_signing import SmGate, TifGate
from include.sandbox.cloud import CityCloud
from include.sandbox.control import Control
from include.sandbox.dossier_truth import dossier_truth
from include.sandbox.dossiers import Dossiers, write_dossiers
from include.sandbox.exchange import SIDS, Exchange
from include.sandbox.faults import Fault, Faults
from include.sandbox.frontdb import append_changes, frontdb_truth, write_frontdb
from include.sandbox.gateway import Behaviour, Gateway
from include.sandbox.motion import Movement, advance
from include.sandbox.payments import payments_truth, write_payments
from include.sandbox.plan import plan_entries, plan_truth, write_plans
from include.sandbox.provincial import Provincial
from include.sandbox.register import write_register, write_usage
from include.sandbox.signing import ExchangeGate, IrsGate
from include.sandbox.systems import City
from include.sandbox.truth import Counting, Truth, whole_truth
from include.sandbox.usage import UsageStatistics
from include.sandbox.world import World
from include.sandbox.zhejiang import Zhejiang

DEFAULT_SID = "s_230000_0001"
GATEWAY_ADDRESSES = 40
START_FILE = "start-day.txt"


@dataclass(frozen=True)
class Options:
    """What a sandbox is made of; keys left out are random."""

    projects: int = 200
    seed: int = 7
    zj_projects: int = 500
    frontdb_projects: int = 300
    secret_seconds: float = 3600.0
    systems: int | None = None
    """How many information systems the city has; None: a fifth of the projects, within bounds."""
    today: date | None = None
    """The day from which ages in the city are counted; None: the home's own first day, or today in Asia/Shanghai."""
    catalogue_entries: int = DEFAULT_NUMBER
    """How many entries each portal of catalogues lists."""
    gateway_port: int = 0
    home: Path | None = None
    """Where the front-end database, the plans, the register and the usage files are written; none are without it."""
    frontdb_url: str | None = None
    rid: str = field(default_factory=lambda: str(uuid.uuid4()))
    sid: str = DEFAULT_SID
    appkey: str = field(default_factory=lambda: secrets.token_hex(16))
    zj_app_key: str = field(default_factory=lambda: secrets.token_hex(8))
    zj_app_secret: str = field(default_factory=lambda: secrets.token_hex(16))
    exchange_rid: str = field(default_factory=lambda: str(uuid.uuid4()))
    exchange_appkey: str = field(default_factory=lambda: secrets.token_hex(16))
    cloud_paasid: str = field(default_factory=lambda: f"paas-{secrets.token_hex(4)}")
    cloud_token: str = field(default_factory=lambda: secrets.token_hex(16))
    usage_app_key: str = field(default_factory=lambda: secrets.token_hex(8))
    usage_app_secret: str = field(default_factory=lambda: secrets.token_hex(16))
    control_token: str = field(default_factory=lambda: secrets.token_hex(16))
    channels: ChannelKeys = field(default_factory=ChannelKeys)


class Sandbox:
    """The stand-ins of the outside world over one world of data."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.world = World(options.projects, options.seed)
        self.faults = Faults()
        self.calls: Counter[str] = Counter()
        self.provincial_gate = ExchangeGate(options.rid, (options.sid,), options.appkey, options.secret_seconds)
        self.irs = IrsGate(options.zj_app_key, options.zj_app_secret, options.secret_seconds)
        self.provincial = Provincial(self.world, self.provincial_gate, self.faults, self.calls)
        self.zhejiang = Zhejiang(self.world, options.zj_projects, self.irs, self.faults, self.calls)
        self.counting = Counting(self.world)
        self.city = City(self.world, options.systems, _start_day(options))
        self.dossiers = Dossiers(self.city)
        self.days = Days(self.city)
        self.gateway = Gateway(
            dict(self.city.behaviours()),
            addresses=GATEWAY_ADDRESSES,
            port=options.gateway_port,
            override=lambda: Behaviour.HANGS if self.faults.is_gateway_down() else None,
        )
        self._open_city()
        self.channels = Channels(options.channels, self.faults, self.calls)
        self.plans: list[Path] = []
        self.engine: Engine | None = None
        self._plan_truth: Truth | None = None

    def _open_city(self) -> None:
        """Make the city's platforms."""
        options, shared = self.options, (self.faults, self.calls)
        rid, appkey = options.exchange_rid, options.exchange_appkey
        self.exchange_gate = ExchangeGate(rid, tuple(SIDS.values()), appkey, options.secret_seconds)
        self.service_urls: dict[str, str] = {}
        self.exchange = Exchange(self.city, self.days, self.exchange_gate, *shared, self.service_urls)
        self.cloud = CityCloud(self.city, self.days, TifGate(options.cloud_paasid, options.cloud_token), *shared)
        self.usage = UsageStatistics(self.days, SmGate(options.usage_app_key, options.usage_app_secret), *shared)
        self.catalogues = Catalogues(self.city, options.catalogue_entries, self.days, self.exchange_gate, *shared)

    @contextmanager
    def serving_gateway(self) -> Iterator[None]:
        """Serve the services of the city, and the mail server, while the context lasts."""
        with self.gateway, self.channels.serving():
            foreign = {code: str(service.answers) for code, (_, service) in self.city.with_services.items()}
            self.service_urls.update(foreign | self.gateway.urls)
            yield

    def write_files(self) -> None:
        """Write the front-end database and the files, where there is a place for them."""
        home, url = self.options.home, self.options.frontdb_url
        if home:
            home.mkdir(parents=True, exist_ok=True)
            self.plans = write_plans(plan_entries(self.world.recorder), home / "plans")
            (home / START_FILE).write_text(f"{self.city.start}\n", "ascii")
            write_register(self.city, home / "register")
            write_dossiers(self.dossiers, home / "dossiers")
            self.write_usage()
            self.catalogues.write_files(home)
            url = url or f"sqlite:///{(home / 'frontdb.sqlite').resolve()}"
        if url:
            self.engine = create_engine(url)
            write_frontdb(self.engine, self.world, self.options.frontdb_projects)
            self.catalogues.write_tables(self.engine)
            write_payments(self.engine, self.dossiers)

    def write_usage(self) -> None:
        """Write the usage files up to yesterday."""
        if self.options.home:
            write_usage(self.days, self.options.home / "usage", shanghai_day(time.time_ns() // 1_000_000))

    def application(self) -> Starlette:
        """Return the ASGI application of all addresses."""
        served = (self.provincial, self.zhejiang, self.exchange, self.cloud, self.usage, self.channels, Control(self))
        routes = [route for platform in served for route in platform.routes()]
        return Starlette(routes=[*routes, *self.catalogues.routes()])

    def advance(self, wanted: dict[str, Any]) -> Movement:
        """Move time one day on, in the front-end database too; the usage files are written up to yesterday."""
        self.write_usage()
        of_catalogues = check(wanted["catalogue"]) if "catalogue" in wanted else None
        wanted = {name: value for name, value in wanted.items() if name != "catalogue"}
        with self.world.lock:
            movement = advance(self.world, wanted)
            if self.engine:
                limit, today = self.options.frontdb_projects, f"{self.world.day:%Y-%m-%d}"
                moved = [
                    index
                    for index, record in self.world.changed.items()
                    if index < limit and record["UPDATETIME"].startswith(today)
                ]
                append_changes(self.engine, self.world, moved)
        if of_catalogues is not None:
            day = movement["day"]
            movement["catalogue"] = self.catalogues.advance(of_catalogues, day, self.options.home, self.engine)
        return movement

    def truth(self) -> Truth:
        """Return what the data really holds today."""
        if self._plan_truth is None:
            self._plan_truth = plan_truth(plan_entries(self.world.recorder), self.world.recorder)
        truth = whole_truth(self.counting, self.options.zj_projects)
        truth["systems"] = self.city.truth(self.service_urls)
        truth["dossiers"] = dossier_truth(self.dossiers)
        truth["catalogues"] = catalogue_truth(self.catalogues.world)
        truth["plan"] = {**self._plan_truth, "files": [str(path) for path in self.plans]}
        if self.engine:
            truth["frontdb"] = frontdb_truth(self.engine, self.world, self.options.frontdb_projects)
            truth["dossiers"] |= {"frontdb": payments_truth(self.dossiers)}
        return truth

    def rotate(self) -> None:
        """End every secret handed out so far."""
        self.provincial_gate.secret.rotate()
        self.exchange_gate.secret.rotate()
        self.irs.request.rotate()

    def fault(
        self, scenario: str, platform: str = "provincial", page: int | None = None, times: int = 1, call: str = ""
    ) -> None:
        """Put a fault in force."""
        self.faults.add(Fault(scenario, platform, page, times, call=call))

    def described(self, url: str) -> dict[str, Any]:
        """Return what a caller needs to know: addresses and keys."""
        options = self.options
        home = options.home.resolve() if options.home else None
        return {
            "ready": True,
            "url": url,
            "projects": options.projects,
            "seed": options.seed,
            "provincial": {"rid": options.rid, "sid": options.sid, "appkey": options.appkey},
            "zj": {"app_key": options.zj_app_key, "app_secret": options.zj_app_secret},
            "exchange": {"rid": options.exchange_rid, "appkey": options.exchange_appkey},
            "cloud": {"paasid": options.cloud_paasid, "token": options.cloud_token},
            "usage": {"app_key": options.usage_app_key, "app_secret": options.usage_app_secret},
            "gateway": {"ca_file": str(self.gateway.ca_file), "addresses": self.gateway.addresses},
            "systems": self.city.number,
            "today": self.city.start.isoformat(),
            "register": str(home / "register") if home else None,
            "dossiers": str(home / "dossiers") if home else None,
            "usage_files": str(home / "usage") if home else None,
            "catalogues": {"workbooks": str(home / FOLDER) if home else None, "entries": options.catalogue_entries},
            "channels": self.channels.described(),
            "control_token": options.control_token,
            "frontdb": self.engine.url.render_as_string(hide_password=True) if self.engine else None,
            "plans": str(self.plans[0].parent.resolve()) if self.plans else None,
        }


def _start_day(options: Options) -> date:
    """Return the day given, or that of an earlier sandbox in the same home, or today in Asia/Shanghai."""
    if options.today:
        return options.today
    file = options.home / START_FILE if options.home else None
    if file and file.exists():
        return date.fromisoformat(file.read_text("ascii").strip())
    return shanghai_day(time.time_ns() // 1_000_000)
