"""Which institutions an account books with from its cabinet: those that keep a card of it (E48)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.attachment import Attachment
from app.models.cabinet_choices import AttachmentStatus
from app.models.organization import Organization
from app.rules.directory import taking_patients

MOST = 60


def of_cards(
    session: Session, *, tenant_ids: Collection[int], person_ids: Collection[int]
) -> Sequence[Organization]:
    """Institutions that take patients, of the bodies that keep these cards; where somebody is attached
    first. One query."""
    attached = select(Attachment.organization_id).where(
        Attachment.person_id.in_(person_ids), Attachment.status == AttachmentStatus.ACTIVE
    )
    return session.scalars(
        select(Organization)
        .where(
            taking_patients(),
            Organization.id.in_(tenant_ids) | Organization.root_id.in_(tenant_ids),
        )
        .order_by(Organization.id.not_in(attached), Organization.short_name, Organization.id)
        .limit(MOST)
    ).all()
