"""What a patient's request stands on (C9, C11, C14): the attachment and the referral, for the registrar's eyes.

The site has asked both when the time was chosen; here they are said in words, and what no longer holds is marked.
The registrar decides all the same: the desk books anybody.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.orm import Session

from app.models.appointment import Appointment
from app.models.attachment import Attachment, Referral
from app.models.cabinet_choices import AttachmentStatus
from app.models.scope import widened
from app.rules import attachments, referrals, visit_rights
from app.rules.checks import Check, Outcome
from app.rules.errors import N_, Words
from app.rules.visit_rights import Rights

TITLES = {"attachment": N_("Attachment"), "referral": N_("Referral")}
HEADS = {"attachment": N_("Att"), "referral": N_("Ref")}
"""Over the narrow columns of the list."""
OF_ATTACHMENT = frozenset({"not_attached", "no_district", "no_doctor", "not_own_district"})
"""Codes of refusals; the others are about the referral."""


@dataclass(frozen=True)
class Papers:
    """Of the people of a whole list."""

    attached: Mapping[int, Sequence[Attachment]] = field(default_factory=dict)
    referred: Mapping[int, Sequence[Referral]] = field(default_factory=dict)
    rights: Mapping[int, Rights] = field(default_factory=dict)
    """Where some policy of the list asks for any of it."""


def of_requests(session: Session, rows: Sequence[Appointment], *, now: dt.datetime) -> Papers:
    """Two queries, and three more where a policy asks; doctors are loaded."""
    people = {row.person_id for row in rows}
    asking = [row for row in rows if visit_rights.asked(row.policy)]
    with widened(session, visit_rights.WHOSE):
        return Papers(
            attachments.of_people(session, people),
            referrals.of_people(session, people, now=now),
            visit_rights.of_people(
                session,
                {row.person_id for row in asking},
                {row.schedule.role.id for row in asking},
            )
            if asking
            else {},
        )


def checks(row: Appointment, papers: Papers) -> Iterator[Check]:
    """The two lines of one request. What stands against it is a warning: the site's rules, not the desk's."""
    codes: set[str] = set()
    rights = papers.rights.get(row.person_id)
    if rights is not None:
        # who is not attached is told of that alone: here both are said
        for known in (rights, replace(rights, attached=True)):
            against = visit_rights.check(
                row.policy,
                row.schedule.role,
                known,
                on=visit_rights.day_there(row.starts_at, row.organization),
                service_id=row.service_id,
                own=row.id,
            )
            codes |= {refusal.code for refusal in against}
    yield _attachment(papers.attached.get(row.person_id, ()), bool(codes & OF_ATTACHMENT))
    yield _referral(row, papers.referred.get(row.person_id, ()), bool(codes - OF_ATTACHMENT))


def _attachment(rows: Sequence[Attachment], bad: bool) -> Check:
    outcome = Outcome.WARN if bad else Outcome.OK
    active = [row for row in rows if row.status is AttachmentStatus.ACTIVE]
    if not active:
        text = N_("asked for, not decided yet") if rows else _none(bad)
        return Check("attachment", outcome, text)
    where: dict[str, Any] = {"place": active[0].organization.short_name}
    districts = [(f"№ {row.district.number}", row.kind) for row in active if row.district]
    if not districts:
        return Check("attachment", outcome, N_("%(place)s, the district is not known"), where)
    text = N_("%(place)s, district %(districts)s")
    if bad:
        text = N_("%(place)s, district %(districts)s: the doctor receives another one")
    return Check("attachment", outcome, text, where | {"districts": districts})


def _referral(row: Appointment, rows: Sequence[Referral], bad: bool) -> Check:
    outcome = Outcome.WARN if bad else Outcome.OK
    used = next((each for each in rows if each.appointment_id == row.id), None)
    mine = [
        each
        for each in rows
        if each.appointment_id is None
        and each.specialty_id == row.schedule.role.specialty_id
        and each.service_id in (None, row.service_id)
    ]
    found = used or next(iter(mine), None)
    if found is None:
        return Check("referral", outcome, _none(bad))
    said = {
        "specialty": Words(found.specialty.name_ru, found.specialty.name_en),
        "date": found.valid_until,
    }
    text = N_("%(specialty)s, until %(date)s")
    if used is None:
        text = N_("%(specialty)s, until %(date)s, not used up yet")
    return Check("referral", outcome, text, said)


def _none(bad: bool) -> str:
    return N_("none") if bad else N_("none, and none is needed")
