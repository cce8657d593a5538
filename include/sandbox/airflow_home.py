"""The folder a local stack lives in: its databases, logs and secrets, and the environment made of them.

For trying out only: SQLite, LocalExecutor, SimpleAuthManager. Production is docker-compose.yml.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.errors import ConfigurationError
from include.sandbox.channels.demo_routing import OFFICE, SENDER, demo_routing
from include.settings import ROOT

USERS = {"admin": "admin", "engineer": "user", "ops": "op", "leader": "viewer"}
"""User → role of the SimpleAuthManager."""
HOST = "127.0.0.1"
GATEWAYS = {"networks": ["127.80.0.0/16"]}
"""Where the sandbox's endpoints to probe stand; its traps stand elsewhere."""
LOOPBACK = {"networks": ["127.0.0.0/8"]}


@dataclass(frozen=True, slots=True)
class Home:
    """Where everything of one local stack lies."""

    path: Path

    @property
    def airflow(self) -> Path:
        """Return Airflow's own home."""
        return self.path / "airflow"

    @property
    def logs(self) -> Path:
        """Return the folder of the components' logs; task logs lie in `tasks` below it."""
        return self.path / "logs"

    @property
    def ledger(self) -> Path:
        """Return the file of the ledger."""
        return self.path / "ledger.db"

    @property
    def landing(self) -> Path:
        """Return the landing zone."""
        return self.path / "landing"

    @property
    def outside(self) -> Path:
        """Return where the sandbox keeps its front-end database and its plans."""
        return self.path / "outside"

    @property
    def config(self) -> Path:
        """Return the folder of this home's own configuration: `routing.yaml`, and whatever somebody tries out."""
        return self.path / "config"

    @property
    def passwords_file(self) -> Path:
        """Return the JSON file of the users' passwords."""
        return self.path / "secrets" / "passwords.json"

    def prepare(self) -> None:
        """Make the folders; secrets are for the owner only."""
        for folder in (self.airflow, self.logs / "tasks", self.landing, self.outside, self.config):
            folder.mkdir(parents=True, exist_ok=True)
        self.passwords_file.parent.mkdir(mode=0o700, exist_ok=True)
        self.passwords_file.parent.chmod(0o700)
        routing = self.config / "routing.yaml"
        if not routing.exists():  # what somebody has changed stays
            _replace(routing, demo_routing(), 0o644)
        self.passwords()  # before Airflow looks, or it makes the file itself, readable by everybody

    def secret(self, name: str) -> str:
        """Return a random text of 64 characters, made once a home."""
        return _once(self.path / "secrets" / name, lambda: secrets.token_hex(32))

    def fernet_key(self) -> str:
        """Return the key Airflow encrypts connections with, made once a home."""
        return _once(
            self.path / "secrets" / "fernet", lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        )

    def passwords(self) -> dict[str, str]:
        """Return the users' passwords, made once a home."""
        text = _once(self.passwords_file, lambda: json.dumps({user: secrets.token_urlsafe(12) for user in USERS}))
        found: dict[str, str] = json.loads(text)
        return found

    def read_state(self) -> dict[str, Any]:
        """Return what the sandbox of this home has been through: size, seed and movements of time."""
        file = self.outside / "state.json"
        if not file.exists():
            return {}
        try:
            state: dict[str, Any] = json.loads(file.read_text("utf-8"))
        except ValueError as error:
            raise ConfigurationError(f"{file} cannot be read ({error}); start afresh with make clean") from error
        return state

    def write_state(self, state: dict[str, Any]) -> None:
        """Remember what the sandbox has been through; it forgets when it is stopped."""
        _replace(self.outside / "state.json", json.dumps(state), 0o644)


def _once(file: Path, make: Any) -> str:
    """Return the text of a file that is made, for the owner only, the first time."""
    if not file.exists():
        _replace(file, make(), 0o600)
    return file.read_text("ascii")


def _replace(file: Path, text: str, mode: int) -> None:
    beside = file.with_name(file.name + ".new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as sink:
        sink.write(text)
    beside.replace(file)


def airflow_environment(home: Home, port: int, dags: Path = ROOT / "dags") -> dict[str, str]:
    """Return the environment of every component: this process's own, without its Airflow settings, plus ours."""
    # Without compiled modules every task and every parsing of a DAG's file would compile the project anew.
    foreign = ("AIRFLOW", "_AIRFLOW", "SHUHENG_", "MAKE", "PYTHONDONTWRITEBYTECODE")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
    url = f"http://{HOST}:{port}"
    users = ",".join(f"{user}:{role}" for user, role in USERS.items())
    auth_manager = "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
    return kept | {
        # Loopback must not go through a proxy that this machine may have.
        "NO_PROXY": ",".join(filter(None, [kept.get("NO_PROXY", ""), HOST, "localhost"])),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "AIRFLOW_HOME": str(home.airflow),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home.airflow / 'airflow.db'}",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DEFAULT_TIMEZONE": "Asia/Shanghai",
        "AIRFLOW__CORE__FERNET_KEY": home.fernet_key(),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__AUTH_MANAGER": auth_manager,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": users,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home.passwords_file),
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API_AUTH__JWT_SECRET": home.secret("jwt"),
        # The first request builds the whole interface: on a busy machine that takes longer than the five seconds of the default,
        # and a task that nobody answered is killed.
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home.logs / "tasks"),
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        # A DAG's file that was changed is parsed at once all the same, and a card that was when somebody asks Airflow to parse
        # anew; every half minute all of them would take a third of a core.
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",
        # Unpaused, a DAG would at once make up its last scheduled run, beside those that are shown here.
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
        "LEDGER_URL": f"sqlite:///{home.ledger}",
        "LANDING_URL": str(home.landing),
        "DATASETS_URL": str(home.path / "datasets"),
        "SPOOL_URL": str(home.path / "spool"),
        "SHUHENG_CONFIG": str(home.config),
        "PUBLIC_URL": url,
    }


def connection_environment(ready: dict[str, Any]) -> dict[str, str]:
    """Return the connections of the shipped cards to the sandbox that printed this ready line."""
    host, port = ready["url"].removeprefix("http://").split(":")
    http = {"conn_type": "http", "host": host, "port": int(port), "extra": LOOPBACK}
    provincial, zj, channels = ready["provincial"], ready["zj"], ready["channels"]
    connections = {
        "provincial_approval": http | {"login": provincial["rid"], "password": provincial["appkey"]},
        "zj_projects": http | {"login": zj["app_key"], "password": zj["app_secret"]},
        "approval_frontdb": {"conn_type": "sqlite", "extra": {"url": ready["frontdb"]}},
        "annual_plan": {"conn_type": "fs", "extra": {"path": ready["plans"]}},
        "exchange": http | {"login": ready["exchange"]["rid"], "password": ready["exchange"]["appkey"]},
        "city_cloud": http | {"login": ready["cloud"]["paasid"], "password": ready["cloud"]["token"]},
        "usage_statistics": http | {"login": ready["usage"]["app_key"], "password": ready["usage"]["app_secret"]},
        "probing": {"conn_type": "generic", "extra": GATEWAYS | {"ca_file": ready["gateway"]["ca_file"]}},
        "system_register": {"conn_type": "fs", "extra": {"path": ready["register"]}},
        "project_dossier": {"conn_type": "fs", "extra": {"path": ready["dossiers"]}},
        "usage_files": {"conn_type": "fs", "extra": {"path": ready["usage_files"]}},
        "ckan_portal": http,
        "dcat_portal": http,
        "datajson_portal": http,
        "municipal_portal": http,
        "catalogue_files": {"conn_type": "fs", "extra": {"path": ready["catalogues"]["workbooks"]}},
        "alert_dingtalk": _robot(http, channels["dingtalk"], "access_token"),
        "alert_wecom": _robot(http, channels["wecom"], "key"),
        "alert_feishu": _robot(http, channels["feishu"], "hook"),
        "alert_webhook": _robot(http, channels["webhook"], "secret"),
        "alert_mail": _mail(channels["mail"]),
    }
    return {f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in connections.items()}


def _robot(http: dict[str, Any], robot: dict[str, str], password: str) -> dict[str, Any]:
    """Return the connection of a chat robot or webhook; a robot that signs has its secret in the extra."""
    signing = {"secret": robot["secret"]} if password != "secret" and "secret" in robot else {}  # noqa: S105  a field's name
    return http | {"password": robot[password], "extra": LOOPBACK | {"path": robot["path"]} | signing}


def _mail(server: dict[str, Any]) -> dict[str, Any]:
    extra = {"security": "starttls", "ca_file": server["ca_file"], "from": SENDER, "to": [OFFICE]}
    named = {name: server[name] for name in ("host", "port", "login", "password")}
    return {"conn_type": "smtp", **named, "extra": LOOPBACK | extra}
