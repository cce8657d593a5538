"""Figures as people read them: medians with their spread, one row a contestant and phase."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from benchmarks.contestants import ALL, PHASES
from benchmarks.rounds import Sample

HEADING = (
    "| into | contestant | phase | n | wall s: median (min–max) | rows/s | client CPU s: user + sys | server CPU s "
    "| peak MiB over python | rows written |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)
PHASE_TITLES = {
    "first": "first load", "again": "all again, unchanged", "incremental": "1 % changed, incremental",
    "changed": "all again, 1 % changed",
}  # fmt: skip


def figures(samples: Iterable[Sample], database: str, name: str, phase: str) -> list[Sample]:
    """Return the samples of one contestant and phase."""
    return [s for s in samples if (s.database, s.contestant, s.phase) == (database, name, phase)]


def markdown(samples: list[Sample]) -> str:
    """Return all figures as a Markdown table."""
    lines = [HEADING]
    for phase in PHASES:
        for contestant in ALL:
            found = figures(samples, contestant.database, contestant.name, phase)
            if found:
                lines.append(_line(contestant.database, contestant.title, phase, found))
    return "\n".join(lines)


def _line(database: str, title: str, phase: str, found: list[Sample]) -> str:
    walls = [s.wall for s in found]
    wall = f"{median(walls):.2f} ({min(walls):.2f}–{max(walls):.2f})"
    work = median(s.work for s in found)
    if work < 0.98 * median(walls):
        wall += f"; without imports {work:.2f}"
    written = [s.written for s in found if s.written is not None]
    cells = [
        database, title, PHASE_TITLES[phase], str(len(found)), wall, f"{median(s.rows / s.wall for s in found):,.0f}",
        f"{median(s.user for s in found):.2f} + {median(s.sys for s in found):.2f}",
        f"{median(s.server for s in found):.2f}" if database == "postgres" else "–",
        f"{median(s.peak_mib for s in found):.0f}", f"{median(written):,.0f}" if written else "–",
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"
