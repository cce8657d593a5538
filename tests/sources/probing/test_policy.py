"""The card of probing: sane without a word, laid over by the bureau's, and plain about what is wrong."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from include.errors import CardError
from include.sources.checked_yaml import SCHEMAS
from include.sources.probing.policy import DEFAULTS, ProbePolicy, load_policy


def test_the_defaults_name_every_key() -> None:
    keys = set(json.loads((SCHEMAS / "config" / "probing.v1.json").read_text("utf-8"))["properties"])
    assert set(yaml.safe_load(DEFAULTS.read_text("utf-8"))) == keys
    assert {f.name for f in fields(ProbePolicy)} == (keys - {"networks"}) | {"addresses"}
    policy = load_policy()
    assert policy.connect_seconds <= policy.total_seconds <= policy.sweep_seconds
    assert 200 in policy.good_statuses and 204 in policy.good_statuses and 302 not in policy.good_statuses
    assert policy.addresses.networks == () and policy.canaries == () and policy.ca_file is None


def test_a_bureaus_file_is_laid_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    assert load_policy().per_host == 4, "a folder without the file changes nothing"
    text = (
        'networks: [10.20.0.0/16]\nper_host: 2\ngood_statuses: ["200-204", 401, "403"]\ncanaries: [http://10.20.0.1/]\n'
    )
    (tmp_path / "probing.yaml").write_text(text)
    policy = load_policy()
    assert policy.per_host == 2 and policy.concurrency == 100
    assert [str(n) for n in policy.addresses.networks] == ["10.20.0.0/16"]
    assert policy.good_statuses == {200, 201, 202, 203, 204, 401, 403}
    assert policy.canaries == ("http://10.20.0.1/",)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("concurency: 5", "unexpected"),
        ("concurrency: 0", "1 to 1000"),
        ("concurrency: many", "1 to 1000"),
        ("networks: [10.20.0.0/33]", "write CIDR"),
        ("networks: 10.20.0.0/16", "CIDR"),
        ("good_statuses: [299-200]", "200-299"),
        ("good_statuses: [700]", "200-299"),
        ("good_statuses: []", "200-299"),
        ("canaries: [ftp://h/]", "http"),
        ("canaries: [http://user:pw@h/]", "write an address"),
        ("ca_file: absent.pem", "name a PEM file"),
        ("ca_file: probing.yaml", "name a PEM file"),
        ("common_share_percent: 0", "1 to 100"),
        ("user_agent: 衡", "ASCII"),
        ("total_seconds: 250", "make total_seconds the smaller one"),
        ("sweep_seconds: 5", "raise sweep_seconds"),
        ("connect_seconds: 11", "make connect_seconds the smaller one"),
        ("concurrency: [", "indentation"),
    ],
)
def test_what_is_wrong_is_named_with_its_line_and_fix(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: str, says: str
) -> None:
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    path = tmp_path / "probing.yaml"
    path.write_text(f"# ours\nper_host: 2\n{line}\n", "utf-8")
    with pytest.raises(CardError) as caught:
        load_policy()
    assert caught.value.file == str(path)
    assert caught.value.line in (3, 4), str(caught.value)
    assert says in str(caught.value)


def test_the_authority_lies_beside_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    from include.sandbox.certificates import Authority

    Authority(tmp_path)
    path = tmp_path / "probing.yaml"
    path.write_text("ca_file: gateway-ca.pem\n")
    assert load_policy().ca_file == tmp_path / "gateway-ca.pem"
