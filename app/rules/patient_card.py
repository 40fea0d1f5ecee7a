"""«Карта пациента»: what one card of an account tells its owner (E54). Each part is a query or none."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from app.models.attachment import Attachment, Referral
from app.models.cabinet_choices import AttachmentStatus
from app.models.consent import Consent
from app.models.directory import PractitionerRole
from app.models.district import DistrictDoctor
from app.models.donor import Donation, Donor
from app.models.enums import DonationKind
from app.models.medical_document import MedicalDocument, Prescription, ProfileConfirmation
from app.models.person import Person
from app.rules import confirmations, consents, medical_documents, person_documents
from app.rules.clock import local_date
from app.rules.person_documents import Line
from app.rules.tickets import Card

DATA = Path(__file__).parent.parent / "data" / "honorary_donor.json"
MOST = 50


@cache
def ways() -> dict[str, Any]:
    """The numbers that lead to «Почётный донор» (app/data/honorary_donor.json)."""
    found: dict[str, Any] = json.loads(DATA.read_text(encoding="utf-8"))
    return found


@dataclass(frozen=True)
class Donated:
    """Donations of a card by kind, and what is left to «Почётный донор России»."""

    by_kind: Mapping[DonationKind, int]
    last: dt.date | None

    @property
    def blood(self) -> int:
        """Blood and its cell components."""
        as_blood = {DonationKind(each) for each in ways()["as_blood"]}
        return sum(count for kind, count in self.by_kind.items() if kind in as_blood)

    @property
    def plasma(self) -> int:
        return self.by_kind.get(DonationKind.PLASMA, 0)

    @property
    def total(self) -> int:
        return self.blood + self.plasma

    @property
    def reached(self) -> bool:
        return fits(self.blood, self.plasma)

    @property
    def left_by_blood(self) -> int:
        """The fewest further donations if all of them are of blood."""
        return _fewest(lambda more: fits(self.blood + more, self.plasma))

    @property
    def left_by_plasma(self) -> int:
        """The same if all of them are of plasma."""
        return _fewest(lambda more: fits(self.blood, self.plasma + more))


def fits(blood: int, plasma: int) -> bool:
    """Whether so many donations are enough by any of the ways."""
    have = {"blood": blood, "plasma": plasma, "total": blood + plasma}
    return any(all(have[what] >= need for what, need in way.items()) for way in ways()["ways"])


def _fewest(enough: Any) -> int:
    most = max(need for way in ways()["ways"] for need in way.values())
    return next(more for more in range(most + 1) if enough(more))


@dataclass(frozen=True)
class Attached:
    """An attachment in force, and the district's doctor today; None: there is no permanent one (C15)."""

    row: Attachment
    doctor: PractitionerRole | None


@dataclass(frozen=True)
class Whole:
    """All of the page «Карта пациента» about one card."""

    card: Card
    today: dt.date
    """The organization's own date."""
    documents: Sequence[Line]
    donor: Donor | None
    attachments: Sequence[Attached]
    referrals: Sequence[Referral]
    donated: Donated
    prescriptions: Sequence[Prescription]
    consents: Sequence[Consent]
    confirmation: ProfileConfirmation | None
    papers: Sequence[MedicalDocument]
    """Copies of medical documents; none before the profile is confirmed."""
    sent: Mapping[int, dt.datetime]

    @property
    def person(self) -> Person:
        return self.card.person

    @property
    def confirmed(self) -> bool:
        """Staff have seen who keeps the account; whether copies go by e-mail now: ``mailed``."""
        found = self.confirmation
        return found is not None and found.status.value == "confirmed"

    @property
    def mailed(self) -> bool:
        return self.confirmation is not None and confirmations.stands(self.confirmation)


def whole(session: Session, *, card: Card, account_id: int, now: dt.datetime) -> Whole:
    """The card as its owner reads it. The session's scope is that account's."""
    person = card.person
    today = local_date(now, card.tenant.time_zone)
    confirmation = confirmations.latest(session, account_id=account_id, person_id=person.id)
    seen = confirmation is not None and confirmation.status.value == "confirmed"
    papers = (
        [row for row in medical_documents.of_person(session, person_id=person.id)
         if row.withdrawn_at is None]
        if seen else []
    )  # fmt: skip
    return Whole(
        card=card,
        today=today,
        documents=person_documents.lines(session, person_id=person.id),
        donor=session.scalars(
            select(Donor).where(Donor.person_id == person.id).limit(1)
        ).one_or_none(),
        attachments=_attachments(session, person.id, today),
        referrals=_referrals(session, person.id),
        donated=donated(session, person_id=person.id),
        prescriptions=_prescriptions(session, person.id),
        consents=consents.of_person(session, person_id=person.id),
        confirmation=confirmation,
        papers=papers,
        sent=medical_documents.sent_on(session, account_id=account_id) if papers else {},
    )


def donated(session: Session, *, person_id: int) -> Donated:
    """Donations that stand on this card. One query."""
    rows = session.execute(
        select(Donation.kind, func.count().label("count"), func.max(Donation.on_date).label("last"))
        .where(Donation.person_id == person_id)
        .group_by(Donation.kind)
    ).all()
    last = max((row.last for row in rows), default=None)
    return Donated({row.kind: row[1] for row in rows}, last)


def _attachments(session: Session, person_id: int, today: dt.date) -> list[Attached]:
    rows = session.scalars(
        select(Attachment)
        .options(joinedload(Attachment.organization), joinedload(Attachment.district))
        .where(
            Attachment.person_id == person_id,
            Attachment.status.in_((AttachmentStatus.ACTIVE, AttachmentStatus.REQUESTED)),
        )
        .order_by(Attachment.kind)
        .limit(MOST)
    ).all()
    doctors = {
        found.district_id: found.role
        for found in session.scalars(
            select(DistrictDoctor)
            .options(
                joinedload(DistrictDoctor.role).options(
                    joinedload(PractitionerRole.practitioner),
                    joinedload(PractitionerRole.specialty),
                )
            )
            .where(
                DistrictDoctor.district_id.in_({row.district_id for row in rows} - {None}),
                DistrictDoctor.starts_on <= today,
                DistrictDoctor.ends_on.is_(None) | (DistrictDoctor.ends_on >= today),
            )
            .order_by(DistrictDoctor.starts_on)
        )
    }
    return [Attached(row, doctors.get(row.district_id or 0)) for row in rows]


def _referrals(session: Session, person_id: int) -> Sequence[Referral]:
    return session.scalars(
        select(Referral)
        .options(
            joinedload(Referral.specialty),
            joinedload(Referral.service),
            joinedload(Referral.role).joinedload(PractitionerRole.practitioner),
        )
        .where(Referral.person_id == person_id)
        .order_by(Referral.id.desc())
        .limit(MOST)
    ).all()


def _prescriptions(session: Session, person_id: int) -> Sequence[Prescription]:
    return session.scalars(
        select(Prescription)
        .where(Prescription.person_id == person_id)
        .order_by(Prescription.last_day.desc(), Prescription.id.desc())
        .limit(MOST)
    ).all()
