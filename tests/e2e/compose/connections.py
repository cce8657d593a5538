"""Print the connections of the shipped cards to the sandbox of the compose stack, as lines for the file of its environment.

    $C logs --no-log-prefix sandbox | .venv/bin/python tests/e2e/compose/connections.py >>/tmp/d/env

The first line that the sandbox prints names its keys. The endpoints that are probed listen on the loopback of the sandbox's own
container: from a worker nothing is reached, which must end as unknown, not as down. The channels of the alerts are left out:
without a routing.yaml of one's own, alerts are files.
"""

from __future__ import annotations

import json
import sys

from include.sandbox.airflow_home import connection_environment

NETWORKS = ["172.16.0.0/12", "127.80.0.0/16"]
"""Where containers are, and where the sandbox's endpoints say that they are."""


def main() -> None:
    """Read the sandbox's ready line and print one line for each connection."""
    ready = json.loads(sys.stdin.readline()) | {"url": "http://sandbox:18100"}
    for name, text in connection_environment(ready).items():
        if not name.startswith("AIRFLOW_CONN_ALERT"):
            connection = json.loads(text)
            extra = connection.get("extra", {})
            if "networks" in extra:
                connection["extra"] = {"networks": NETWORKS}
            print(f"{name}={json.dumps(connection, ensure_ascii=False)}")


if __name__ == "__main__":
    main()
