"""The product's own server with the yardstick mounted beside the application, which the product never does.

`python -m tests.bench.serving CONFIG` serves until SIGTERM.
"""

import json
import os
import sys
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from sqlalchemy import Column, LargeBinary, MetaData, Table, Uuid, insert

import signals.operations.server
from signals.app import make_worker, open_issuer, prepare_app
from signals.db import make_engine
from signals.settings import Settings, load_settings

YARDSTICK_PATH = "/bench/yardstick"
ROW_BYTES = 2096 + 3 * 32 + 2 * 16
"""What a sealed report has besides its id: envelope, three hashes, two ids."""

metadata = MetaData()
rows = Table(
    "bench_rows",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("payload", LargeBinary, nullable=False),
)

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def with_yardstick(settings: Settings) -> Callable[[], Flask]:
    """Return a function that makes the application, with its yardstick at `YARDSTICK_PATH`."""
    make_app = prepare_app(settings)

    def make() -> Flask:
        app = make_app()
        app.wsgi_app = _either(app.wsgi_app, make_yardstick(settings))  # type: ignore[assignment, method-assign]
        return app

    return make


def _either(application: Wsgi, yardstick: Wsgi) -> Wsgi:
    def either(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        chosen = yardstick if environ["PATH_INFO"] == YARDSTICK_PATH else application
        return chosen(environ, start_response)

    return either


def make_yardstick(settings: Settings) -> Flask:
    """Parse the same JSON, run one bare INSERT of a row of the same size through Core in `engine.begin()`."""
    app = Flask("yardstick")
    engine = make_engine(settings.database.url, pool_size=settings.database.pool_size)
    payload = os.urandom(ROW_BYTES)
    answer = json.dumps({"stored": True}).encode()

    @app.post(YARDSTICK_PATH)
    def store() -> Response:
        json.loads(request.get_data())
        with engine.begin() as connection:
            connection.execute(insert(rows), {"id": uuid.uuid4(), "payload": payload})
        return Response(answer, status=201, content_type="application/json")

    return app


if __name__ == "__main__":
    signals.operations.server.serve(
        load_settings(Path(sys.argv[1]), {}),
        prepare_app=with_yardstick,
        make_worker=make_worker,
        open_issuer=open_issuer,
    )
