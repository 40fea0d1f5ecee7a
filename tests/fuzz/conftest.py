"""A world of the fuzzer's own, and what the site's forms ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from app.extensions import db
from tests import stores
from tests.conftest import settings_for
from tests.esia import NOWHERE
from tests.fuzz.requests import Forms
from tests.matrix.world import World


@pytest.fixture(scope="session")
def fuzzed(databases: stores.Store, new_app: Callable[..., Flask]) -> Iterator[World]:
    app = new_app(settings_for(databases.create("fuzz"), MODE="demo", **NOWHERE))
    with app.app_context():
        world = World(app, db.engine)
    yield world
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="session")
def forms(fuzzed: World) -> Forms:
    found = Forms()
    found.learn(fuzzed)
    return found
