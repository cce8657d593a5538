"""A town of a few systems of which something is seen each day: with corrections, late rows, hosts and services that move."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import Engine, delete, select, update

from include.ledger.tables import observed_day, probe_day
from include.ledger.tables import system_usage_day as _usage
from tests.rules.evidence import DAY, Evidence, at, days_before

SOURCES = {
    "cloud_metrics": "cloud_usage_day", "usage_statistics": "system_usage_day", "usage_files": "system_usage_day",
    "exchange_calls": "exchange_call_day",
}  # fmt: skip
HISTORY = 200
"""Days of which something is known when the town begins: more than the longest window and what lies before it."""


class SeriesTown(Evidence):
    """Five systems and what happens to them, drawn by lot; each day begins with what the day before brought."""

    def __init__(self, engine: Engine, seed: int) -> None:
        super().__init__(engine)
        self._moments = 0
        self.lot, self.day, self.codes = Random(seed), DAY, list("ABCDE")  # noqa: S311 - a town, no secret
        self.hosts = {f"h{code}": code for code in self.codes} | {"hA2": "A", "hB2": "B"}
        self.services = {f"s{code}": code for code in self.codes[:4]} | {"sA2": "A"}
        with self.together():
            register = self.batch("system_register", "system", at(self.day, 1))
            self.put("system", register, [{"system_code": code, "name": code} for code in self.codes])
            clouds = self.batch("city_cloud", "cloud_resource", at(self.day, 1))
            self.put("cloud_resource", clouds, [_host(h, code) for h, code in self.hosts.items()])
            services = self.batch("exchange_services", "exchange_service", at(self.day, 1))
            self.put(
                "exchange_service", services, [{"service_code": s, "system_code": c} for s, c in self.services.items()]
            )
            self._see(days_before(self.day, HISTORY))

    def pass_by(self) -> None:
        """Let a day pass on which nothing happens but what each day brings."""
        self.day += timedelta(days=1)
        with self.together():
            self._see([self.day - timedelta(days=1)])

    def live(self) -> None:
        """Let a day pass, and on two of three something happen, to a day of the last hundred where it is about one."""
        self.pass_by()
        lot = self.lot
        day, host, service = (
            self.day - timedelta(days=lot.randrange(2, 100)),
            lot.choice(list(self.hosts)),
            lot.choice(list(self.services)),
        )
        happens: list[Callable[[], None]] = [
            lambda: self.correct(day), lambda: self.come_late(day), lambda: self.doubt(day),
            lambda: self.observed(self.reading(lot.choice(list(SOURCES))), [day]),
            lambda: self.open_host(lot.choice((None, day))), lambda: self.change_host(host, vcpu=lot.randrange(2, 64)),
            lambda: self.change_host(host, system_code=lot.choice(self.codes)),
            lambda: self.change_host(host, status=lot.choice(("stopped", "running"))),
            lambda: self.change_service(service, lot.choice((None, *self.codes))), self.list_service,
            lambda: self.probed(f"late{day}{self.day}", day, successes=1), lambda: self.probe_more(service, day),
        ]  # fmt: skip
        if lot.random() < 0.7:
            with self.together():
                lot.choice(happens)()

    def reading(self, source: str) -> str:
        """Return a batch of a series, of the morning."""
        return self.batch(source, SOURCES[source], self._moment, full=False)

    @property
    def _moment(self) -> datetime:
        """Return a moment of the morning: each is later than those before, as that of a batch is than that of its source's last."""
        self._moments += 1
        return at(self.day, 2) + timedelta(seconds=self._moments)

    def _see(self, days: list[date]) -> None:
        for source in SOURCES:
            batch_id = self.reading(source)
            rows = [row for day in days for row in self._rows(source, day) if self.lot.random() < 0.9]
            self.put(SOURCES[source], batch_id, rows)
            if whole := [day for day in days if self.lot.random() < 0.9]:
                self.observed(batch_id, whole)
        for day in days:
            for service in self.services:
                counts = {name: self.lot.choice((0, 0, 3)) for name in ("successes", "failures", "inconclusive")}
                if any(counts.values()) and self.lot.random() < (0.05 if service == "sD" else 0.9):
                    self.probed(service, day, **counts)

    def _rows(self, source: str, day: date) -> Iterator[dict[str, Any]]:
        lot = self.lot
        if source == "cloud_metrics":
            for host in self.hosts:
                mean = lot.choice((None, 0, lot.randrange(9000)))
                yield {
                    "day": day,
                    "resource_code": host,
                    "cpu_mean_bp": mean,
                    "cpu_max_bp": mean,
                    "memory_max_bp": mean,
                }
        elif source == "exchange_calls":
            for service in self.services if lot.random() < 0.3 else []:
                caller = lot.choice(("x", "prober", *self.codes))
                calls = lot.randrange(50)
                yield {
                    "day": day, "service_code": service, "caller_code": caller, "calls": calls,
                    "failures": lot.choice((0, calls)), "is_probe": lot.choice((None, True, False)),
                }  # fmt: skip
        else:
            for code in self.codes[:3] if source == "usage_files" else self.codes:
                logins = lot.choice((None, 0, 0, lot.randrange(50)))
                users = lot.choice((None, lot.randrange(50)))
                yield {
                    "day": day, "system_code": code, "logins": logins, "active_users": users, "registered_users": users,
                }  # fmt: skip

    # -- what happens ---------------------------------------------------------------------------------------------------------

    def correct(self, day: date) -> None:
        """Let the statistics say something else of a day, of a system that nobody else tells of, if they told of it."""
        if self._told(day):
            key = {"day": day, "system_code": "E"}
            self.change("system_usage_day", self.reading("usage_statistics"), key, at(self.day, 2), logins=9999)

    def come_late(self, day: date) -> None:
        """Let the statistics tell of a day what they did not tell before."""
        if not self._told(day):
            row = {"day": day, "system_code": "E", "logins": 3, "active_users": None, "registered_users": 7}
            self.put("system_usage_day", self.reading("usage_statistics"), [row])

    def _told(self, day: date) -> bool:
        this = (_usage.c.source == "usage_statistics") & (_usage.c.day == day) & (_usage.c.system_code == "E")
        with self._writing() as connection:
            return connection.execute(select(_usage.c.day).where(this)).first() is not None

    def doubt(self, day: date) -> None:
        """Let nobody believe a day any more."""
        with self._writing() as connection:
            connection.execute(update(observed_day).where(observed_day.c.day == day).values(is_trusted=False))

    def open_host(self, opened_on: date | None) -> None:
        """Let a system have one more host."""
        host = f"h{len(self.hosts)}"
        self.hosts[host] = self.lot.choice(self.codes)
        clouds = self.batch("city_cloud", "cloud_resource", self._moment)
        self.put("cloud_resource", clouds, [_host(host, self.hosts[host]) | {"opened_on": opened_on}])

    def change_host(self, host: str, **fields: Any) -> None:
        """Let the cloud say something else of a host."""
        clouds = self.batch("city_cloud", "cloud_resource", self._moment)
        self.change("cloud_resource", clouds, {"resource_code": host}, at(self.day, 2), **fields)

    def change_service(self, service: str, system: str | None) -> None:
        """Let a service belong to another system, or to none."""
        services = self.batch("exchange_services", "exchange_service", self._moment)
        self.change("exchange_service", services, {"service_code": service}, at(self.day, 2), system_code=system)

    def list_service(self) -> None:
        """Let the exchange list one more service."""
        name = f"s{len(self.services)}"
        self.services[name] = self.lot.choice(self.codes)
        services = self.batch("exchange_services", "exchange_service", self._moment)
        self.put("exchange_service", services, [{"service_code": name, "system_code": self.services[name]}])

    def forget(self, service: str, day: date) -> None:
        """Let a service not have been probed on a day, nor the statistics tell of it, nor have been read whole."""
        with self._writing() as connection:
            connection.execute(delete(probe_day).where(probe_day.c.service_code == service, probe_day.c.day == day))
            for table in (observed_day, _usage):
                connection.execute(delete(table).where(table.c.source == "usage_statistics", table.c.day == day))

    def probe_more(self, service: str, day: date) -> None:
        """Let one more probe of a service be counted on a day on which it was probed."""
        mine = (probe_day.c.service_code == service) & (probe_day.c.day == day)
        more = {"probes": probe_day.c.probes + 1, "successes": probe_day.c.successes + 1}
        with self._writing() as connection:
            connection.execute(update(probe_day).where(mine).values(more))


def _host(host: str, code: str) -> dict[str, Any]:
    return {"resource_code": host, "system_code": code, "status": "running", "vcpu": 2}
