"""Who does something."""

from __future__ import annotations

from dataclasses import dataclass

from app.models.account import Account
from app.models.enums import ActorKind
from app.models.staff import StaffUser


@dataclass(frozen=True)
class Actor:
    """Kind and id, as history and audit keep them."""

    kind: ActorKind
    id: int | None = None


SYSTEM = Actor(ActorKind.SYSTEM)


def actor_of(user: Account | StaffUser) -> Actor:
    kind = ActorKind.STAFF if isinstance(user, StaffUser) else ActorKind.ACCOUNT
    return Actor(kind, user.id)
