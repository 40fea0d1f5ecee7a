"""A day read by one query: the same policy as by itself, and nothing that is not a place of it."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools

import pytest
from sqlalchemy.orm import Session

from app.models.enums import Channel, DonationKind, ScheduleStatus
from app.rules import donor_day, policies
from app.rules.errors import NotFound
from app.rules.policies import NoPolicy
from tests import make
from tests.make import NOW

DAY = dt.timedelta(days=1)


def test_of_every_mixture_of_policies_the_day_has_the_one_that_holds_everywhere_else(
    session: Session,
) -> None:
    """All subsets of: general, of the branch, of the type, of both, newer, of the legal body, of another branch or type, to come."""
    tenant = make.make_tenant(session)
    session.delete(tenant.policy)
    day = make.make_schedule(session, tenant)
    here = {"organization_id": day.organization_id}
    kind = {"donation_type_id": day.donation_type_id}
    sister = make.make_organization(session, part_of_id=tenant.id, root_id=tenant.id)
    kinds: list[dict[str, object]] = [
        {},
        here,
        kind,
        here | kind,
        {"valid_from": NOW - DAY},
        {"organization_id": tenant.root.id},
        {"organization_id": sister.id},
        {"donation_type_id": tenant.types[DonationKind.PLASMA].id},
        here | kind | {"valid_from": NOW + DAY},
    ]
    made = [make.make_policy(session, tenant.root, **fields) for fields in kinds]
    since = [policy.valid_from for policy in made]
    for chosen in itertools.product((False, True), repeat=len(kinds)):
        for policy, start, holds in zip(made, since, chosen, strict=True):
            policy.valid_from = start if holds else NOW + 9 * DAY
        session.flush()
        found = wanted = None
        with contextlib.suppress(NoPolicy):
            found = donor_day.day_of(session, now=NOW, schedule_id=day.id).policy
        with contextlib.suppress(NoPolicy):
            wanted = policies.effective(
                session,
                tenant_id=tenant.id,
                now=NOW,
                organization_id=day.organization_id,
                donation_type_id=day.donation_type_id,
            )
        assert found is wanted, chosen
        assert (found is not None) == any(chosen[:6]), chosen


def test_a_choice_is_a_place_of_that_day_on_the_site(session: Session) -> None:
    tenant = make.make_tenant(session)
    day, other = make.make_schedule(session, tenant), make.make_schedule(session, tenant, days=3)
    draft = make.make_schedule(session, tenant, days=4, status=ScheduleStatus.DRAFT)
    first, second, *_ = make.slots_of(session, day)
    second.channel = Channel.DESK
    session.flush()
    named = donor_day.choice_of(session, now=NOW, schedule_uid=day.uid, slot_uid=first.uid)
    timed = donor_day.choice_of(session, now=NOW, schedule_uid=day.uid, starts_at=first.starts_at)
    assert (named.slot, named.any_place, timed.slot, timed.any_place) == (first, False, first, True)
    for wrong in (
        {"schedule_uid": day.uid, "slot_uid": second.uid},
        {"schedule_uid": other.uid, "slot_uid": first.uid},
        {"schedule_uid": draft.uid, "slot_uid": make.slots_of(session, draft)[0].uid},
        {"schedule_id": day.id, "starts_at": first.starts_at + dt.timedelta(minutes=1)},
    ):
        with pytest.raises(NotFound):
            donor_day.choice_of(session, now=NOW, **wrong)
