"""The numbers of undelivered letters: found at once, however many letters there are."""

from __future__ import annotations

import uuid

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.models import Message
from app.models.enums import MessageKind, MessageStatus, Role
from app.rules import access, ledger
from tests import make
from tests.make import NOW
from tests.statements import analyze, plans


def test_dead_letters_are_found_by_an_index_of_their_own(session: Session) -> None:
    tenant = make.make_tenant(session)
    user = make.make_staff(session, Role.REGISTRAR, tenant.root)
    letters = [
        {
            "tenant_id": tenant.id,
            "key": f"test:{number}",
            "kind": MessageKind.APPROVED,
            "status": MessageStatus.DEAD if number % 1000 == 0 else MessageStatus.SENT,
            "uid": uuid.UUID(int=number),
            "run_at": NOW,
            "created_at": NOW,
        }
        for number in range(1, 3001)
    ]
    session.execute(insert(Message), letters)
    analyze(session, "message")
    scope = access.staff_scope(session, user, "messages.view")

    def look() -> None:
        assert ledger.count_dead(session) == 3
        assert len(ledger.latest_dead(session)) == 3

    found = plans(session, look, naming="message.status", scope=scope)
    assert len(found) == 2
    for plan in found:
        assert any("ix_message_dead" in line for line in plan), plan
