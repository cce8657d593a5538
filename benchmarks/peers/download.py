"""Only download every page: shows that the platform is not what the others wait for."""

from __future__ import annotations

import json
import sys

from exchange import Exchange

total = sum(len(body) for body in Exchange().bodies(sys.argv[1] if len(sys.argv) > 1 else None))
print(json.dumps({"bytes": total}))
