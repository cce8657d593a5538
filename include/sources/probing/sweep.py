"""One sweep over many endpoints: within a fixed time whatever hangs, and only after our own network has proved to be up."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from datetime import timedelta

from include.clock import now
from include.errors import ConfigurationError
from include.sources.probing.causes import common_causes
from include.sources.probing.names import Lookup, Names, system_lookup
from include.sources.probing.policy import ProbePolicy
from include.sources.probing.prober import Prober
from include.sources.probing.result import Outcome, ProbeResult, Sweep
from include.sources.probing.round import Job, Round
from include.sources.probing.target import Target
from include.sources.probing.trust import authorities

CANARY_SHARE = 0.1
"""Of the sweep's time, that the canaries may take before it, and once more after it."""
_ANSWERED = frozenset({Outcome.TLS_UNTRUSTED, Outcome.TLS_EXPIRED, Outcome.MALFORMED})


def sweep(targets: Sequence[Target], policy: ProbePolicy, sweep_id: str, lookup: Lookup = system_lookup) -> Sweep:
    """Probe every target once and return what was found, in the order of the targets.

    Ends within `policy.sweep_seconds`; what was not reached by then is out_of_time. If no canary answers, nothing is probed;
    if none answers any more after a sweep that mostly failed, it is cut off as well. Raises `ConfigurationError` for a
    canary that the policy itself does not allow.
    """
    started_at, begun = now(), time.monotonic()
    end = begun + policy.sweep_seconds
    reserve = CANARY_SHARE * policy.sweep_seconds if policy.canaries else 0.0
    found: list[ProbeResult] = []
    with ExitStack() as stack:
        file = stack.enter_context(authorities(policy.ca_file))
        names = stack.enter_context(closing(Names(lookup, policy.resolve_seconds)))
        prober: Prober[Job] = stack.enter_context(closing(Prober(policy, file)))
        run = Round(policy, prober, names, sweep_id)
        is_cut_off = not _is_connected(run, policy, begun + reserve)
        if not is_cut_off:
            found = run.probe(targets, end - reserve)
            is_cut_off = _mostly_failed(found) and not _is_connected(run, policy, end)
        lag_ms = prober.lag_ms()
    causes = () if is_cut_off else common_causes(run.hosts, found, policy)
    ended_at = started_at + timedelta(seconds=time.monotonic() - begun)
    return Sweep(sweep_id, started_at, ended_at, tuple(found), is_cut_off, lag_ms, causes)


def _is_connected(run: Round, policy: ProbePolicy, until: float) -> bool:
    """Return whether one of the canaries answers, whatever it says; without canaries nobody can tell, and we go on."""
    if not policy.canaries:
        return True
    canaries = [Target(f"canary {url}", None, url) for url in policy.canaries]
    results = run.probe(canaries, until, enough=_has_answered)
    for canary, result in zip(canaries, results, strict=True):
        if result.outcome is Outcome.ADDRESS_REFUSED:
            raise ConfigurationError(
                f"the canary {canary.url} stands at an address that the policy does not allow; "
                f"list its network under networks in probing.yaml, or name another canary"
            )
    return any(_has_answered(result) for result in results)


def _has_answered(result: ProbeResult) -> bool:
    return result.status is not None or result.outcome in _ANSWERED


def _mostly_failed(results: Sequence[ProbeResult]) -> bool:
    failed = sum(1 for r in results if r.outcome.is_failure and not _has_answered(r))
    probed = sum(1 for r in results if not r.outcome.is_inconclusive)
    return failed * 2 > probed
