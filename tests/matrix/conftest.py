"""The world of the matrix: one for each engine, in a database of its own, put back after every change."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from app.extensions import db
from tests import stores
from tests.conftest import settings_for
from tests.esia import NOWHERE
from tests.matrix.world import World


@pytest.fixture(scope="session")
def open_app(databases: stores.Store, new_app: Callable[..., Flask]) -> Iterator[Flask]:
    """The application as it runs: a fault is answered with 500, not raised."""
    app = new_app(settings_for(databases.create("matrix"), MODE="demo", **NOWHERE))
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="session")
def world(open_app: Flask) -> World:
    with open_app.app_context():
        return World(open_app, db.engine)
