"""A consent withdrawn on its page, with a worker that runs: what is due next does not leave (N15, C16, E56)."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import MailboxLetter, Message, Prescription
from app.models.cabinet_choices import NoticeEvent
from app.models.enums import AppointmentStatus as A
from app.models.enums import ConsentPurpose, MessageChannel, MessageStatus
from app.models.enums import MessageKind as K
from app.rules import notices, outbox
from tests import make
from tests.jobs.processes import now
from tests.live import Live
from tests.races.clients import Client

MINUTE = 60.0
WITHDRAWN = (ConsentPurpose.BOOKING, ConsentPurpose.DOCUMENTS, ConsentPurpose.MEDICATION)
KINDS = {K.REMINDER, K.DOCUMENT_COPY, K.MEDICATION_SMS}


def somebody(session: Session, tenant: make.Tenant, day: make.Schedule) -> make.KnownDonor:
    """Who has agreed to all, with a message of each kind that leaves in some seconds, and one a minute off."""
    at = now()
    donor = make.make_donor(session, tenant, now=at)
    donor.account.phone, donor.account.phone_confirmed_at = "+79001234567", at
    notices.choose(
        session, account_id=donor.account.id, event=NoticeEvent.MEDICATION, channel=MessageChannel.SMS,
        on=True, now=at,
    )  # fmt: skip
    for purpose in (ConsentPurpose.BOOKING, ConsentPurpose.MEDICATION):
        make.make_consent(session, donor.person, purpose, now=at, account_id=donor.account.id)
    make.make_confirmation(session, donor, now=at)
    booked = make.make_appointment(session, tenant, donor, day, status=A.BOOKED, now=at)
    booked.undo_until = None
    staff = make.make_staff(session, now=at)
    copy = make.make_copy(session, donor.person, staff, now=at)
    hour = f"{at.astimezone(ZoneInfo(tenant.root.time_zone)):%H:%M}"
    pills = Prescription(
        tenant_id=tenant.id, person_id=donor.person.id, medicine="Пробин", dose="1", hours=[hour],
        first_day=at.date() - dt.timedelta(days=1), last_day=at.date() + dt.timedelta(days=9),
        created_at=at, created_by_id=staff.id,
    )  # fmt: skip
    session.add(pills)
    session.flush()
    for kind, facts in (
        (K.REMINDER, {}),
        (K.DOCUMENT_COPY, {"document_id": copy.id}),
        (K.MEDICATION_SMS, {"prescription_id": pills.id, "hour": hour}),
    ):
        outbox.add(
            session, kind=kind, key=f"{kind}:{donor.account.id}", now=at, facts=facts,
            run_at=at + dt.timedelta(seconds=8), tenant_id=tenant.id, account_id=donor.account.id,
            appointment_id=booked.id if kind is K.REMINDER else None,
        )  # fmt: skip
    return donor


def ends(live: Live, account_id: int) -> Counter[tuple[K, MessageStatus]]:
    with live.session() as session:
        query = select(Message.kind, Message.status).where(
            Message.account_id == account_id, Message.kind.in_(KINDS)
        )
        return Counter((kind, status) for kind, status in session.execute(query))


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + MINUTE
    while not what():
        assert time.monotonic() < deadline, "not within the minute"
        time.sleep(0.2)


def test_what_is_due_after_a_withdrawal_does_not_leave(live: Live) -> None:
    with live.session() as session:
        tenant = make.make_tenant(session, now=now())
        day = make.make_schedule(session, tenant, date=(now() + dt.timedelta(days=4)).date())
        withdraws = somebody(session, tenant, day)
        stays = somebody(session, tenant, day)
        session.commit()
        account, other, root = withdraws.account, stays.account.id, tenant.root.uid
    client = Client(live.url, live.pass_for(account))
    for purpose in WITHDRAWN:
        answer = client.post(f"/profile/consents/{root}/{purpose.value}/withdraw")
        assert answer.status == 303, (purpose, answer.status)
    with live.session() as session:
        due = select(Message.status).where(Message.kind.in_(KINDS))
        assert MessageStatus.SENT not in session.scalars(due).all(), "nothing had left before"
    until(lambda: ends(live, other) == Counter((kind, MessageStatus.SENT) for kind in KINDS))
    until(
        lambda: ends(live, account.id) == Counter((kind, MessageStatus.OBSOLETE) for kind in KINDS)
    )
    with live.session() as session:
        mine = select(MailboxLetter.id).join(Message, Message.id == MailboxLetter.message_id)
        got = session.scalars(mine.where(Message.account_id == account.id, Message.kind.in_(KINDS)))
        assert got.all() == []
