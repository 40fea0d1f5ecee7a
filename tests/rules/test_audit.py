"""Writing down whose cards were seen: one event, and one statement for all that stood on the page."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from app.models import AccessEvent, AccessSubject
from app.models.enums import Role
from app.rules import audit
from tests import make
from tests.statements import statements


def test_a_page_of_many_is_written_down_in_two_statements(session: Any, now: Any) -> None:
    tenant = make.make_tenant(session)
    user = make.make_staff(session, Role.REGISTRAR, tenant.root)
    donors = [make.make_donor(session, tenant) for _ in range(20)]
    records = [make.make_record(session, tenant, donor) for donor in donors[:5]]
    session.flush()
    with statements(session) as written:
        audit.seen(
            session,
            action="donors.list",
            staff_user_id=user.id,
            now=now,
            tenant_id=tenant.id,
            person_ids=[donor.person.id for donor in donors],
            record_ids=[record.id for record in records],
        )
    assert len(written) == 2, written
    seen = session.scalars(select(AccessEvent)).one()
    subjects = session.execute(
        select(AccessSubject.person_id, AccessSubject.record_id).where(
            AccessSubject.event_id == seen.id
        )
    ).all()
    assert {row.person_id for row in subjects} == {None, *(d.person.id for d in donors)}
    assert {row.record_id for row in subjects} == {None, *(r.id for r in records)}


def test_a_page_of_nobody_leaves_nothing(session: Any, now: Any) -> None:
    tenant = make.make_tenant(session)
    user = make.make_staff(session, Role.REGISTRAR, tenant.root)
    audit.seen(session, action="x", staff_user_id=user.id, now=now, tenant_id=tenant.id)
    assert session.scalars(select(AccessEvent)).all() == []
