"""Connections from the environment: both forms that Airflow documents, and no secret in any message."""

from __future__ import annotations

import json
import re
import traceback
from typing import Any

import pytest

from include.connections import Connection, get_connection
from include.errors import ConfigurationError

NAME = "AIRFLOW_CONN_BUREAU"
SECRET = "geheim-8f3a/+=@ 密钥"


def _with(monkeypatch: pytest.MonkeyPatch, value: Any) -> Connection:
    monkeypatch.setenv(NAME, value if isinstance(value, str) else json.dumps(value))
    return get_connection("bureau")


def test_the_json_form_is_read_with_secrets_and_extras(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _with(
        monkeypatch,
        {
            "conn_type": "http", "host": "10.1.2.3", "port": 8080, "login": "rid", "password": SECRET, "schema": "https",
            "extra": {"sid": "s1"},
        },
    )  # fmt: skip
    assert (found.conn_id, found.conn_type, found.host, found.port) == ("bureau", "http", "10.1.2.3", 8080)
    assert (found.login, found.password, found.schema, found.extra) == ("rid", SECRET, "https", {"sid": "s1"})
    assert found.base_url == "https://10.1.2.3:8080"


@pytest.mark.parametrize("extra", [{"a": [1, {"b": "双"}]}, '{"a": [1, {"b": "双"}]}'])
def test_extras_may_be_an_object_or_its_text(monkeypatch: pytest.MonkeyPatch, extra: Any) -> None:
    assert _with(monkeypatch, {"conn_type": "fs", "extra": extra}).extra == {"a": [1, {"b": "双"}]}


@pytest.mark.parametrize("empty", [None, "", {}])
def test_what_is_left_out_of_the_json_form_is_empty(monkeypatch: pytest.MonkeyPatch, empty: Any) -> None:
    found = _with(monkeypatch, {"conn_type": "http", "host": "h", "extra": empty, "port": None, "login": None})
    assert (found.port, found.login, found.password, found.extra) == (None, "", "", {})


def test_the_uri_form_is_read_with_escaped_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _with(monkeypatch, "http://rid:a%2Fb%40c@10.1.2.3:8080/https?sid=s1&networks=10.0.0.0%2F8")
    assert (found.conn_type, found.host, found.port, found.schema) == ("http", "10.1.2.3", 8080, "https")
    assert (found.login, found.password) == ("rid", "a/b@c")
    assert found.extra == {"sid": "s1", "networks": "10.0.0.0/8"}


def test_nested_extras_of_the_uri_form_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _with(
        monkeypatch, "generic://h/?__extra__=%7B%22url%22%3A%20%22sqlite%3A%2F%2F%2Fx%22%2C%20%22n%22%3A%20%5B1%5D%7D"
    )
    assert found.extra == {"url": "sqlite:///x", "n": [1]}


@pytest.mark.airflow
@pytest.mark.xdist_group("airflow")  # on the worker that has imported it: to import it costs seconds
@pytest.mark.filterwarnings("ignore")
def test_both_forms_mean_the_same_to_airflow_and_to_us(monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow itself writes the two forms."""
    from airflow.sdk import Connection as Theirs

    there = Theirs(
        conn_id="bureau", conn_type="http", host="10.1.2.3", port=8080, login="rid", password=SECRET, schema="https",
        extra=json.dumps({"sid": "s1", "n": [1]}),
    )  # fmt: skip
    for text in [there.get_uri(), *([there.as_json()] if hasattr(there, "as_json") else [])]:
        found = _with(monkeypatch, text)
        assert (found.conn_type, found.host, found.port, found.schema) == ("http", "10.1.2.3", 8080, "https")
        assert (found.login, found.password, found.extra) == ("rid", SECRET, {"sid": "s1", "n": [1]})


@pytest.mark.parametrize(
    ("connection", "url"),
    [
        (Connection("c", "http", "h"), "http://h"),
        (Connection("c", "https", "h", 8443), "https://h:8443"),
        (Connection("c", "http", "h", 80, schema="https"), "https://h:80"),
        (Connection("c", "http", "https://gateway.example/base/"), "https://gateway.example/base"),
        (Connection("c", "http", "http://127.0.0.1", 8000), "http://127.0.0.1:8000"),
    ],
)
def test_the_base_address_is_put_together_as_airflow_users_write_it(connection: Connection, url: str) -> None:
    assert connection.base_url == url


def test_a_connection_that_is_not_defined_is_answered_with_how_to_define_it() -> None:
    with pytest.raises(ConfigurationError, match=f"'bureau' is not defined.*Admin › Connections.*{NAME}"):
        get_connection("bureau")


@pytest.mark.parametrize(
    "value",
    [
        json.dumps({"password": SECRET})[:-1],
        json.dumps({"password": SECRET, "port": "eighty"}),
        json.dumps({"password": SECRET, "port": [1]}),
        json.dumps({"password": SECRET, "extra": "{no json"}),
        f"no uri {SECRET}",
        SECRET,
    ],
)
def test_what_cannot_be_read_is_named_and_its_secret_is_not(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    with pytest.raises(ConfigurationError, match=NAME) as caught:
        _with(monkeypatch, value)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        "http://rid:geheim@h:eighty/",
        "http://rid:geheim@h:99999/",
        "http://rid:geheim@[::1/",
        "http://rid:geheim/with-a-slash@h/",
        "generic://h/?__extra__=%7Bgeheim",
        '["geheim"]',
        '{"password": "geheim", "extra": "[1]"}',
        '{"password": "geheim", "extra": [1]}',
    ],
)
def test_odd_values_are_configuration_errors_too(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    with pytest.raises(ConfigurationError, match=NAME) as caught:
        _with(monkeypatch, value)
        get_connection("bureau").extra.items()
    told = "".join(traceback.format_exception(caught.value))
    assert "geheim" not in re.sub(r"(?m)^ .*$", "", told)  # the lines of code are those of this test


def test_a_connection_shows_neither_password_nor_extras(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _with(
        monkeypatch, {"conn_type": "http", "host": "h", "login": "rid", "password": SECRET, "extra": {"token": SECRET}}
    )
    assert found.extra["token"] == SECRET
    for shown in (repr(found), str(found), f"{found}"):
        assert "geheim" not in shown
        assert "host='h'" in shown
