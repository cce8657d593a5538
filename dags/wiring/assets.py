"""The assets that join the DAGs: a mark that a part of the data was updated, with what updated it."""

from __future__ import annotations

from airflow.sdk import Asset

PROJECTS = Asset(name="ledger_projects", uri="shuheng://ledger/projects")
SYSTEMS = Asset(name="ledger_systems", uri="shuheng://ledger/systems")
INTERCONNECTIONS = Asset(name="ledger_interconnections", uri="shuheng://ledger/interconnections")
USAGE = Asset(name="ledger_usage", uri="shuheng://ledger/usage")
RESOURCES = Asset(name="ledger_resources", uri="shuheng://ledger/resources")
FINDINGS = Asset(name="findings", uri="shuheng://findings")
