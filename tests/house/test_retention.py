"""`retention.yaml`: what is shipped holds, a bureau's own lies over it, and what is wrong names file, line and fix."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from include import house_commands, house_tasks
from include.errors import CardError
from include.house.keeping import KINDS
from include.house.retention import load_retention


def own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    (tmp_path / "retention.yaml").write_text(text, "utf-8")
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))


def test_what_is_shipped_holds_and_names_every_kind() -> None:
    shipped = load_retention()
    assert set(shipped.keep_days) == set(KINDS) == set(house_tasks.KINDS) == set(house_commands.TITLES)
    assert list(KINDS) == list(house_tasks.KINDS)
    assert (shipped.last_releases, shipped.last_of_month, shipped.legal_holds) == (30, True, ())
    assert shipped.keep_days["probe_days"] >= shipped.replay_days + 60
    assert shipped.cutoff("spool_files", date(2026, 4, 1)) == date(2026, 1, 1)


def test_a_bureaus_own_names_only_what_is_to_differ(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shipped = load_retention()
    holds: list[dict[str, Any]] = [
        {"ground": "双纪函〔2026〕12号", "until": "2027-12-31", "source": "payments"},
        {"ground": "审计", "until": "2026-06-30", "from": "2026-01-01", "to": "2026-03-31"},
    ]
    data = {"keep_days": {"spool_files": 7}, "last_releases": 5, "legal_holds": holds}
    own(monkeypatch, tmp_path, yaml.safe_dump(data, allow_unicode=True))
    found = load_retention()
    assert found.keep_days == {**shipped.keep_days, "spool_files": 7}
    assert (found.last_releases, found.replay_days) == (5, shipped.replay_days)
    payments, audit = found.legal_holds
    assert (payments.source, payments.until, payments.first) == ("payments", date(2027, 12, 31), None)
    assert (audit.first, audit.last) == (date(2026, 1, 1), date(2026, 3, 31))
    assert [audit.spans(date(2026, m, d)) for m, d in ((1, 1), (3, 31), (4, 1))] == [True, True, False]
    assert found.holds_on(date(2026, 6, 30)) == (payments, audit)
    assert found.holds_on(date(2026, 7, 1)) == (payments,)


HOLD = '- {ground: 审计, until: "2027-01-01"'
WRONG = {
    "probes": ("keep_days:\n  probe_days: 100\n", 2, "at least 790 days"),
    "kind": ("keep_days:\n  findings: 100\n", 2, "findings"),
    "number": ("last_releases: 0\n", 1, "1 to 10000"),
    "pages": ("keep_days: {landing_pages: 1}\n", 1, "30 to 36500"),
    "about nothing": (f"legal_holds:\n{HOLD}}}\n", 2, "ground, until, and source"),
    "half a span": (f'legal_holds:\n{HOLD}, from: "2026-01-01"}}\n', 2, "from and to"),
    "backwards": (f'legal_holds:\n{HOLD}, from: "2026-02-01", to: "2026-01-01"}}\n', 2, "swap from and to"),
    "no day": ('legal_holds:\n- {ground: 审计, source: x, until: "2027-02-30"}\n', 2, "2027-12-31"),
    "no ground": ('legal_holds:\n- {source: x, until: "2027-02-01"}\n', 2, "ground"),
    "finding": (f"legal_holds:\n{HOLD}, finding: abc}}\n", 2, "32 characters"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_names_the_file_the_line_and_the_fix(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, case: str
) -> None:
    text, line, fix = WRONG[case]
    own(monkeypatch, tmp_path, text)
    with pytest.raises(CardError) as refused:
        load_retention()
    assert refused.value.file == str(tmp_path / "retention.yaml")
    assert refused.value.line == line, refused.value
    assert fix in str(refused.value)
