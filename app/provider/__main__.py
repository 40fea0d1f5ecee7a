"""``python -m app.provider --port 8001 --site http://localhost:8000 --secret FILE``: for ``./talon run`` alone."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from werkzeug.serving import make_server

from app.provider.people import citizens, password
from app.provider.site import Client, Provider, make


def main() -> None:
    said = argparse.ArgumentParser()
    said.add_argument("--port", type=int, required=True)
    said.add_argument("--site", required=True, help="the address of Talon")
    said.add_argument("--secret", type=Path, required=True, help="file with the client's secret")
    given = said.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    client = Client("talon", given.secret.read_text().strip(), [f"{given.site}/sign-in/esia/back"])
    provider = Provider(f"http://localhost:{given.port}", [client], citizens(), password())
    make_server("127.0.0.1", given.port, make(provider), threaded=True).serve_forever()


if __name__ == "__main__":
    main()
