"""Which approval items count is configuration: our words, and a bureau's own laid over them."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.errors import CardError
from include.rules.approval_facts import ApprovalKinds


def test_the_shipped_words_tell_the_items_of_the_platforms() -> None:
    kinds = ApprovalKinds.load()
    assert kinds.of("政府投资项目可行性研究报告审批") == ["feasibility"]
    assert kinds.of("可研审批") == ["feasibility"]
    assert kinds.of("政府投资项目初步设计及概算审批") == ["design"]
    assert kinds.of("可行性研究报告与初步设计合并审批") == ["design", "feasibility"]
    assert kinds.of("政府投资项目建议书审批") == []


def test_a_bureau_words_one_kind_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "approval_items.yaml").write_text("kinds:\n  design: [扩初]\n", "utf-8")
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    kinds = ApprovalKinds.load()
    assert (kinds.of("扩初批复"), kinds.of("初步设计审批"), kinds.of("可研审批")) == (["design"], [], ["feasibility"])


@pytest.mark.parametrize(
    "text", ["kinds: {}", "kinds: {feasibility: []}", "kinds: {other: [其他]}", "kinds: {design: [计]}"]
)
def test_words_that_cannot_be_used_are_refused(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "approval_items.yaml").write_text(text, "utf-8")
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    with pytest.raises(CardError, match=r"approval_items\.yaml"):
        ApprovalKinds.load()
