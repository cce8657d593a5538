"""A town whose projects, systems and catalogue entries hang together in every way that facts join them, and come apart again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, insert, select

from include.ledger.tables import ENTITIES, project_alias
from tests.findings.test_incremental import PROJECTS, SOURCES, Town
from tests.rules.evidence import at

SYSTEMS = 8
MATTERS = ("archive_kept", "shareable_data", "acceptance_supervised", "guide_deliberated")
USCC = "U" * 18
FINE = {
    "exchange_service": "exchange_services", "cloud_resource": "city_cloud", "exemption": "exemptions",
    "resource": "exchange_catalogue",
}  # fmt: skip


class JoinedTown(Town):
    """What happens in it is drawn from `QUIET`, which rows alone tell of, or from `STIR`, for which everything is looked at."""

    sources = SOURCES | FINE

    def __init__(self, engine: Engine, seed: int) -> None:
        self.minute = 0
        super().__init__(engine, seed)
        for n in range(SYSTEMS):
            self._add_system(n)
        for n in range(3 * SYSTEMS):
            self.minute = n
            self._add_entry(n)

    def read(self) -> None:
        """Read a second source of contracts and of entries, too: what is not read lately says nothing."""
        super().read()
        self.other = self.batch("own_workbook", "contract", at(self.day, 2), authority=200)
        self.portal = self.batch("open_portal", "resource", at(self.day, 2), authority=200)

    QUIET: tuple[str, ...] = (
        "_step", "_suspend", "_rectify", "_assess", "_vanish", "_upgrade", "_move_report", "_move_contract", "_share_contract",
        "_restore_contract", "_regrade", "_deliver", "_line", "_settle_notice", "_decide_item", "_pay", "_attest", "_serve",
        "_void", "_update_entry",
    )  # fmt: skip
    STIR = (
        "_rename_projects",
        "_add_system_late",
        "_lose_system",
        "_return_system",
        "_move_entry",
        "_add_entry_late",
        "_lose_entry",
        "_reissue",
    )

    def live(self) -> None:
        """Let a day or two pass, a few things happen, and now and then one that nobody can place."""
        self.day += timedelta(days=self.chance.choice((1, 1, 1, 1, 2)))
        self.minute = 0
        self.read()
        for _ in range(self.chance.randrange(1, 5)):
            self._happen(self.chance.choice(self.QUIET))
        if self.chance.random() < 0.15:
            self._happen(self.chance.choice(self.STIR))

    def _happen(self, name: str) -> None:
        what: Callable[[], None] = getattr(self, name)
        what()

    def _fresh(self, source: str) -> str:
        """Return a batch of its own: one batch changes a field of a record once."""
        self.minute += 1
        entity = next(e for e, s in self.sources.items() if s == source)
        self.last[source] = self.batch(source, entity, at(self.day, 4, self.minute))
        return self.last[source]

    def _change(self, entity: str, source: str, key: dict[str, Any], **fields: Any) -> None:
        self.change(entity, self._fresh(source), key, at(self.day, 5), **fields)

    def _any(self, entity: str, source: str) -> dict[str, Any] | None:
        table = ENTITIES[entity][0]
        with self.engine.connect() as connection:
            found = connection.execute(
                select(table).where(table.c.source == source).order_by(table.c.record_key)
            ).mappings()
            rows = [dict(row) for row in found]
        return self.chance.choice(rows) if rows else None

    def _system(self) -> str:
        return f"X{self.chance.randrange(SYSTEMS)}"

    # -- systems --------------------------------------------------------------------------------------------------------------

    def _add_system(self, n: int) -> None:
        names = sorted({self._project() for _ in range(self.chance.randrange(3))})
        self.put("system", self._fresh("system_register"), [{
            "system_code": f"X{n}", "name": f"系统{n}", "unit_name": f"单位{n % 3}", "unit_uscc": USCC if n % 3 == 1 else None,
            "project_codes": ",".join(names) or None, "status": "in_use", "protection_level": 2,
        }])  # fmt: skip

    def _add_system_late(self) -> None:
        self._add_system(SYSTEMS + self._next())

    def _rename_projects(self) -> None:
        codes = ",".join(sorted({self._project(), self._project()}))
        self._change("system", "system_register", {"system_code": self._system()}, project_codes=codes)

    def _lose_system(self) -> None:
        self._change("system", "system_register", {"system_code": self._system()}, tombstoned_at=at(self.day))

    def _return_system(self) -> None:
        self._change("system", "system_register", {"system_code": self._system()}, tombstoned_at=None)

    def _regrade(self) -> None:
        fields = {"protection_level": self.chance.randrange(1, 5), "unit_name": f"单位{self.chance.randrange(3)}"}
        self._change("system", "system_register", {"system_code": self._system()}, **fields)

    def _upgrade(self) -> None:
        target = self.chance.choice((None, self._system()))
        self._change(
            "project_dossier", "project_dossiers", {"project_code": self._project()}, upgrades_system_code=target
        )

    def _serve(self) -> None:
        n, system = self._next(), self._system()
        self.put(
            "exchange_service", self._fresh("exchange_services"), [{"service_code": f"V{n}", "system_code": system}]
        )
        cloud = {"resource_code": f"H{n}", "system_code": system, "status": "running"}
        self.put("cloud_resource", self._fresh("city_cloud"), [cloud])
        term = {
            "exemption_id": f"E{n}",
            "system_code": system,
            "kind": "idle",
            "ground": "测试",
            "expires_on": self.day,
        }
        self.put("exemption", self._fresh("exemptions"), [term])

    # -- catalogue entries ----------------------------------------------------------------------------------------------------

    def _add_entry(self, n: int, system: str | None = None) -> None:
        fits = self.chance.choice(({"system_code": system or self._system()}, {"project_codes": self._project()}, {}))
        on_portal = n % 4 == 0  # the same entry in a second catalogue, which knows less of it
        row = {
            "kind": self.chance.choice(("data", "component", "cloud_resource")), "code": f"K{n}", "state": "published",
            "provider_name": f"单位{n % 3}", "provider_uscc": USCC if n % 3 == 1 else None, "collection": "delivered",
            "share_type": "conditional",
        }  # fmt: skip
        cycle = self.chance.choice((None, "daily", "weekly", "irregular"))
        dated = {"update_cycle": cycle, "data_updated_on": self.day - timedelta(days=self.chance.randrange(9))}
        self.put("resource", self._fresh("exchange_catalogue"), [{"resource_id": f"R{n}", **row, **fits, **dated}])
        if on_portal:
            self.put("resource", self.portal, [{"resource_id": f"R{n}", **row, "update_cycle": "weekly"}])

    def _add_entry_late(self) -> None:
        self._add_entry(100 + self._next())

    def _entry(self) -> dict[str, Any]:
        return {"resource_id": f"R{self.chance.randrange(3 * SYSTEMS)}"}

    def _deliver(self) -> None:
        said = self.chance.choice(("delivered", "partly", "not_delivered"))
        self._change("resource", "exchange_catalogue", self._entry(), collection=said)

    def _update_entry(self) -> None:
        self._change("resource", "exchange_catalogue", self._entry(), data_updated_on=self.day - timedelta(days=1))

    def _move_entry(self) -> None:
        where = self.chance.choice(({"system_code": self._system()}, {"system_code": None}, {"provider_name": "单位0"}))
        self._change("resource", "exchange_catalogue", self._entry(), **where)

    def _lose_entry(self) -> None:
        self._change("resource", "exchange_catalogue", self._entry(), tombstoned_at=at(self.day))

    # -- records --------------------------------------------------------------------------------------------------------------

    def _move_report(self) -> None:
        if report := self._any("assessment", "assessments"):
            fields = {"project_code": self._project(), "system_code": self.chance.choice((None, self._system()))}
            self._change("assessment", "assessments", report, **fields)

    def _contract(self) -> dict[str, Any]:
        return {"contract_no": f"C{self.chance.randrange(PROJECTS)}"}

    def _move_contract(self) -> None:
        self._change("contract", "contracts", self._contract(), project_code=self._project())

    def _restore_contract(self) -> None:
        self._change("contract", "contracts", self._contract(), tombstoned_at=None)

    def _share_contract(self) -> None:
        number = f"C{self.chance.randrange(PROJECTS)}"
        with self.engine.connect() as connection:
            table = ENTITIES["contract"][0]
            mine = (table.c.source == "own_workbook") & (table.c.contract_no == number)
            if connection.execute(select(table.c.source).where(mine)).first():
                return
        self.other = self.batch("own_workbook", "contract", at(self.day, 6), authority=200)
        self.put("contract", self.other, [{
            "contract_no": number, "project_code": self._project(), "name": f"合同{number}", "amount_yuan": Decimal("900000.00"),
        }])  # fmt: skip

    def _line(self) -> None:
        line = {"plan_year": 2026, "project_code": None, "name": f"无码项目{self._next()}", "unit_name": "单位1"}
        if lost := self._any("plan_entry", "annual_plan"):
            self._change("plan_entry", "annual_plan", lost, tombstoned_at=self.chance.choice((None, at(self.day))))
        with self.engine.connect() as connection:
            table = ENTITIES["plan_entry"][0]
            if connection.execute(select(table.c.source).where(table.c.project_code.is_(None))).first():
                return  # one line without a code has the key of all of them here
        self.put("plan_entry", self._fresh("annual_plan"), [line])

    def _settle_notice(self) -> None:
        if notice := self._any("rectification", "rectifications"):
            self._change("rectification", "rectifications", notice, reported_on=self.day)

    def _decide_item(self) -> None:
        item = {"item_id": f"F{self.chance.randrange(PROJECTS)}"}
        self._change("approval_item", "provincial_approval", item, state="approved", decided_at=at(self.day))

    def _pay(self) -> None:
        row = {"payment_no": f"P{self._next()}", "project_code": self._project(), "contract_no": "C1", "kind": "final"}
        self.put("payment", self._fresh("payments"), [row | {"paid_on": self.day, "amount_yuan": Decimal("10.00")}])

    def _attest(self) -> None:
        row = {
            "attestation_no": f"T{self._next()}", "matter": self.chance.choice(MATTERS), "conclusion": "met", "ground": "现场",
            "attested_by": "甲", "attested_on": self.day, "expires_on": self.day + timedelta(days=9),
        }  # fmt: skip
        year = {"plan_year": self.day.year + self.chance.randrange(2)}
        whose = self.chance.choice(({"project_code": self._project()}, {"system_code": self._system()}, year))
        self.put("attestation", self._fresh("attestations"), [row | whose])

    def _void(self) -> None:
        fields = self.chance.choice(({"is_void": True}, {"is_void": None}, {"managed_industry": "transport"}))
        self._change("project", "provincial_approval", {"project_code": self._project()}, **fields)

    def _reissue(self) -> None:
        old, new = sorted((self._project(), self._project()))
        if old != new:
            row = {"source": "provincial_approval", "former_code": old, "project_code": new}
            batch = self._fresh("provincial_approval")
            with self.engine.begin() as connection:
                known = select(project_alias.c.source).where(project_alias.c.former_code == old)
                if not connection.execute(known).first():
                    connection.execute(insert(project_alias).values(row | {"batch_id": batch}))
