"""Serve the files of `benchmarks.catalogue_forms` on loopback: `python -m benchmarks.catalogue_server FOLDER` prints its port.

What `FOLDER/now` points to is served, so the runner changes the catalogue by changing a link. CKAN's pages by `start`.
"""

from __future__ import annotations

import json
import shutil
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

TYPES = {
    ".json": "application/json", ".ttl": "text/turtle", ".rdf": "application/rdf+xml", ".jsonld": "application/ld+json",
}  # fmt: skip


def serve(folder: Path) -> None:
    """Serve until the process is ended."""
    now = folder / "now"

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            name = asked.path.rpartition("/")[2]
            if name == "package_search":
                name = f"ckan-{parse_qs(asked.query).get('start', ['0'])[0]}.json"
            file = now / name
            self.send_response(200)
            self.send_header("Content-Type", TYPES[file.suffix])
            self.send_header("Content-Length", str(file.stat().st_size))
            self.end_headers()
            with file.open("rb") as body:
                shutil.copyfileobj(body, self.wfile, 1 << 20)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(json.dumps({"port": server.server_port}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
