"""Fixtures of the back office's pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.rules.invariants import check_invariants
from tests.admin.registrar import Desk
from tests.client import Visitor


@pytest.fixture
def desk(store: Session, as_staff: Callable[..., Visitor], clock: Any) -> Iterator[Desk]:
    made = Desk(store, as_staff, clock)
    yield made
    store.rollback()
    assert check_invariants(store, now=clock.now) == []
