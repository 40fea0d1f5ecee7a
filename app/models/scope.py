"""Who sees which rows. A session without a scope reads and writes nothing.

The scope is set once per request or job; ``app.models.narrowing`` holds every statement to it. Tables
say by the classes below whom their rows belong to.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ForeignKey, column
from sqlalchemy.orm import Mapped, Session, mapped_column

KEY = "scope"


class ScopeMissing(RuntimeError):
    """A statement ran on a session nobody gave a scope: a bug in the entry point."""


class OutOfScope(Exception):
    """A row of somebody else was about to be written. Shown as 404."""


@dataclass(frozen=True)
class Scope:
    """Whose rows a session may touch."""

    kind: Literal["public", "account", "staff", "system"]
    organization_ids: tuple[int, ...] = ()
    """Staff: every organization of the subtrees their roles are held over."""
    tenant_ids: tuple[int, ...] = ()
    """Staff: the roots of those subtrees."""
    above_ids: tuple[int, ...] = ()
    """Staff: what lies between those roots and the subtrees. Its rules hold below it (BookingPolicy)."""
    person_ids: tuple[int, ...] = ()
    """Account: the cards it keeps."""
    account_id: int | None = None
    staff_user_id: int | None = None
    everywhere: bool = False
    """Staff: a role held over the whole installation."""


PUBLIC = Scope("public")
SYSTEM = Scope("system")


class TenantScoped:
    """Belongs to a root organization: staff of another one never see it."""

    tenant_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)


class BranchScoped:
    """Belongs to one organization of a tree: staff see it if a role covers that organization."""

    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)


class _Unmapped:
    """Stands for a column that every subclass maps itself, while a criterion is being analysed."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, row: object, owner: type) -> Any:
        return column(self.name)


class PersonOwned:
    """About one person: an account sees it only for its own cards, the public never."""

    person_id: Any = _Unmapped("person_id")


class AccountOwned:
    """About one account of the public site: that account sees it, and staff where it keeps a card."""

    account_id: Any = _Unmapped("account_id")


class StaffOnly:
    """Never read on the public surface."""


def set_scope(session: Session, scope: Scope) -> None:
    session.info[KEY] = scope


def scope_of(session: Session) -> Scope:
    scope = session.info.get(KEY)
    if scope is None:
        raise ScopeMissing("this session has no scope; set one where the request or job begins")
    assert isinstance(scope, Scope)
    return scope


@contextmanager
def widened(session: Session, reason: str) -> Iterator[None]:
    """Read and write as the system for a few lines, for ``reason`` (sign-in, a token's owner).

    The session is flushed on the way in and out, so that each scope checks its own changes.
    """
    assert reason
    before = scope_of(session)
    session.flush()
    session.info[KEY] = SYSTEM
    try:
        yield
        session.flush()
    finally:
        session.info[KEY] = before
