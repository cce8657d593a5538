"""A sweep ends in its time whatever hangs, asks each host politely, and concludes nothing from a dead network."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from include.errors import ConfigurationError
from include.sandbox.gateway import Behaviour, Endpoint, Gateway
from include.settings import ROOT
from include.sources.probing.result import Outcome
from include.sources.probing.sweep import sweep
from include.sources.probing.target import Target
from tests.sources.probing.policies import by_code, policy


def _targets(gateway: Gateway) -> list[Target]:
    return [Target(name, "S1", url) for name, url in gateway.urls.items()]


def test_ten_percent_that_hang_do_not_harm_the_others() -> None:
    with Gateway({Behaviour.OK: 240, Behaviour.SLOW: 20, Behaviour.REFUSES: 10, Behaviour.HANGS: 30}) as gateway:
        begun = time.monotonic()
        found = sweep(_targets(gateway), policy(concurrency=50, sweep_seconds=3.0), "s")
        took = time.monotonic() - begun
    counts = Counter((r.service_code.rsplit("-", 1)[0], r.outcome) for r in found.results)
    assert counts == {
        ("ok", Outcome.SUCCEEDED): 240, ("slow", Outcome.SUCCEEDED): 20, ("refuses", Outcome.REFUSED): 10,
        ("hangs", Outcome.TIMED_OUT): 30,
    }  # fmt: skip
    assert took < 3.0
    assert found.ended_at > found.started_at


def test_when_everything_hangs_the_sweep_ends_in_its_time() -> None:
    with Gateway({Behaviour.HANGS: 100}) as gateway:
        begun = time.monotonic()
        found = sweep(_targets(gateway), policy(concurrency=10, total_seconds=0.7, sweep_seconds=1.0), "s")
        took = time.monotonic() - begun
    counts = Counter(r.outcome for r in found.results)
    assert 1.0 <= took < 5, "one after the other they would take seven"
    assert counts[Outcome.TIMED_OUT] == 10, "those whose own time ran out"
    assert counts[Outcome.OUT_OF_TIME] == 90, "cut in the middle or never begun: nothing is concluded of them"
    assert len(found.results) == 100


def test_what_only_waits_holds_nobody_up() -> None:
    """More hang than may run at once, for longer than the others need: these are begun beside them."""
    with Gateway({Behaviour.HANGS: 8, Behaviour.OK: 200}) as gateway:
        few = policy(concurrency=4, total_seconds=30.0, sweep_seconds=4.0)
        found = sweep(_targets(gateway), few, "s")
        limited = sweep(_targets(gateway), replace(few, open_connections=4, sweep_seconds=1.0), "s")
    counts = Counter((r.service_code.rsplit("-", 1)[0], r.outcome) for r in found.results)
    assert counts == {("ok", Outcome.SUCCEEDED): 200, ("hangs", Outcome.OUT_OF_TIME): 8}
    assert Outcome.OUT_OF_TIME in {r.outcome for r in limited.results if r.service_code.startswith("ok")}


def test_the_order_is_drawn_anew_for_each_sweep() -> None:
    """Were the time too short, it would not be the same services each time that are left out."""
    with Gateway({Behaviour.OK: 40}) as gateway:
        one_by_one = policy(concurrency=1)
        orders = []
        for sweep_id in ("a", "b", "a"):
            found = sweep(_targets(gateway), one_by_one, sweep_id)
            orders.append([r.service_code for r in sorted(found.results, key=lambda r: r.started_at)])
    assert orders[0] != orders[1] and orders[0] == orders[2]


def test_each_address_is_asked_by_so_many_at_once() -> None:
    """Counted by the server itself: how many connections are open at the same time."""
    open_now, most, lock = 0, 0, threading.Lock()
    listener = socket.create_server(("127.80.7.7", 0), backlog=64)

    def answer(peer: socket.socket) -> None:
        nonlocal open_now, most
        with lock:
            open_now += 1
            most = max(most, open_now)
        with peer:
            peer.recv(4096)
            time.sleep(0.05)
            with lock:
                open_now -= 1
            peer.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    def accept() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(peer,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    with listener:
        port = listener.getsockname()[1]
        # Two names of one gateway share its limit.
        targets = [Target(str(n), "S1", f"http://{'ab'[n % 2]}.example:{port}/{n}") for n in range(24)]
        found = sweep(targets, policy(per_host=3), "s", lambda host: ["127.80.7.7"])
        listener.shutdown(socket.SHUT_RDWR)
    assert {r.outcome for r in found.results} == {Outcome.SUCCEEDED}
    assert most == 3


def test_a_busy_host_does_not_hold_up_the_others() -> None:
    endpoints = {f"h{n}": Endpoint(Behaviour.HANGS, "127.80.0.1") for n in range(20)}
    endpoints |= {f"o{n}": Endpoint(Behaviour.OK, f"127.80.1.{n + 1}") for n in range(20)}
    with Gateway(endpoints) as gateway:
        found = sweep(_targets(gateway), policy(concurrency=8, per_host=2, sweep_seconds=1.0, total_seconds=0.9), "s")
    outcomes = {code: r.outcome for code, r in by_code(found).items()}
    assert {outcomes[f"o{n}"] for n in range(20)} == {Outcome.SUCCEEDED}


def test_names_that_hang_cost_their_own_probes_only() -> None:
    released = threading.Event()

    def lookup(host: str) -> Sequence[str]:
        if host.startswith("hangs"):
            released.wait(20)
        return ["127.80.0.1"]

    with Gateway({"a": Endpoint(Behaviour.OK, "127.80.0.1")}) as gateway:
        rest = gateway.urls["a"].split("127.80.0.1")[1]
        hanging = [Target(f"h{n}", "S1", f"http://hangs{n}.example{rest}") for n in range(40)]
        good = [Target(f"g{n}", "S1", f"http://good{n}.example{rest}") for n in range(40)]
        begun = time.monotonic()
        found = by_code(sweep([*hanging, *good], policy(resolve_seconds=0.3, sweep_seconds=15.0), "s", lookup))
        took = time.monotonic() - begun
    released.set()
    assert {found[t.service_code].outcome for t in good} == {Outcome.SUCCEEDED}
    assert {found[t.service_code].outcome for t in hanging} == {Outcome.OUT_OF_TIME}, "the name service is at fault"
    assert took < 10, "it ends without those that hang"


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (socket.gaierror(socket.EAI_NONAME, "unknown"), Outcome.NAME_UNRESOLVED),
        (socket.gaierror(socket.EAI_AGAIN, "no server answers"), Outcome.OUT_OF_TIME),
        (OSError(24, "no descriptors left"), Outcome.OUT_OF_TIME),
    ],
    ids=["unknown", "name service down", "our own fault"],
)
def test_names_that_are_not_found(error: OSError, outcome: Outcome) -> None:
    def lookup(host: str) -> Sequence[str]:
        raise error

    result = sweep([Target("x", "S1", "http://nowhere.example/")], policy(), "s", lookup).results[0]
    assert result.outcome is outcome
    assert result.outcome.is_failure is (outcome is Outcome.NAME_UNRESOLVED)


def test_a_hanging_lookup_does_not_keep_the_process_alive() -> None:
    """A program whose resolver never comes back ends all the same, at once after its sweep."""
    program = (
        "import time; from dataclasses import replace\n"
        "from include.sources.probing.policy import load_policy\n"
        "from include.sources.probing.sweep import sweep\n"
        "from include.sources.probing.target import Target\n"
        "p = replace(load_policy(), sweep_seconds=0.5)\n"
        "s = sweep([Target(str(n), None, f'http://n{n}.example/') for n in range(50)], p, 's', lambda h: time.sleep(3600))\n"
        "print({str(r.outcome) for r in s.results})"
    )
    begun = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, cwd=ROOT)
    assert done.stdout.strip() == "{'out_of_time'}", done.stderr
    assert time.monotonic() - begun < 8


def test_cut_off_when_no_canary_answers() -> None:
    with Gateway({"a": Behaviour.OK, "dead": Behaviour.REFUSES, "mute": Behaviour.HANGS}) as gateway:
        targets = [Target("a", "S1", gateway.urls["a"])]
        cut = policy(canaries=(gateway.urls["dead"], gateway.urls["mute"]), sweep_seconds=3.0)
        begun = time.monotonic()
        found = sweep(targets, cut, "s")
        assert found.is_cut_off and found.results == () and found.causes == ()
        assert time.monotonic() - begun < 1.0
        assert gateway.connections(gateway.endpoints["a"].address) == 0, "nothing was probed"
        up = policy(canaries=(gateway.urls["dead"], gateway.urls["a"]), sweep_seconds=3.0)
        again = sweep(targets, up, "s")
        assert not again.is_cut_off and again.results[0].outcome is Outcome.SUCCEEDED


def test_a_canary_that_answers_anything_proves_the_network() -> None:
    for behaviour in (Behaviour.ERROR_500, Behaviour.TLS_SELF_SIGNED, Behaviour.REDIRECTS_ABROAD):
        with Gateway({"c": behaviour, "a": Behaviour.OK}) as gateway:
            targets = [Target("a", "S1", gateway.urls["a"])]
            assert not sweep(targets, policy(canaries=(gateway.urls["c"],)), "s").is_cut_off


def test_cut_off_in_the_middle_of_a_sweep() -> None:
    """The canary answers at first; then all fails, and it no longer does: nothing is concluded."""
    endpoints = {f"e{n}": Behaviour.HANGS for n in range(20)} | {"canary": Endpoint(Behaviour.OK, "127.80.3.3")}
    with Gateway(endpoints) as gateway:
        canary = gateway.urls.pop("canary")
        alone = policy(canaries=(canary,), total_seconds=0.4, sweep_seconds=3.0)
        assert not sweep(_targets(gateway), alone, "s").is_cut_off, "endpoints that hang do not make a network dead"
        stop = threading.Timer(0.2, lambda: gateway.behave("canary", Behaviour.HANGS))
        stop.start()
        assert sweep(_targets(gateway), alone, "s").is_cut_off
        stop.join()


def test_a_canary_that_the_policy_forbids_is_a_mistake_of_ours() -> None:
    with pytest.raises(ConfigurationError, match=r"networks in probing\.yaml"):
        sweep([], policy(canaries=("http://10.1.2.3/",)), "s")


def test_nothing_to_probe() -> None:
    found = sweep([], policy(), "s")
    assert found.results == () and not found.is_cut_off and found.lag_ms == 0


def test_descriptors_are_given_back() -> None:
    def held() -> int:
        return len(list(__import__("pathlib").Path("/proc/self/fd").iterdir()))

    with Gateway({Behaviour.OK: 30, Behaviour.HANGS: 5, Behaviour.TLS_OK: 5}) as gateway:
        quick = policy(total_seconds=0.3, ca_file=gateway.ca_file)
        sweep(_targets(gateway), quick, "s")
        before = held()
        for _ in range(3):
            sweep(_targets(gateway), quick, "s")
        time.sleep(0.1)
        assert held() <= before + 2
