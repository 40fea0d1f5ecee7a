"""The centre of a race, and the same site with one of its guards taken out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import sqlalchemy as sa

from tests import servers, stores
from tests.live import Live
from tests.races.centre import Centre


class Unguarded(Live):
    """The site of tests/races/unguarded.py, without a worker."""

    application = "tests.races.unguarded:app"


@pytest.fixture
def centre(live: Live) -> Centre:
    """On the site as it is."""
    return Centre(live)


@pytest.fixture
def centre_without(
    databases: stores.Store, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Centre]]:
    """``centre_without("place")``: the same on a site of its own with that guard taken out.

    There the database's own guard, one live booking for each place, is gone as well.
    """
    with ExitStack() as stack:

        def start(guard: str) -> Centre:
            folder = tmp_path_factory.mktemp("unguarded")
            site = stack.enter_context(
                servers.closing(Unguarded(databases.create(folder.name), folder))
            )
            site.environ["WITHOUT"] = guard
            with site.engine.begin() as connection:
                connection.execute(sa.text("DROP INDEX uq_appointment_slot_kept"))
            site.start_web()
            return Centre(site)

        yield start
