"""One sandbox: a world, two platforms, a front-end database, the plan workbooks and the control desk."""

from __future__ import annotations

import secrets
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.engine import Engine
from starlette.applications import Starlette

from include.sandbox.control import Control
from include.sandbox.faults import Fault, Faults
from include.sandbox.frontdb import append_changes, frontdb_truth, write_frontdb
from include.sandbox.motion import Movement, advance
from include.sandbox.plan import plan_entries, plan_truth, write_plans
from include.sandbox.provincial import Provincial
from include.sandbox.signing import ExchangeGate, IrsGate
from include.sandbox.truth import Counting, Truth, whole_truth
from include.sandbox.world import World
from include.sandbox.zhejiang import Zhejiang

DEFAULT_SID = "s_230000_0001"


@dataclass(frozen=True)
class Options:
    """What a sandbox is made of; keys left out are random."""

    projects: int = 200
    seed: int = 7
    zj_projects: int = 500
    frontdb_projects: int = 300
    secret_seconds: float = 3600.0
    home: Path | None = None
    """Where the front-end database and the plans are written; none are without it."""
    frontdb_url: str | None = None
    rid: str = field(default_factory=lambda: str(uuid.uuid4()))
    sid: str = DEFAULT_SID
    appkey: str = field(default_factory=lambda: secrets.token_hex(16))
    zj_app_key: str = field(default_factory=lambda: secrets.token_hex(8))
    zj_app_secret: str = field(default_factory=lambda: secrets.token_hex(16))
    control_token: str = field(default_factory=lambda: secrets.token_hex(16))


class Sandbox:
    """The stand-ins of the outside world over one world of data."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.world = World(options.projects, options.seed)
        self.faults = Faults()
        self.calls: Counter[str] = Counter()
        self.exchange = ExchangeGate(options.rid, options.sid, options.appkey, options.secret_seconds)
        self.irs = IrsGate(options.zj_app_key, options.zj_app_secret, options.secret_seconds)
        self.provincial = Provincial(self.world, self.exchange, self.faults, self.calls)
        self.zhejiang = Zhejiang(self.world, options.zj_projects, self.irs, self.faults, self.calls)
        self.counting = Counting(self.world)
        self.plans: list[Path] = []
        self.engine: Engine | None = None
        self._plan_truth: Truth | None = None

    def write_files(self) -> None:
        """Write the front-end database and the plans, where there is a place for them."""
        home, url = self.options.home, self.options.frontdb_url
        if home:
            home.mkdir(parents=True, exist_ok=True)
            self.plans = write_plans(plan_entries(self.world.recorder), home / "plans")
            url = url or f"sqlite:///{(home / 'frontdb.sqlite').resolve()}"
        if url:
            self.engine = create_engine(url)
            write_frontdb(self.engine, self.world, self.options.frontdb_projects)

    def application(self) -> Starlette:
        """Return the ASGI application of all addresses."""
        routes = [*self.provincial.routes(), *self.zhejiang.routes(), *Control(self).routes()]
        return Starlette(routes=routes)

    def advance(self, wanted: dict[str, float]) -> Movement:
        """Move time one day on, in the front-end database too."""
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
        return movement

    def truth(self) -> Truth:
        """Return what the data really holds today."""
        if self._plan_truth is None:
            self._plan_truth = plan_truth(plan_entries(self.world.recorder), self.world.recorder)
        truth = whole_truth(self.counting, self.options.zj_projects)
        truth["plan"] = {**self._plan_truth, "files": [str(path) for path in self.plans]}
        if self.engine:
            truth["frontdb"] = frontdb_truth(self.engine, self.world, self.options.frontdb_projects)
        return truth

    def rotate(self) -> None:
        """End every secret handed out so far."""
        self.exchange.secret.rotate()
        self.irs.request.rotate()

    def fault(self, scenario: str, platform: str = "provincial", page: int | None = None, times: int = 1) -> None:
        """Put a fault in force."""
        self.faults.add(Fault(scenario, platform, page, times))

    def described(self, url: str) -> dict[str, Any]:
        """Return what a caller needs to know: addresses and keys."""
        options = self.options
        return {
            "ready": True,
            "url": url,
            "projects": options.projects,
            "seed": options.seed,
            "provincial": {"rid": options.rid, "sid": options.sid, "appkey": options.appkey},
            "zj": {"app_key": options.zj_app_key, "app_secret": options.zj_app_secret},
            "control_token": options.control_token,
            "frontdb": self.engine.url.render_as_string(hide_password=True) if self.engine else None,
            "plans": str(self.plans[0].parent.resolve()) if self.plans else None,
        }
