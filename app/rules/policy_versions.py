"""Versions of the booking policy: a new one copies the present one and holds from an instant on."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.appointment import Appointment
from app.models.directory import Department, HealthcareService
from app.models.donation_type import DonationType
from app.models.enums import Confirmation, IdentifyBy
from app.models.organization import Organization
from app.models.policy import BookingPolicy
from app.models.policy_choices import Entry, PhoneRule
from app.rules import audit
from app.rules.actor import Actor
from app.rules.errors import N_, RuleError
from app.rules.organizations import demand_over

NUMBERS: dict[str, tuple[int, int]] = {
    "hold_minutes": (1, 60),
    "hold_extensions": (0, 10),
    "holds_per_address": (1, 1000),
    "live_limit": (1, 20),
    "days_after_own_cancel": (0, 365),
    "days_after_donation": (0, 365),
    "cabinet_days": (0, 3650),
    "book_days_ahead": (1, 365),
    "decide_within_hours": (1, 24 * 30),
    "undo_seconds": (0, 600),
    "remind_hours_before": (0, 24 * 7),
    "min_age": (0, 120),
    "code_minutes": (5, 24 * 60),
    "code_tries": (1, 20),
    "code_resends": (0, 20),
    "kiosk_seconds": (0, 600),
    "move_hours": (0, 24 * 14),
    "move_limit": (0, 20),
}
"""The numbers of a policy with the least and the most of each."""
CHOICES = (
    "confirmation", "entry", "methods", "consent", "phone", "kiosk_dark", "wording",
    "for_family", "attachment_required", "referral_required",
)  # fmt: skip
"""What a version chooses besides, of closed lists (app.models.policy_choices)."""
GRACE = dt.timedelta(minutes=5)
"""Between opening the form for «from now on» and sending it."""


class InThePast(RuleError):
    code = "version_in_the_past"
    text = N_(
        "A new version holds from now on or later: what was decided under the old one stays as it was."
    )


class OfAnother(RuleError):
    code = "version_of_another"
    text = N_(
        "The branch, the department, the service and the donation type have to belong to the organization "
        "the rules are for."
    )


class OfAnotherBranch(RuleError):
    code = "version_of_another_branch"
    text = N_(
        "The department “%(name)s” is not of that branch. Leave the branch open: it follows from the department."
    )


class NeverMeet(RuleError):
    code = "version_never_meets"
    text = N_(
        "Donations are of no department and no service: choose either a donation type, or a department or "
        "a service."
    )


class NoWayIn(RuleError):
    code = "no_way_in"
    text = N_(
        "Without an account people have to say who they are: tick at least one way. Two documents are "
        "a way after the time is chosen, the others before the schedule."
    )


class CodeNeedsPhone(RuleError):
    code = "code_needs_phone"
    text = N_("The code goes out by SMS: choose that a telephone is required.")


class SameInstant(RuleError):
    code = "version_same_instant"
    text = N_("Another version already begins at that very moment. Choose another one.")


class AlreadyHolds(RuleError):
    code = "version_holds"
    text = N_("This version already holds: make a new one instead of deleting it.")


def new_version(
    session: Session,
    *,
    tenant_id: int,
    organization: Organization | None,
    donation_type: DonationType | None,
    valid_from: dt.datetime | None,
    values: dict[str, Any],
    actor: Actor,
    now: dt.datetime,
    department: Department | None = None,
    service: HealthcareService | None = None,
) -> BookingPolicy:
    """Write the version that holds from ``valid_from`` (empty: now).

    ``values``: ``source``, every one of CHOICES and of NUMBERS. Raises InThePast, SameInstant,
    NotAllowed, OfAnother, OfAnotherBranch, NeverMeet, NoWayIn, CodeNeedsPhone.
    """
    demand_over(session, tenant_id)
    for owned in (organization, department, service, donation_type):
        if owned is not None and owned.tenant_id != tenant_id:
            raise OfAnother()
    if donation_type is not None and (department is not None or service is not None):
        raise NeverMeet()
    if department is not None:
        organization = _branch_of(department, organization)
    begins = valid_from or now
    if begins < now - GRACE:
        raise InThePast()
    demand_sense(values)
    place = {
        "tenant_id": tenant_id,
        "organization_id": organization.id if organization else None,
        "department_id": department.id if department else None,
        "service_id": service.id if service else None,
        "donation_type_id": donation_type.id if donation_type else None,
    }
    twin = select(BookingPolicy.id).filter_by(**place, valid_from=begins).limit(1)
    if session.scalar(twin) is not None:
        raise SameInstant()
    version = BookingPolicy(
        **place, valid_from=begins, created_at=now, created_by_id=actor.id, **values
    )
    session.add(version)
    session.flush()  # the audit line needs the id
    before = predecessor(session, version)
    audit.record(
        session,
        verb="policy.version",
        subject=version,
        actor=actor,
        now=now,
        changes=_differences(before, version),
    )
    return version


def _branch_of(department: Department, said: Organization | None) -> Organization | None:
    """The department's own branch; none where it is the legal body's. Raises OfAnotherBranch."""
    if said is not None and said.id != department.organization_id:
        raise OfAnotherBranch(name=department.name)
    own = department.organization
    return own if own.root_id is not None else None


def demand_sense(values: dict[str, Any]) -> None:
    """Raises NoWayIn, CodeNeedsPhone for settings nobody could book with."""
    two, methods = IdentifyBy.TWO_DOCUMENTS, values["methods"]
    if values["entry"] is Entry.BEFORE and (not methods or two in methods):
        raise NoWayIn()
    if values["entry"] is Entry.AFTER and not methods:
        raise NoWayIn()
    coded = values["confirmation"] in (Confirmation.CODE, Confirmation.APPROVAL_CODE)
    if coded and values["phone"] is not PhoneRule.REQUIRED:
        raise CodeNeedsPhone()


def predecessor(session: Session, version: BookingPolicy) -> BookingPolicy | None:
    """The version for the same place that holds until this one begins."""
    return session.scalars(
        select(BookingPolicy)
        .filter_by(
            tenant_id=version.tenant_id,
            organization_id=version.organization_id,
            department_id=version.department_id,
            service_id=version.service_id,
            donation_type_id=version.donation_type_id,
        )
        .where(BookingPolicy.valid_from < version.valid_from)
        .order_by(BookingPolicy.valid_from.desc(), BookingPolicy.id.desc())
        .limit(1)
    ).one_or_none()


def _differences(before: BookingPolicy | None, after: BookingPolicy) -> dict[str, list[Any]]:
    pairs = {
        name: [_plain(getattr(before, name, None)), _plain(getattr(after, name))]
        for name in ("source", *CHOICES, *NUMBERS)
    }
    changed = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    return {"valid_from": [None, after.valid_from.isoformat()], **changed}


def _plain(value: Any) -> Any:
    """As the journal keeps it."""
    return [each.value for each in value] if isinstance(value, tuple) else value


def state(version: BookingPolicy, holding: set[int], now: dt.datetime) -> str:
    """``ahead``, ``holds`` or ``over``; ``holding`` from ``holding_now``."""
    if version.valid_from > now:
        return "ahead"
    return "holds" if version.id in holding else "over"


def holding_now(session: Session, *, now: dt.datetime) -> set[int]:
    """Ids of the versions that hold now: of each place the newest that has begun."""
    rows = session.scalars(
        select(BookingPolicy)
        .where(BookingPolicy.valid_from <= now)
        .order_by(BookingPolicy.valid_from, BookingPolicy.id)
    )
    newest = {
        (
            row.tenant_id, row.organization_id, row.department_id, row.service_id,
            row.donation_type_id,
        ): row.id
        for row in rows
    }  # fmt: skip
    return set(newest.values())


def withdraw(session: Session, *, version: BookingPolicy, now: dt.datetime) -> None:
    """Whether a version that has not begun may be deleted. Raises AlreadyHolds, NotAllowed."""
    demand_over(session, version.tenant_id)
    used = session.scalar(
        select(Appointment.id).where(Appointment.policy_id == version.id).limit(1)
    )
    if version.valid_from <= now or used is not None:
        raise AlreadyHolds()
