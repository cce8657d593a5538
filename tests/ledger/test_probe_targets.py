"""Which endpoints are due: living, published interfaces with an address, in stable shards, hosts taking turns."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine, insert, update

from include.ledger.probe_targets import count_targets, read_targets, shard_of
from include.ledger.tables import exchange_service, maintenance_window
from include.sources.probing.target import Target
from tests.depth import MOSTLY_SQLITE
from tests.ledger.probing import NOON, list_services

URL = "http://127.80.0.1:8080/{}"


@MOSTLY_SQLITE
def test_only_living_published_interfaces_with_an_address_are_probed(engine: Engine) -> None:
    list_services(engine, {"s1": URL.format(1)}, expected_text="正常")
    list_services(engine, {"s2": URL.format(2)}, kind="table")
    list_services(engine, {"s3": URL.format(3)}, state="withdrawn")
    list_services(engine, {"s4": URL.format(4)}, endpoint=None)
    list_services(engine, {"s5": ""})
    list_services(engine, {"s6": URL.format(6)})
    with engine.begin() as connection:
        gone = exchange_service.c.service_code == "s6"
        connection.execute(update(exchange_service).where(gone).values(tombstoned_at=NOON))
    assert count_targets(engine) == 1
    assert read_targets(engine, 0, 1, NOON) == [Target("s1", "sys-s1", URL.format(1), "正常")]


@MOSTLY_SQLITE
def test_a_service_that_two_sources_list_is_probed_once(engine: Engine) -> None:
    list_services(engine, {"s1": URL.format(1)})
    with engine.begin() as connection:
        row = dict(connection.execute(exchange_service.select()).mappings().one())
        connection.execute(insert(exchange_service).values(row | {"source": "another", "endpoint": URL.format(2)}))
    assert count_targets(engine) == 1
    assert [t.url for t in read_targets(engine, 0, 1, NOON)] == [URL.format(2)]


@MOSTLY_SQLITE
def test_maintenance_counts_from_its_beginning_until_its_end(engine: Engine) -> None:
    list_services(engine, {"s1": URL.format(1), "s2": URL.format(2)})
    hour = timedelta(hours=1)
    window = {
        "source": "maintenance_windows", "record_key": "W1", "window_id": "W1", "system_code": "sys-s1",
        "begins_at": NOON, "ends_at": NOON + hour, "source_hash": "0" * 32, "created_batch": "b", "changed_batch": "b",
    }  # fmt: skip
    with engine.begin() as connection:
        connection.execute(insert(maintenance_window).values(window))
        lapsed = {"record_key": "W2", "window_id": "W2", "system_code": "sys-s2", "tombstoned_at": NOON}
        connection.execute(insert(maintenance_window).values(window | lapsed))

    def resting(minutes: int) -> list[str]:
        found = read_targets(engine, 0, 1, NOON + timedelta(minutes=minutes))
        return [t.service_code for t in found if t.in_maintenance]

    assert [resting(m) for m in (-1, 0, 59, 60)] == [[], ["s1"], ["s1"], []]


@MOSTLY_SQLITE
def test_shards_are_stable_whole_and_apart(engine: Engine) -> None:
    codes = [f"svc-{n}" for n in range(60)]
    list_services(engine, {code: URL.format(code) for code in codes})
    shards = [{t.service_code for t in read_targets(engine, n, 3, NOON)} for n in range(3)]
    assert sorted(code for shard in shards for code in shard) == sorted(codes)
    assert min(len(shard) for shard in shards) > 8
    assert shard_of("svc-7", 3) == 1  # for ever: a sweep tried again must meet the same services
    list_services(engine, {"new": URL.format("new")})
    assert all(shards[n] <= {t.service_code for t in read_targets(engine, n, 3, NOON)} for n in range(3))


@MOSTLY_SQLITE
def test_hosts_take_turns(engine: Engine) -> None:
    list_services(engine, {f"a{n}": f"http://127.80.0.1/{n}" for n in range(4)})
    list_services(engine, {f"b{n}": f"http://127.80.0.2/{n}" for n in range(2)})
    hosts = [t.url.split("/")[2] for t in read_targets(engine, 0, 1, NOON)]
    assert hosts == ["127.80.0.1", "127.80.0.2"] * 2 + ["127.80.0.1"] * 2
