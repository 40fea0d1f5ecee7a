"""What a policy may hold for: a branch, a department, a service; the most specific wins, by a query or in a list."""

from __future__ import annotations

import datetime as dt
import itertools
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import Appointment, BookingPolicy, Organization, PractitionerRole
from app.models.enums import Confirmation, OrganizationKind, Role
from app.models.policy_choices import Entry
from app.models.scope import PUBLIC, set_scope
from app.rules import (
    access,
    booking,
    desk,
    directory,
    patients,
    policies,
    policy_versions,
    reception,
    starters,
    week,
)
from app.rules.actor import SYSTEM as NOBODY
from app.rules.errors import NotAllowed
from app.rules.slot_states import State
from app.rules.week import Wish
from tests import make
from tests.make import NOW
from tests.statements import statements

DAY = dt.timedelta(days=1)


@pytest.fixture
def world(session: Session) -> SimpleNamespace:
    """Root → branch → post; there a department in a department, a doctor of two services, his sitting."""
    tenant = make.make_polyclinic(session)
    post = make.make_organization(
        session, kind=OrganizationKind.BRANCH, part_of_id=tenant.branch.id, root_id=tenant.id,
        takes_patients=True, takes_donors=False, settlement="Лесной",
    )  # fmt: skip
    above = make.make_department(session, tenant, organization=post)
    own = make.make_department(session, tenant, organization=post, part_of_id=above.id)
    free, paid = make.make_service(session, tenant), make.make_service(session, tenant)
    doctor = make.make_practitioner(session, tenant, services=[free, paid])
    role = make.make_role(session, tenant, practitioner=doctor, department=own)
    day = make.make_sitting(session, role)
    return SimpleNamespace(
        session=session, tenant=tenant, post=post, above=above, own=own, free=free, paid=paid,
        role=role, day=day, slots=make.slots_of(session, day),
    )  # fmt: skip


def attach(world: SimpleNamespace, **fields: Any) -> BookingPolicy:
    return make.make_policy(world.session, world.tenant.root, **fields)


def by_the_query(world: SimpleNamespace, service: Any) -> BookingPolicy:
    choice = patients.choice_of(
        world.session, slot_uid=world.slots[0].uid, now=NOW, service=service and service.uid
    )
    return choice.day.policy


def by_the_rule(world: SimpleNamespace, service: Any) -> BookingPolicy:
    return policies.effective(
        world.session,
        tenant_id=world.tenant.id,
        now=NOW,
        organization_id=world.post.id,
        department_id=world.own.id,
        service_id=service and service.id,
    )


def test_of_every_mixture_the_most_specific_holds_by_the_query_and_in_lists(
    world: SimpleNamespace,
) -> None:
    """Subsets of what fits, from the least specific on, beside what never fits: none, each, every two
    of them, and all."""
    post, above, own = (
        {"organization_id": world.post.id},
        {"organization_id": world.post.id, "department_id": world.above.id},
        {"organization_id": world.post.id, "department_id": world.own.id},
    )
    paid = {"service_id": world.paid.id}
    fitting = [
        attach(world, **fields)
        for fields in (
            {"organization_id": world.tenant.branch.id},
            post, above, own, paid, paid | post, paid | above, paid | own,
        )
    ]  # fmt: skip
    elsewhere = make.make_department(world.session, world.tenant, organization=world.post)
    sister = make.make_organization(
        world.session, part_of_id=world.tenant.id, root_id=world.tenant.id
    )
    for fields in (
        {"service_id": world.free.id}, {"department_id": elsewhere.id, **post},
        {"organization_id": sister.id}, {"donation_type_id": world.tenant.platelets.id},
        paid | own | {"valid_from": NOW + DAY},
    ):  # fmt: skip
        attach(world, **fields)
    since = fitting[0].valid_from
    numbers = range(len(fitting))
    some = [set(pair) for size in (0, 1, 2) for pair in itertools.combinations(numbers, size)]
    for chosen in [[n in each for n in numbers] for each in (*some, {*numbers})]:
        for policy, holds in zip(fitting, chosen, strict=True):
            policy.valid_from = since if holds else NOW + 9 * DAY
        world.session.flush()
        held = [policy for policy, holds in zip(fitting, chosen, strict=True) if holds]
        wanted = held[-1] if held else world.tenant.policy
        assert by_the_query(world, world.paid) is wanted, chosen
        assert by_the_rule(world, world.paid) is wanted, chosen


def test_a_newer_version_of_the_same_place_holds_from_its_instant_on(
    world: SimpleNamespace,
) -> None:
    former = attach(world, service_id=world.paid.id, valid_from=NOW - DAY)
    present = attach(world, service_id=world.paid.id, valid_from=NOW)
    attach(world, service_id=world.paid.id, valid_from=NOW + dt.timedelta(seconds=1))
    attach(world, valid_from=NOW)  # newer, but of everything
    assert by_the_query(world, world.paid) is by_the_rule(world, world.paid) is present
    present.valid_from = NOW + DAY
    world.session.flush()
    assert by_the_query(world, world.paid) is by_the_rule(world, world.paid) is former


def test_what_a_visit_is_for_is_the_sittings_service_the_wish_or_the_only_one(
    world: SimpleNamespace,
) -> None:
    paid, free = (
        attach(world, service_id=world.paid.id), attach(world, service_id=world.free.id),
    )  # fmt: skip
    assert by_the_query(world, None) is world.tenant.policy, "of two nothing says which"
    assert by_the_query(world, world.free) is free
    strange = make.make_service(world.session, world.tenant)
    assert by_the_query(world, strange) is world.tenant.policy, "he does not give it"
    world.day.service_id = world.paid.id
    world.session.flush()
    assert by_the_query(world, world.free) is paid, "the sitting is for nothing else"
    world.day.service_id, world.free.is_active = None, False
    world.session.flush()
    assert by_the_query(world, None) is paid, "the only one he gives"


def test_a_booking_keeps_its_version_and_another_service_is_another_choice(
    world: SimpleNamespace,
) -> None:
    world.tenant.policy.confirmation = Confirmation.NONE
    paid = attach(world, service_id=world.paid.id, confirmation=Confirmation.APPROVAL)
    patient = make.make_person(world.session, world.tenant)
    set_scope(world.session, PUBLIC)

    def hold(service: Any) -> Appointment:
        return patients.hold(
            world.session, slot_uid=world.slots[0].uid, token="browser", actor=NOBODY, now=NOW,
            service=service.uid,
        )  # fmt: skip

    first = hold(world.free)
    assert (first.service_id, first.policy_id) == (world.free.id, world.tenant.policy.id)
    again = hold(world.paid)
    assert again.id == first.id
    assert (again.service_id, again.policy_id) == (world.paid.id, paid.id)
    attach(world, service_id=world.paid.id, valid_from=NOW, confirmation=Confirmation.NONE)
    assert hold(world.paid).policy_id == paid.id, "chosen again it stays the same hold"
    patients.name(
        world.session, appointment_id=again.id, token="browser", person_id=patient.id,
        actor=NOBODY, now=NOW,
    )  # fmt: skip
    set_scope(world.session, access.staff_scope(world.session, _registrar(world)))
    done = booking.confirm(world.session, appointment_id=again.id, actor=NOBODY, now=NOW)
    assert (done.status, done.policy_id) == ("pending", paid.id)


def _registrar(world: SimpleNamespace) -> Any:
    return make.make_staff(world.session, Role.REGISTRAR, world.post)


def test_the_desk_of_a_post_books_under_the_rules_of_what_it_is_part_of(
    world: SimpleNamespace,
) -> None:
    """Its registrar has no role over the branch between, whose rules hold all the same."""
    wanted = attach(world, organization_id=world.tenant.branch.id)
    set_scope(world.session, access.staff_scope(world.session, _registrar(world)))
    choice = desk.choice_of(world.session, slot_uid=world.slots[0].uid, now=NOW)
    assert choice.day.policy is wanted is by_the_rule(world, None)
    seen = world.session.scalars(sa.select(Organization.id)).all()
    assert set(seen) == {world.tenant.id, world.tenant.branch.id, world.post.id}
    roles = world.session.scalars(sa.select(PractitionerRole.organization_id)).all()
    assert set(roles) == {world.post.id}, "it sees the name of what is above, not what is there"


# --- how far ahead the site is open ------------------------------------------------------------


@pytest.fixture
def open_site(world: SimpleNamespace) -> SimpleNamespace:
    """Everything opens 7 days ahead, the department 3, the paid service 20; sittings on days 2, 5, 15."""
    world.tenant.policy.book_days_ahead = 7
    attach(
        world, organization_id=world.post.id, department_id=world.above.id, book_days_ahead=3
    )  # fmt: skip
    attach(world, service_id=world.paid.id, book_days_ahead=20)
    make.make_sitting(world.session, world.role, days=5)
    make.make_sitting(world.session, world.role, days=15, service=world.paid)
    world.free_room = make.make_role(
        world.session, world.tenant, organization=world.post,
        practitioner=make.make_practitioner(world.session, world.tenant),
    )  # fmt: skip
    make.make_sitting(world.session, world.free_room, days=5)
    make.make_sitting(world.session, world.free_room, days=9)
    set_scope(world.session, PUBLIC)
    world.institution = directory.institution(world.session, uid=world.post.uid)
    return world


def states(world: SimpleNamespace, role: Any, service: Any = None) -> dict[int, State]:
    """Days from NOW → the state of the day."""
    page = reception.reception(
        world.session, institution=world.institution, role=role.uid,
        service=service and service.uid, now=NOW,
    )  # fmt: skip
    return {(each.date - NOW.date()).days: each.state for each in page.days}


def nearest(world: SimpleNamespace, service: Any = None) -> dict[int, int | None]:
    """Role → days to its nearest time that can be chosen; the pages of the doctors say the same."""
    wish = Wish(service=service and service.uid)
    grid = week.grid(world.session, institution=world.institution, wish=wish, now=NOW)
    found = {}
    for each in grid.doctors:
        found[each.role.id] = (each.nearest - NOW).days + 1 if each.nearest else None
        page = reception.reception(
            world.session, institution=world.institution, role=each.role.uid,
            service=service and service.uid, now=NOW,
        )  # fmt: skip
        assert page.doctor.nearest == each.nearest
    return found


def test_days_open_by_department_and_by_service(open_site: SimpleNamespace) -> None:
    world = open_site
    assert states(world, world.role) == {2: State.FREE, 5: State.SOON, 15: State.FREE}
    assert states(world, world.free_room) == {5: State.FREE, 9: State.SOON}
    assert states(world, world.role, world.paid) == dict.fromkeys((2, 5, 15), State.FREE)
    assert states(world, world.role, world.free) == {2: State.FREE, 5: State.SOON}
    for number, role in ((0, world.role), (1, world.free_room)):
        cells = week.grid(
            world.session, institution=world.institution, now=NOW,
            wish=Wish(week=dt.date(2026, 11, 23)),
        ).doctors  # fmt: skip
        shown = next(each for each in cells if each.role.id == role.id).cells
        last = [cell.state for day in shown for cell in day][-1]
        assert last is (State.SOON, State.FREE)[number]


def test_the_nearest_time_is_the_nearest_that_is_open(open_site: SimpleNamespace) -> None:
    world = open_site
    assert nearest(world) == {world.role.id: 2, world.free_room.id: 5}
    world.day.status = "closed"
    world.session.info["scope"] = PUBLIC
    for slot in world.slots:
        slot.status = "closed"
    world.session.flush()
    assert nearest(world) == {world.role.id: 15, world.free_room.id: 5}, "day 5 is not open yet"
    assert nearest(world, world.free) == {world.role.id: None}
    assert nearest(world, world.paid) == {world.role.id: 5}


def test_a_list_asks_the_same_however_many_policies_departments_and_doctors(
    open_site: SimpleNamespace,
) -> None:
    world = open_site

    def asked() -> int:
        with statements(world.session) as seen:
            week.grid(world.session, institution=world.institution, wish=Wish(), now=NOW)
        return len(seen)

    few = asked()
    for number in range(6):
        place = make.make_department(world.session, world.tenant, organization=world.post)
        role = make.make_role(world.session, world.tenant, department=place)
        make.make_sitting(world.session, role, days=5)
        attach(
            world, organization_id=world.post.id, department_id=place.id, book_days_ahead=number + 1
        )  # fmt: skip
    world.institution = directory.institution(world.session, uid=world.post.uid)
    assert asked() == few


# --- writing versions --------------------------------------------------------------------------


def new_version(world: SimpleNamespace, **place: Any) -> BookingPolicy:
    fields = {"organization": None, "donation_type": None, "tenant_id": world.tenant.id} | place
    return policy_versions.new_version(
        world.session, valid_from=None, values=starters.way("portal"), actor=NOBODY, now=NOW, **fields
    )  # fmt: skip


def test_a_version_for_a_department_knows_its_branch_and_its_predecessor(
    world: SimpleNamespace,
) -> None:
    made = new_version(world, department=world.own, service=world.paid)
    assert (made.organization_id, made.department_id, made.service_id) == (
        world.post.id, world.own.id, world.paid.id,
    )  # fmt: skip
    assert made.entry is Entry.AFTER
    assert policy_versions.predecessor(world.session, made) is None
    general = new_version(world)
    assert policy_versions.predecessor(world.session, general).id == world.tenant.policy.id
    assert {made.id, general.id} <= policy_versions.holding_now(world.session, now=NOW)
    of_root = make.make_department(world.session, world.tenant, organization=world.tenant.root)
    assert new_version(world, department=of_root).organization_id is None
    with pytest.raises(policy_versions.SameInstant):
        new_version(world, department=world.own, service=world.paid, organization=world.post)


def test_what_does_not_belong_together_is_refused(world: SimpleNamespace) -> None:
    other = make.make_polyclinic(world.session, name="Речная поликлиника")
    theirs = make.make_department(world.session, other)
    for place in ({"department": theirs}, {"service": make.make_service(world.session, other)}):
        with pytest.raises(policy_versions.OfAnother):
            new_version(world, **place)
    with pytest.raises(policy_versions.OfAnotherBranch):
        new_version(world, department=world.own, organization=world.tenant.branch)
    for place in ({"department": world.own}, {"service": world.paid}):
        with pytest.raises(policy_versions.NeverMeet):
            new_version(world, donation_type=world.tenant.platelets, **place)
    stranger = make.make_staff(world.session, Role.ADMINISTRATOR, other.root)
    set_scope(world.session, access.staff_scope(world.session, stranger))
    with pytest.raises(NotAllowed):
        new_version(world, department=world.own)
