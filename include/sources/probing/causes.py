"""Finds what endpoints of one host have in common, so that a gateway that is down is one cause and not fifty."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from include.sources.probing.policy import ProbePolicy
from include.sources.probing.result import Cause, Outcome, ProbeResult


def common_causes(hosts: Mapping[str, str], results: Sequence[ProbeResult], policy: ProbePolicy) -> tuple[Cause, ...]:
    """Return a cause for every host with enough endpoints of which so many fail alike; `hosts` is by service code."""
    by_host: dict[str, list[ProbeResult]] = defaultdict(list)
    for result in results:
        if not result.outcome.is_inconclusive and hosts.get(result.service_code):
            by_host[hosts[result.service_code]].append(result)
    causes = []
    for host in sorted(by_host):
        found = by_host[host]
        failures = Counter(r.outcome for r in found if _may_be_the_host(r))
        if len(found) < policy.common_least or not failures:
            continue
        outcome, count = failures.most_common(1)[0]
        if count * 100 >= policy.common_share_percent * len(found):
            services = tuple(sorted(r.service_code for r in found if r.outcome is outcome and _may_be_the_host(r)))
            causes.append(Cause(host, outcome, len(found), services))
    return tuple(causes)


def _may_be_the_host(result: ProbeResult) -> bool:
    """Return whether a failure can be that of the host; a 404 or another text is the service's own, however many have it."""
    if result.outcome is Outcome.WRONG_STATUS:
        return result.status is not None and result.status >= 500
    return result.outcome.is_failure and result.outcome is not Outcome.WRONG_BODY
