"""Deciding requests: approve, reject, undo within the minute (A22–A26, A32, N2); many: app.rules.bulk.

Donors' and patients' alike: only what is looked at differs (app.rules.examination). Where the policy wants
the code after the approval (E27), the place goes on waiting for it; the SMS leaves when the undo time is
over, as the letters do: a code that is on its way cannot be called back, and its hour begins with the SMS.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.appointment import Appointment, RejectionReason
from app.models.donor import DonorRecord
from app.models.enums import AppointmentStatus, MessageKind
from app.models.person import Person
from app.models.scope import widened
from app.models.staff import StaffUser
from app.rules import (
    access,
    announcing,
    audit,
    booking,
    codes,
    confirming,
    donors,
    examination,
    outbox,
    transitions,
    visit_checks,
    visit_requests,
)
from app.rules.actor import actor_of
from app.rules.checks import Examined
from app.rules.clock import local
from app.rules.errors import (
    N_,
    AlreadyChanged,
    AlreadyDecided,
    CheckFails,
    NotAllowed,
    NotFound,
    Phrase,
    ReasonNeeded,
    RuleError,
    UndoOver,
)
from app.rules.facts import COUNTED
from app.rules.queue import loaded

A = AppointmentStatus
UNDO_EVENT = {
    A.BOOKED: "undo_approve",
    A.PROPOSED: "undo_propose",
    A.REJECTED: "undo_reject",
}


TOLD = (
    MessageKind.APPROVED,
    MessageKind.REJECTED,
    MessageKind.VISIT_APPROVED,
    MessageKind.VISIT_REFUSED,
    MessageKind.REMINDER, MessageKind.VISIT_REMINDER,
    MessageKind.CONFIRM_CODE,
)  # fmt: skip
"""What tells of a decision, and is withdrawn with it."""


class ChosenAgain(RuleError):
    code = "chosen_again"
    text = N_("The person has chosen another place meanwhile: the rejection stands.")


class VisitBegun(RuleError):
    code = "visit_begun"
    text = N_("The time of this visit has come: the request can no longer be decided.")


def approve(
    session: Session,
    *,
    appointment_id: int,
    by: StaffUser,
    now: dt.datetime,
    override_reason: str = "",
) -> Appointment:
    """Pending → booked, or proposed where a code has to follow. The checks are run again here, under the
    lock of the person.

    The donor's record, if its code matches and nothing contradicts, is accepted as his. The letter or
    the SMS leaves after the undo time. Raises AlreadyDecided, CheckFails (needs ``queue.override`` and a
    reason), VisitBegun, NotFound.
    """
    person_id = session.scalar(
        select(Appointment.person_id).where(Appointment.id == appointment_id)
    )
    if person_id is None:
        raise NotFound()
    booking.lock_person(session, person_id)
    request = _request(session, appointment_id, again=True)  # as it is under the lock
    _still_open(session, request, now)
    examined = examination.examine(session, [request], now=now)[0]
    if examined.failing:
        _override(session, request, examined, by, override_reason)
    until = now + dt.timedelta(seconds=request.policy.undo_seconds)
    by_code = confirming.wants_code(session, request, now=now) and visit_requests.can_get_sms(
        request
    )
    done = _move(
        session,
        request,
        "approve_to_proposed" if by_code else "approve",
        by,
        now,
        decided_at=now,
        decided_by_id=by.id,
        undo_until=until,
        override_reason=override_reason.strip()[:200] if examined.failing else "",
        linked_record_id=_link(session, examined),
        **(codes.first(request, now=until) if by_code else {}),
    )
    audit.record(
        session,
        verb="booking.approve",
        subject=done,
        actor=actor_of(by),
        now=now,
        changes={"overridden": [None, [c.name for c in examined.failing]]},
    )
    outbox.withdraw(session, appointment_id=done.id, kinds=(MessageKind.REQUEST_RECEIVED,), now=now)
    if by_code:
        outbox.tell_by_sms(session, done, MessageKind.CONFIRM_CODE, now=now, run_at=until)
    else:
        announcing.announce_booked(session, done, now=now, run_at=until)
    return done


def _override(
    session: Session, request: Appointment, examined: Examined, by: StaffUser, reason: str
) -> None:
    """A failing check is overridden singly, with the right over this organization and a reason."""
    if not reason.strip():
        raise CheckFails(checks=[Phrase(examination.TITLES[c.name]) for c in examined.failing])
    if not access.covers(session, by, "queue.override", request.organization_id):
        raise NotAllowed()


def _link(session: Session, examined: Examined) -> int | None:
    """Accept the record with the donor's code as his, unless a check on it fails; its id if new."""
    record, failing = examined.who.record, {c.name for c in examined.failing}
    if record is None or record.person_id is not None or failing & {"code", "blood"}:
        return None
    person = session.get_one(Person, examined.who.person.id)
    return record.id if donors.link_record(session, person=person, record=record) else None


def reject(
    session: Session,
    *,
    appointment_id: int,
    reason_id: int | None,
    comment: str,
    by: StaffUser,
    now: dt.datetime,
) -> Appointment:
    """Pending → rejected, with a reason from the list and, if wanted, a comment: the letter quotes both.

    The place is free after the undo time. Raises ReasonNeeded, AlreadyDecided, NotFound.
    """
    request = _request(session, appointment_id)
    reason = session.get(RejectionReason, reason_id) if reason_id is not None else None
    if reason is None or reason.tenant_id != request.tenant_id or not reason.is_active:
        raise ReasonNeeded()
    _still_open(session, request, now)
    until = now + dt.timedelta(seconds=request.policy.undo_seconds)
    done = _move(
        session,
        request,
        "reject",
        by,
        now,
        decided_at=now,
        decided_by_id=by.id,
        undo_until=until,
        reason_id=reason.id,
        comment=comment.strip()[:2000],
    )
    audit.record(
        session,
        verb="booking.reject",
        subject=done,
        actor=actor_of(by),
        now=now,
        changes={"reason_id": [None, reason.id]},
    )
    outbox.withdraw(session, appointment_id=done.id, kinds=(MessageKind.REQUEST_RECEIVED,), now=now)
    outbox.tell(session, done, MessageKind.REJECTED, now=now, run_at=until)
    return done


def undo(session: Session, *, appointment_id: int, by: StaffUser, now: dt.datetime) -> Appointment:
    """Take the decision back within the undo time: no letter has left yet.

    Raises UndoOver, ChosenAgain, NotFound.
    """
    decided = _request(session, appointment_id)
    event = UNDO_EVENT.get(decided.status)
    if event is None or decided.undo_until is None or decided.undo_until <= now:
        raise UndoOver()
    booking.lock_person(session, decided.person_id)
    if decided.status is A.REJECTED:
        _not_chosen_again(session, decided, now)
    linked = decided.linked_record_id
    try:
        done = transitions.move(
            session,
            appointment_id=appointment_id,
            event=event,
            actor=actor_of(by),
            now=now,
            only_if=(Appointment.undo_until > now) & Appointment.keeps_slot,
            decided_at=None,
            decided_by_id=None,
            undo_until=None,
            reason_id=None,
            comment="",
            override_reason="",
            linked_record_id=None,
            code_nonce="",
            code_until=None,
            code_tries=0,
            code_sent=0,
        )
    except AlreadyChanged as error:
        raise UndoOver() from error
    if linked is not None:
        record = session.get_one(DonorRecord, linked)
        donors.unlink_record(session, person=session.get_one(Person, done.person_id), record=record)
    audit.record(
        session, verb="booking.undo", subject=done, actor=actor_of(by), now=now, changes={}
    )
    outbox.withdraw(session, appointment_id=done.id, kinds=TOLD, now=now)
    return done


def _not_chosen_again(session: Session, rejected: Appointment, now: dt.datetime) -> None:
    """Within the minute the person may have booked elsewhere: two bookings must not come of it."""
    if examination.is_visit(rejected):
        if visit_checks.others_against(session, rejected, now=now):
            raise ChosenAgain()
        return
    live = session.scalars(
        select(Appointment.id).where(
            Appointment.person_id == rejected.person_id, Appointment.status.in_(COUNTED)
        )
    ).all()
    if len(live) >= rejected.policy.live_limit:
        raise ChosenAgain()


def _request(session: Session, appointment_id: int, *, again: bool = False) -> Appointment:
    query = loaded().where(Appointment.id == appointment_id)
    if again:
        query = query.execution_options(populate_existing=True)
    request = session.scalars(query).one_or_none()
    if request is None or request.status in (A.HELD, A.RELEASED):
        raise NotFound()
    return request


def _still_open(session: Session, request: Appointment, now: dt.datetime) -> None:
    if request.status is not A.PENDING:
        raise _decided(session, request)
    if request.starts_at <= now:
        raise VisitBegun()


def _move(
    session: Session,
    request: Appointment,
    event: str,
    by: StaffUser,
    now: dt.datetime,
    **values: object,
) -> Appointment:
    try:
        return transitions.move(
            session,
            appointment_id=request.id,
            event=event,
            actor=actor_of(by),
            now=now,
            **values,
        )
    except AlreadyChanged as error:
        raise _decided(session, _request(session, request.id, again=True)) from error


def _decided(session: Session, request: Appointment) -> RuleError:
    """Who did it and when, for the second of two."""
    at = request.decided_at or request.ended_at
    if at is None:
        return AlreadyChanged(status=request.status)
    who: object = request.ended_by or Phrase(N_("a colleague"))
    if request.ended_by is None and request.decided_by_id is not None:
        with widened(session, "the name of the colleague who decided"):
            name = session.scalar(
                select(StaffUser.full_name).where(StaffUser.id == request.decided_by_id)
            )
        who = name or who
    return AlreadyDecided(
        status=request.status, who=who, at=local(at, request.organization.time_zone)
    )
