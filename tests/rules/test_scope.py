"""Whose rows a session touches: every table, by list, by id, by UPDATE and DELETE, by relation, by flush.

Two tenants get a row in every table there is, made from the columns themselves: a table that is added
later is in the test at once, and has to be narrowed or named below with the reason why not.
"""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, aliased, selectinload

from app.models import (
    Account,
    Appointment,
    AuditEvent,
    Base,
    Donor,
    DonorRecord,
    Message,
    Organization,
    Person,
    RoleAssignment,
    Schedule,
    Slot,
    StaffUser,
)
from app.models.base import UtcDateTime
from app.models.blood import BloodTypeSet
from app.models.cabinet_choices import OfferStatus
from app.models.enums import AppointmentStatus, Role, ScheduleStatus, SlotStatus
from app.models.scope import (
    PUBLIC,
    SYSTEM,
    OutOfScope,
    PersonOwned,
    ScopeMissing,
    StaffOnly,
    set_scope,
    widened,
)
from app.rules import access, announcing, booking
from app.rules.actor import actor_of
from tests import make

MODELS = {mapper.class_.__tablename__: mapper.class_ for mapper in Base.registry.mappers}
OF_NOBODY = {
    "heartbeat": "names of periodic jobs",
    "throttle": "counters under keyed hashes",
    "specialty": "one list for all organizations, without anybody's data",
    "address_point": "where houses are: one list for all organizations, without anybody's data",
    "address_import": "files of such points; rules give them to who works everywhere",
    "mailbox_letter": "exists in demos only, where the mailbox page is open to everybody",
}
"""Tables that no scope narrows, and why that is no leak."""
OPEN_TO_ALL = {
    "organization", "donation_type", "donation_pause", "donation_interval", "donation_limit",
    "booking_policy", "consent_text", "rejection_reason", "schedule", "slot",
    "department", "healthcare_service", "practitioner", "practitioner_role", "practitioner_service",
    "specialty", "district", "district_range", "district_doctor", "address_point", "survey_question",
}  # fmt: skip
"""What the public site shows to everybody."""

NOT_BOTH = {("schedule", "role_id")}
"""A day is for donors or for patients; these are for donors."""
CHOSEN = {("review", "stars"): 5, ("waiting_offer", "status"): OfferStatus.EXPIRED}
"""Values that a check or a partial index would refuse to be anything."""
_counter = itertools.count(1)


class World:
    """A tenant with a row in every table: ``rows[table name]`` is its object, ``ids`` their keys."""

    def __init__(self, session: Session, name: str) -> None:
        self.tenant = make.make_tenant(session, name=name)
        self.rows: dict[str, Any] = {
            "organization": self.tenant.branch,
            "staff_user": make.make_staff(session, Role.REGISTRAR, self.tenant.root),
        }
        for table in Base.metadata.sorted_tables:
            if table.name not in self.rows:
                row = MODELS[table.name](**self._values(table))
                session.add(row)
                session.flush()
                self.rows[table.name] = row

    def _values(self, table: sa.Table) -> dict[str, Any]:
        owner = {"tenant_id": self.tenant.root.id, "root_id": self.tenant.root.id}
        values: dict[str, Any] = {}
        for column in table.columns:
            if column.name in owner:
                values[column.name] = owner[column.name]
            elif (table.name, column.name) in NOT_BOTH:
                continue
            elif (table.name, column.name) in CHOSEN:
                values[column.name] = CHOSEN[table.name, column.name]
            elif column.foreign_keys:
                target = next(iter(column.foreign_keys)).column.table.name
                if target != table.name:  # the first of a tree
                    values[column.name] = self.rows[target].id
            elif not (column.nullable or column.default or _counts(column)):
                values[column.name] = _some(column)
        return values

    def id(self, table: str) -> Any:
        return sa.inspect(self.rows[table]).identity[0]


def _counts(column: sa.Column[Any]) -> bool:
    return column.primary_key and isinstance(column.type, sa.Integer)


def _some(column: sa.Column[Any]) -> Any:
    """Any value that the column takes, different each time where that may matter."""
    number = next(_counter)
    kind = column.type
    if isinstance(kind, BloodTypeSet):
        return frozenset()
    if isinstance(kind, sa.Enum):
        return kind.enum_class("published" if "published" in kind.enums else kind.enums[0])
    if isinstance(kind, sa.JSON):
        return {}
    python = dt.datetime if isinstance(kind, UtcDateTime) else kind.python_type
    made: dict[type, Any] = {
        str: f"x{number}"[: getattr(kind, "length", None) or 20],
        bytes: number.to_bytes(8, "big"),
        bool: False,
        int: number % 30_000,  # fits a SmallInteger too
        float: float(number % 90),
        uuid.UUID: uuid.uuid4(),
        dt.datetime: make.NOW,
        dt.date: make.NOW.date(),
        dt.time: dt.time(8, number % 60),
    }
    return made[python]


@pytest.fixture
def worlds(session):
    """Ours and theirs; everything forgotten again, so that nothing is found in memory."""
    ours, theirs = World(session, "Лесной центр"), World(session, "Речной центр")
    session.flush()
    session.expunge_all()
    return ours, theirs


def staff_of(session: Session, world: World) -> Any:
    user = session.get_one(MODELS["staff_user"], world.id("staff_user"))
    return access.staff_scope(session, user)


def account_of(session: Session, world: World) -> Any:
    return access.account_scope(
        session, session.get_one(Account, world.id("account")), now=make.NOW
    )


def seen(session: Session, table: str) -> set[Any]:
    """Keys of that table's rows, read in three ways that must agree."""
    model = MODELS[table]
    (key,) = sa.inspect(model).primary_key
    attribute = sa.inspect(model).get_property_by_column(key).class_attribute
    listed = {sa.inspect(row).identity[0] for row in session.scalars(select(model))}
    by_column = set(session.scalars(select(attribute)))
    other = aliased(model)
    by_alias = {sa.inspect(row).identity[0] for row in session.scalars(select(other))}
    assert listed == by_column == by_alias
    session.expunge_all()
    return listed


SOMEBODYS = sorted(set(MODELS) - set(OF_NOBODY))
UNSEEN = {"oidc_attempt", "sign_in_refusal", "data_archive_part"}
"""Nothing for staff: somebody on his way to another system and back, and what is the owner's alone."""
PERSONAL = sorted(set(SOMEBODYS) - OPEN_TO_ALL)


def test_staff_see_their_own_tenant_only(session, worlds):
    ours, theirs = worlds
    set_scope(session, staff_of(session, ours))
    session.expunge_all()
    found = {table: seen(session, table) for table in SOMEBODYS}
    assert [table for table in SOMEBODYS if theirs.id(table) in found[table]] == []
    assert {table for table in SOMEBODYS if ours.id(table) not in found[table]} == UNSEEN


def test_a_donor_sees_own_rows_only(session, worlds):
    ours, theirs = worlds
    set_scope(session, account_of(session, ours))
    found = {table: seen(session, table) for table in PERSONAL}
    assert [table for table in PERSONAL if theirs.id(table) in found[table]] == []
    own = [
        table
        for table in PERSONAL
        if issubclass(MODELS[table], PersonOwned) and not issubclass(MODELS[table], StaffOnly)
    ]
    assert [table for table in own if ours.id(table) not in found[table]] == []


def test_the_public_sees_what_is_public_and_nobodys_rows(session, worlds):
    set_scope(session, PUBLIC)
    assert [table for table in PERSONAL if seen(session, table)] == []
    ids = {table: {world.id(table) for world in worlds} for table in OPEN_TO_ALL}
    assert [table for table in OPEN_TO_ALL if not ids[table] <= seen(session, table)] == []


def test_sessions_and_links_of_staff_are_nobodys_outside(session, worlds):
    """Without an account they must not pass for those of a visitor without an account."""
    ours, _ = worlds
    rows = [session.get_one(MODELS[t], ours.id(t)) for t in ("web_session", "one_time_link")]
    for row in rows:
        row.account_id = None
    session.flush()
    session.expunge_all()
    for scope in (PUBLIC, account_of(session, ours)):
        set_scope(session, scope)
        assert not seen(session, "web_session") & {ours.id("web_session")}
        assert not seen(session, "one_time_link") & {ours.id("one_time_link")}
        set_scope(session, SYSTEM)


def test_drafts_are_not_public(session, worlds):
    ours, _ = worlds
    day = session.get_one(Schedule, ours.id("schedule"))
    day.status = ScheduleStatus.DRAFT
    session.flush()
    session.expunge_all()
    for scope in (PUBLIC, account_of(session, ours)):
        set_scope(session, scope)
        assert day.id not in seen(session, "schedule")
        set_scope(session, SYSTEM)


def test_a_foreign_row_is_not_got_changed_or_deleted_by_its_id(session, worlds):
    ours, theirs = worlds
    set_scope(session, staff_of(session, ours))
    session.expunge_all()
    blind = {"synchronize_session": False}
    reached = []
    for table in SOMEBODYS:
        model, foreign = MODELS[table], theirs.id(table)
        changing = update(model).where(model.id == foreign).values(id=foreign)
        deleting = delete(model).where(model.id == foreign)
        if session.get(model, foreign) is not None:
            reached.append(f"get {table}")
        if session.execute(changing, execution_options=blind).rowcount:
            reached.append(f"update {table}")
        if session.execute(deleting, execution_options=blind).rowcount:
            reached.append(f"delete {table}")
    assert reached == []


def test_a_donor_cannot_reach_a_strangers_row_by_its_id(session, worlds):
    ours, theirs = worlds
    set_scope(session, account_of(session, ours))
    session.expunge_all()
    assert [t for t in PERSONAL if session.get(MODELS[t], theirs.id(t)) is not None] == []


RELATIONS = [
    (mapper.class_, relation)
    for mapper in sorted(Base.registry.mappers, key=lambda m: m.class_.__name__)
    for relation in mapper.relationships
]
KEYS_OF_SCOPES = {"tenant_id", "organization_id", "staff_user_id", "account_id"}
PARTS = {"access_subject", "appointment_event", "donor_import_row", "template_line"}
"""Tables whose rows belong to whom their parent belongs."""


@pytest.mark.parametrize("eager", [False, True], ids=["lazy", "eager"])
def test_a_relation_does_not_lead_out(session, worlds, eager):
    """A row of ours is made to point at one of theirs, as only a fault in the house could."""
    ours, theirs = worlds
    scope = staff_of(session, ours)
    leaks, tried = [], 0
    for model, relation in RELATIONS:
        set_scope(session, SYSTEM)
        with session.begin_nested() as inner:
            if _point_out(session, ours, theirs, relation):
                tried += 1
                set_scope(session, scope)
                session.expunge_all()
                if theirs.id(relation.mapper.class_.__tablename__) in _followed(
                    session, model, relation.key, ours.id(model.__tablename__), eager
                ):
                    leaks.append(str(relation))
            inner.rollback()
        session.expunge_all()
    assert leaks == []
    assert tried > len(RELATIONS) / 2


def _point_out(session: Session, ours: World, theirs: World, relation: Any) -> bool:
    """Make our row's relation lead to theirs; False if the scope itself goes by its column."""
    table = relation.parent.class_.__tablename__
    target = relation.mapper.class_.__tablename__
    if target in OF_NOBODY:
        return False
    if relation.secondary is not None:  # our link is made to name their row
        holder = relation.secondary.name
        column = next(
            c for c in relation.remote_side if c.references(MODELS[target].id.property.columns[0])
        )
        row, value = ours.id(holder), theirs.id(target)
    elif relation.uselist:  # their row is made to name ours
        holder, column = target, next(iter(relation.remote_side))
        row, value = theirs.id(holder), ours.id(table)
    else:
        holder, column = table, next(iter(relation.local_columns))
        row, value = ours.id(holder), theirs.id(target)
    if (
        (holder, column.name) in NOT_BOTH
        or column.name in KEYS_OF_SCOPES
        or (relation.uselist and holder in PARTS)
    ):
        return False
    model = MODELS[holder]
    if column.unique:  # theirs makes room, and what hangs on it
        for part in MODELS.values():
            for key in part.__table__.foreign_keys:
                if key.column.table is model.__table__ and not key.parent.nullable:
                    rows = select(model.id).where(column == value)
                    session.execute(delete(part).where(key.parent.in_(rows)))
        session.execute(delete(model).where(column == value))
    changing = update(model).where(model.id == row).values({column.name: value})
    session.execute(changing, execution_options={"synchronize_session": False})
    return True


def _followed(session: Session, model: Any, name: str, row_id: Any, eager: bool) -> set[Any]:
    query = select(model).where(model.id == row_id)
    if eager:
        query = query.options(selectinload(getattr(model, name)))
    found: set[Any] = set()
    for row in session.scalars(query):
        there = getattr(row, name)
        rows = there if isinstance(there, list) else [there]
        found |= {sa.inspect(one).identity[0] for one in rows if one is not None}
    return found


def test_a_subquery_is_narrowed_too(session, worlds):
    ours, theirs = worlds
    set_scope(session, staff_of(session, ours))
    named = select(Appointment.person_id).where(Appointment.person_id == theirs.id("person"))
    assert session.scalars(select(Person.id).where(Person.id.in_(named))).all() == []
    assert session.scalar(select(sa.func.count()).select_from(named.subquery())) == 0
    assert session.scalars(
        select(Slot.id).join(Appointment).where(Appointment.id == theirs.id("appointment"))
    ).all() == []  # fmt: skip


# --- writing -----------------------------------------------------------------------------------


def test_two_roles_of_one_table_in_one_statement_are_both_narrowed(session, worlds):
    """A branch with its parent: each by an alias of its own, and the second beside the table itself."""
    own, other = worlds
    staff = make.make_staff(session, Role.REGISTRAR, own.tenant.root)
    session.flush()
    set_scope(session, access.staff_scope(session, staff))
    parent, child = aliased(Organization), aliased(Organization)
    pairs = session.execute(
        select(parent.id, child.id).join(child, child.part_of_id == parent.id)
    ).all()
    assert {one.id for pair in pairs for one in [own.tenant.root]} == {own.tenant.root.id}
    assert other.tenant.root.id not in {key for pair in pairs for key in pair}
    assert pairs
    beside = session.execute(
        select(Schedule.id, Organization.id, parent.id)
        .join(Organization, Organization.id == Schedule.organization_id)
        .join(parent, parent.id == Organization.part_of_id)
    ).all()
    assert {row[0] for row in beside} <= {own.rows["schedule"].id}
    for model in (Account, StaffUser, RoleAssignment, AuditEvent, Message):
        one, two = aliased(model), aliased(model)
        found = session.execute(select(one.id, two.id).join(two, two.id == one.id)).all()
        foreign = other.rows[model.__tablename__].id
        assert foreign not in {key for pair in found for key in pair}, model


def test_a_foreign_row_in_hand_is_not_flushed(session, worlds):
    """A row that was loaded while the system looked, then changed as staff."""
    ours, theirs = worlds
    scope = staff_of(session, ours)
    for table in ("person", "slot", "schedule", "donor_record", "appointment", "donation_type"):
        set_scope(session, SYSTEM)
        row = session.get_one(MODELS[table], theirs.id(table))
        sa.orm.attributes.flag_modified(row, "uid")
        set_scope(session, scope)
        with pytest.raises(OutOfScope):
            session.flush()
        session.expunge_all()


def test_a_row_is_neither_made_for_nor_moved_to_another_tenant(session, worlds):
    ours, theirs = worlds
    set_scope(session, staff_of(session, ours))
    with session.begin_nested() as inner:
        session.add(Person(tenant_id=theirs.tenant.root.id, created_at=make.NOW))
        with pytest.raises(OutOfScope):
            session.flush()
        inner.rollback()
    own = session.get_one(Person, ours.id("person"))
    own.tenant_id = theirs.tenant.root.id
    with pytest.raises(OutOfScope):
        session.flush()


def test_a_foreign_row_is_not_deleted(session, worlds):
    ours, theirs = worlds
    scope = staff_of(session, ours)
    session.delete(session.get_one(MODELS["rejection_reason"], theirs.id("rejection_reason")))
    set_scope(session, scope)
    with pytest.raises(OutOfScope):
        session.flush()


def test_a_donor_writes_own_rows_only(session, worlds):
    ours, theirs = worlds
    foreign = session.scalars(select(Donor).where(Donor.person_id == theirs.id("person"))).one()
    set_scope(session, account_of(session, ours))
    own = session.scalars(select(Donor)).one()
    own.donor_code = "777"
    session.flush()
    foreign.donor_code = "777"
    with pytest.raises(OutOfScope):
        session.flush()


def test_staff_of_a_branch_do_not_reach_its_sister(session):
    tenant = make.make_tenant(session)
    sister = make.make_organization(session, part_of_id=tenant.root.id, root_id=tenant.root.id)
    here = make.make_schedule(session, tenant)
    there = make.make_schedule(session, tenant, organization=sister)
    user = make.make_staff(session, Role.SCHEDULER, tenant.branch)
    session.expunge_all()
    set_scope(session, access.staff_scope(session, user))
    assert session.scalars(select(Schedule.id)).all() == [here.id]
    assert session.get(Schedule, there.id) is None
    freed = update(Slot).where(Slot.schedule_id == there.id).values(status=SlotStatus.FREE)
    assert session.execute(freed, execution_options={"synchronize_session": False}).rowcount == 0


# --- the scope itself --------------------------------------------------------------------------


def test_a_session_without_a_scope_neither_reads_nor_writes(engine):
    with Session(engine) as bare:
        with pytest.raises(ScopeMissing):
            bare.scalars(select(Organization)).all()
        bare.add(Organization(kind="branch", name="x", short_name="x"))
        with pytest.raises(ScopeMissing):
            bare.flush()


def test_widened_ends_with_its_block_also_after_an_error(session, worlds):
    ours, theirs = worlds
    scope = staff_of(session, ours)
    set_scope(session, scope)
    with widened(session, "to look"):
        assert session.get(DonorRecord, theirs.id("donor_record")) is not None
    session.expunge_all()
    assert session.get(DonorRecord, theirs.id("donor_record")) is None
    with pytest.raises(ZeroDivisionError), widened(session, "to fail"):
        _ = 1 / 0
    assert session.get(DonorRecord, theirs.id("donor_record")) is None


def test_a_pending_change_is_judged_by_the_scope_it_was_made_in(session, worlds):
    ours, theirs = worlds
    row = session.get_one(DonorRecord, theirs.id("donor_record"))
    set_scope(session, staff_of(session, ours))
    row.family_name = "Подмененная"
    with pytest.raises(OutOfScope), widened(session, "anything"):
        pass


def test_a_donor_who_cancels_stops_letters_that_he_cannot_see(session):
    tenant = make.make_tenant(session)
    known = make.make_donor(session, tenant)
    day = make.make_schedule(session, tenant)
    booked = make.make_appointment(session, tenant, known, day, status=AppointmentStatus.BOOKED)
    announcing.announce_booked(session, booked, now=make.NOW, run_at=make.NOW)
    session.flush()
    set_scope(session, access.account_scope(session, known.account, now=make.NOW))
    booking.cancel(session, appointment_id=booked.id, actor=actor_of(known.account), now=make.NOW)
    set_scope(session, SYSTEM)
    rows = session.execute(select(Message.kind, Message.status)).all()
    assert {(kind.value, status.value) for kind, status in rows} == {
        ("approved", "obsolete"), ("reminder", "obsolete"), ("cancelled_by_donor", "due"),
    }  # fmt: skip
