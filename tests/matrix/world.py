"""Two organizations, one of everything in the first, and every kind of visitor at its doors."""

from __future__ import annotations

import datetime as dt
import functools
import secrets
from contextlib import closing
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from flask.testing import FlaskClient

from app.models import (
    AccessEvent,
    AccessSubject,
    Account,
    AddressImport,
    AuditEvent,
    Base,
    DirectoryImport,
    DistrictImport,
    DonorImport,
    DonorImportRow,
    MailboxLetter,
    MessageTemplate,
    Organization,
    PractitionerRole,
    Publication,
    StaffUser,
    WaitingOffer,
)
from app.models.blood import BloodType
from app.models.cabinet_choices import (
    AttachmentStatus,
    NoticeEvent,
    OfferStatus,
    WaitingStatus,
)
from app.models.enums import (
    ActorKind,
    ConsentPurpose,
    ImportStatus,
    LinkPurpose,
    MessageChannel,
    MessageKind,
    MessageStatus,
    PageKind,
    PublicationStatus,
    Relation,
    Role,
    RowAction,
)
from app.models.enums import AppointmentStatus as A
from app.rules import absences, drafts, links, medication, notices, outbox, surveys, templates
from app.rules.actor import actor_of
from app.rules.matrix import Dates, Line, Matrix
from app.rules.offer_answers import key_of
from app.rules.sittings import Line as Sitting
from app.rules.sittings import Plan
from tests import make, stores
from tests.client import csrf_token, pass_for
from tests.waiting import make_entry

CANARY = "анарейк"
"""In every name of ours: whoever may not see us does not see this."""
UNCOUNTED = {"access_event", "access_subject", "web_session", "throttle", "heartbeat"}
"""Who looked, who is there, how often something was tried: these a GET may write."""
OF_A_BRANCH = {
    "request", "held", "booked", "day", "branch", "message", "colleague", "number", "department",
    "doctor_role", "clinic", "visit_request", "visit_booked", "time", "district", "district_file", "template", "absence", "attachment",
    "waits",
    "visit_over", "review",
}  # fmt: skip
"""Things that are not seen from a sister branch."""

DONORS, STAFF = "talon", "talon-staff"
"""Names of the two cookies."""
State = dict[str, list[tuple[Any, ...]]]


def state(engine: sa.Engine) -> State:
    """Every row of every table, to be put back."""
    with engine.connect() as connection:
        found = {
            table.name: [
                tuple(row)
                for row in connection.execute(sa.select(table).order_by(*table.primary_key))
            ]
            for table in Base.metadata.sorted_tables
        }
        connection.rollback()
    return found


@functools.cache
def _reading() -> dict[str, str]:
    return {
        table.name: f'SELECT * FROM "{table.name}" ORDER BY {", ".join(table.primary_key.columns.keys())}'
        for table in Base.metadata.sorted_tables
    }


def contents(engine: sa.Engine) -> State:
    """Every row of every table as the driver says it, to be compared: a tenth of the work of ``state``."""
    found: list[list[tuple[Any, ...]]] = []
    with engine.connect() as connection, closing(connection.connection.cursor()) as cursor:
        if engine.dialect.name == "sqlite":  # takes one statement at a time
            found = [cursor.execute(reading).fetchall() for reading in _reading().values()]
        else:
            cursor.execute("; ".join(_reading().values()))
            found.append(cursor.fetchall())
            while cursor.nextset():
                found.append(cursor.fetchall())
        connection.rollback()
    return dict(zip(_reading(), found, strict=True))


def restore(engine: sa.Engine, wanted: State) -> None:
    """Put every row back as it was."""
    stores.wipe(engine)
    with engine.begin() as connection:
        for table in Base.metadata.sorted_tables:
            rows = wanted[table.name]
            if rows:
                names = [column.name for column in table.columns]
                connection.execute(
                    sa.insert(table), [dict(zip(names, row, strict=True)) for row in rows]
                )


@dataclass(frozen=True)
class Visitor:
    """Somebody at the door, with what the table says of such people."""

    name: str
    cookies: tuple[tuple[str, str], ...]
    csrf: dict[str, str]
    """A good token for each cookie name."""
    role: Role | None = None
    ours: bool = True
    sister: bool = False
    """Works in another branch of our organization."""
    donor: bool = False
    half: bool = False

    @property
    def is_staff(self) -> bool:
        return self.role is not None

    def client(self, app: Flask, *, cookies: bool = True) -> FlaskClient:
        client = app.test_client()
        for name, value in self.cookies if cookies else ():
            client.set_cookie(name, value)
        return client


def form_cookie(app: Flask) -> tuple[str, str]:
    """The cookie of somebody who is not signed in and has a form open, and its token."""
    secret = secrets.token_hex(20)
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signer is not None
    return str(signer.dumps({"csrf_token": secret})), csrf_token(app, secret)


class World:
    """``things`` by name (as strings for addresses and forms), ``visitors`` by name."""

    def __init__(self, app: Flask, engine: sa.Engine) -> None:
        self.app, self.engine = app, engine
        self.now = dt.datetime.now(dt.UTC)
        self.things: dict[str, str] = {}
        self.visitors: dict[str, Visitor] = {}
        with stores.system_session(engine) as session:
            self.session = session
            self._ours()
            self._theirs()
            self._anonymous()
            session.commit()
        self.begin = state(engine)
        self.contents = contents(engine)

    # --- what there is

    def _ours(self) -> None:
        session, now = self.session, self.now
        tenant = self.tenant = make.make_tenant(
            session, name="Канарейкин центр", now=now, live_limit=9
        )
        for kind in tenant.types.values():
            kind.name_ru, kind.name_en = f"Канарейка {kind.code}", f"Canary {kind.code} (канарейка)"
        for reason in tenant.reasons:
            reason.text_ru = f"Канарейка {reason.position}"
        self.known = self._donor(tenant, family_name="Канарейкина")
        self._bookings()
        self._facts_of_the_donor()
        self._days()
        self._letters()
        self._control()
        self._words()
        self._directory()
        version = make.make_policy(
            session, tenant.root, now=now, valid_from=now + dt.timedelta(days=9)
        )
        self.put(
            policy=version, root=tenant.root, branch=tenant.branch, type=tenant.platelets,
            reason=tenant.reasons[2],
        )  # fmt: skip
        colleague = self._staff(Role.REGISTRAR, tenant.root, "colleague", "Канарейкин Коллега")
        self.put(colleague=colleague)
        for role in Role:
            self._visit(self._staff(role, tenant.root, role.value), name=role.value, role=role)
        sister = make.make_organization(
            session, part_of_id=tenant.root.id, root_id=tenant.root.id, short_name="Сестра"
        )
        for role in Role:
            name = f"{role.value} of a sister branch"
            self._visit(self._staff(role, sister, name), name=name, role=role, sister=True)
        half = self._staff(Role.REGISTRAR, tenant.root, "half")
        self._visit(half, name="staff after the first step", half=True, second_factor=False)
        off = self._staff(Role.ADMINISTRATOR, tenant.root, "off", is_active=False)
        self._visit(off, name="disabled administrator")
        self._visit(self.known.account, name="owner", donor=True)
        self._visit(self._donor(tenant).account, name="another donor", donor=True)
        closed = self._donor(tenant).account
        closed.is_active = False
        self._visit(closed, name="disabled donor")

    def _theirs(self) -> None:
        foreign = make.make_tenant(self.session, name="Речной центр", now=self.now)
        for role in Role:
            name = f"foreign {role.value}"
            self._visit(self._staff(role, foreign.root, name), name=name, role=role, ours=False)
        self._visit(self._donor(foreign).account, name="foreign donor", donor=True, ours=False)

    def _anonymous(self) -> None:
        self._enter("anonymous", {})

    def _bookings(self) -> None:
        session, tenant, now = self.session, self.tenant, self.now
        days = [
            make.make_schedule(
                session, tenant, date=(now + dt.timedelta(days=n)).date(), per_time=4
            )
            for n in (5, 6)
        ]
        common: dict[str, Any] = {"actor": make.NOBODY, "now": now}
        request = make.make_appointment(session, tenant, self.known, days[0], **common)
        booked = make.make_appointment(
            session, tenant, self.known, days[0], status=A.BOOKED, **common
        )
        booked.undo_until = now + dt.timedelta(days=1)
        held = make.make_appointment(session, tenant, self.known, days[1], status=A.HELD, **common)
        held.hold_until = now + dt.timedelta(days=1)
        session.flush()
        free = [s for s in make.slots_of(session, days[1]) if s.status.value == "free"]
        self.put(request=request, booked=booked, held=held, day=days[1], slot=free[0])
        self._waiting(days[1])
        self.things["number"] = str(request.number)
        self.request = request

    def _waiting(self, day: Any) -> None:
        """Our donor waits for two things; of one a place is offered."""
        session, tenant, now = self.session, self.tenant, self.now
        until = now + dt.timedelta(days=1)
        waits = make_entry(session, tenant, self.known, created_at=now)
        offered = make_entry(
            session, tenant, self.known, created_at=now, status=WaitingStatus.OFFERED, offers=1,
            organization_id=tenant.root.id,
        )  # fmt: skip
        kept = make.make_appointment(session, tenant, self.known, day, status=A.HELD, now=now)
        kept.hold_until = until
        offer = WaitingOffer(
            organization_id=tenant.branch.id, entry_id=offered.id, person_id=kept.person_id,
            slot_id=kept.slot_id, appointment_id=kept.id, status=OfferStatus.OPEN,
            offered_at=now, expires_at=until,
        )  # fmt: skip
        session.add(offer)
        session.flush()
        self.put(waits=waits, offer=offer)
        self.things["offer_key"] = key_of(offer)

    def _facts_of_the_donor(self) -> None:
        session, tenant = self.session, self.tenant
        linked = self._donor(tenant, family_name="Канарейкина-Связанная")
        record = make.make_record(session, tenant, linked, person_id=linked.person.id)
        self.put(
            person=self.known.person,
            account=self.known.account,
            linked=linked.person,
            record=record,
            deferral=make.make_deferral(session, tenant, self.known),
            document=make.make_document(session, self.known.person),
            prescription=self._rights(),
            donation=make.make_donation(
                session, tenant, self.known, on_date=self.now.date() - dt.timedelta(days=200)
            ),
        )

    def _rights(self) -> Any:
        """A consent to be withdrawn, a link that stops letters; a prescription to be stopped."""
        session, tenant, now = self.session, self.tenant, self.now
        who, account = self.known.person, self.known.account
        medication.agree(
            session, account=account, person_ids=[who.id], now=now, ip="", user_agent=""
        )
        self.things["stop_token"] = notices.stop_token(
            account, NoticeEvent.REMINDER, MessageChannel.EMAIL
        )
        doctor = self._staff(Role.REGISTRAR, tenant.root, "prescriber", "Канарейкин Врач")
        return medication.prescribe(
            session, person=who, medicine="Канарейка", dose="", hours="08:00",
            first_day=now.date(), last_day=now.date(), actor=actor_of(doctor), now=now,
        )  # fmt: skip

    def _days(self) -> None:
        session, tenant, now = self.session, self.tenant, self.now
        author = self._staff(Role.SCHEDULER, tenant.root, "author", "Канарейкин Автор")
        wanted = Matrix(
            Dates.of((now + dt.timedelta(days=12)).date()),
            (tenant.branch.id,),
            lines=(Line(tenant.platelets.id, 3, frozenset({BloodType.parse("A+")})),),
        )
        draft = Publication(
            tenant_id=tenant.id, title="Канарейка", status=PublicationStatus.DRAFT,
            matrix=wanted.as_json(), report={}, created_at=now, created_by_id=author.id,
        )  # fmt: skip
        imported = DonorImport(
            tenant_id=tenant.id, file_name="канарейка.csv", sha256="0" * 64,
            status=ImportStatus.CHECKED, uploaded_at=now, uploaded_by_id=author.id,
            summary={"new": 0, "bad": 1},
        )  # fmt: skip
        imported.rows.append(
            DonorImportRow(line=2, action=RowAction.BAD, reason="Канарейка", values={})
        )
        session.add_all([draft, imported])
        session.flush()
        pause = make.make_pause(
            session, tenant, donation_type_id=tenant.types[make.DonationKind.PLASMA].id,
            starts_at=now, notice_ru="Канарейка",
        )  # fmt: skip
        self.put(draft=draft, pause=pause)
        self.things["import"] = str(imported.uid)

    def _letters(self) -> None:
        session, tenant, now = self.session, self.tenant, self.now
        message = outbox.add(
            session, kind=MessageKind.APPROVED, key="approved", now=now, tenant_id=tenant.id,
            account_id=self.known.account.id, appointment_id=self.request.id,
        )  # fmt: skip
        outbox.finish(session, message, MessageStatus.SENT, now=now)
        session.flush()
        letter = EmailMessage()
        letter["Subject"] = "Канарейка"
        letter.set_content("Текст")
        letter.add_alternative("<p>Текст</p>", subtype="html")
        letter.add_attachment(b"x", maintype="application", subtype="pdf", filename="x.pdf")
        session.add(
            MailboxLetter(
                message_id=message.id, sent_at=now, recipient=self.known.account.email,
                subject="Канарейка", source=letter.as_string(),
            )
        )  # fmt: skip
        session.add(
            MessageTemplate(
                tenant_id=tenant.id, kind=MessageKind.REJECTED, locale="ru", subject="Канарейка",
                body="Канарейка", updated_at=now,
            )
        )  # fmt: skip
        self.put(message=message)
        self.things["letter"] = str(message.uid)
        waiting = make.make_account(session, now=now, email_confirmed_at=None)
        invited = self._staff(Role.ANALYST, tenant.root, "invited", password_hash=None)
        for name, purpose, owner in (
            ("confirm_token", LinkPurpose.CONFIRM_EMAIL, {"account_id": waiting.id}),
            ("reset_token", LinkPurpose.RESET_PASSWORD, {"account_id": self.known.account.id}),
            ("invite_token", LinkPurpose.STAFF_INVITE, {"staff_user_id": invited.id}),
        ):
            link = links.issue(session, purpose=purpose, now=now, **owner)
            self.things[name] = links.token(link)

    def _control(self) -> None:
        session, tenant, now = self.session, self.tenant, self.now
        who = self._staff(Role.REGISTRAR, tenant.root, "seer", "Канарейкин Смотрящий")
        audit = AuditEvent(
            at=now, tenant_id=tenant.id, actor_kind=ActorKind.STAFF, actor_id=who.id,
            verb="booking.approve", subject="appointment", subject_id=self.request.id, changes={},
        )  # fmt: skip
        access = AccessEvent(at=now, tenant_id=tenant.id, staff_user_id=who.id, action="queue")
        access.subjects.append(AccessSubject(person_id=self.known.person.id))
        session.add_all([audit, access])
        session.flush()
        self.things |= {"audit": str(audit.id), "access": str(access.id)}

    def _directory(self) -> None:
        session, tenant = self.session, self.tenant
        clinic = make.make_organization(
            session, part_of_id=tenant.id, root_id=tenant.id, short_name="Канарейкина поликлиника",
            kind=make.OrganizationKind.BRANCH, takes_patients=True,
        )  # fmt: skip
        service = make.make_service(session, tenant, name_ru="Канарейка")
        doctor = make.make_practitioner(
            session, tenant, services=[service], family_name="Канарейкина"
        )
        department = make.make_department(session, tenant, organization=clinic, name="Канарейка")
        role = make.make_role(session, tenant, practitioner=doctor, department=department)
        sitting = make.make_sitting(session, role, date=(self.now + dt.timedelta(days=5)).date())
        patient = self.known.person
        self.put(
            visit_held=make.make_appointment(
                session, tenant, patient, sitting, status=A.HELD, now=self.now
            ),
            visit_booked=make.make_appointment(
                session, tenant, patient, sitting, status=A.BOOKED, now=self.now
            ),
            visit_request=make.make_appointment(
                session,
                tenant,
                make.make_person(session, tenant, family_name="Канарейкина"),
                sitting,
                now=self.now,
            ),
            time=make.slots_of(session, sitting)[3],
        )
        self._family(role)
        district = make.make_district(session, tenant, organization=clinic, number="Канарейка")
        make.make_address(session)
        self.things["street"] = make.make_range(session, district, street="Канарейкина").street_key
        imported = DistrictImport(
            tenant_id=tenant.id, organization_id=clinic.id, file_name="канарейка.csv", lines=[],
            created_at=self.now, created_by_id=self._staff(Role.MANAGER, clinic, "filer").id,
        )  # fmt: skip
        session.add(imported)
        session.flush()
        self.put(district=district, district_file=imported)
        author = self._staff(Role.MANAGER, tenant.root, "librarian", "Канарейкин Справочник")
        file = DirectoryImport(
            tenant_id=tenant.id, file_name="канарейка.xlsx", lines=[],
            status=ImportStatus.CHECKED, created_at=self.now, created_by_id=author.id,
            report={"counts": {"new": 0, "changed": 0, "same": 0, "bad": 0}, "bad": [], "changes": []},
        )  # fmt: skip
        addresses = AddressImport(
            file_name="канарейка.csv", lines=[], created_at=self.now, created_by_id=author.id
        )
        session.add_all([file, addresses])
        session.flush()
        self.put(directory_file=file, address_file=addresses)
        self.put(
            clinic=clinic, doctor_role=role, doctor=doctor, department=department, service=service,
            specialty=role.specialty,
        )  # fmt: skip
        self._schedules(role)
        self._cabinet(role)

    def _cabinet(self, role: PractitionerRole) -> None:
        """A profile to be confirmed and one that is, a copy of a document, visits that are over."""
        session, tenant, now = self.session, self.tenant, self.now
        person, author = self.known.person, self._staff(Role.REGISTRAR, tenant.root, "copyist")
        make.make_consent_text(session, tenant.root, now=now, purpose=ConsentPurpose.DOCUMENTS)
        make.make_confirmation(session, self.known, now=now)
        other = self._donor(tenant, family_name="Канарейкина-Ждущая")
        over = make.make_sitting(session, role, date=(now - dt.timedelta(days=3)).date())
        visits = [
            make.make_appointment(session, tenant, self.known, over, status=A.FULFILLED, now=now)
            for _ in range(3)
        ]
        self.things["survey_token"] = surveys.token(
            make.make_survey_address(session, visits[2], now=now)
        )
        self.put(
            confirmation=make.make_confirmation(session, other, confirmed=False, now=now),
            copy=make.make_copy(session, person, author, title="Канарейка", now=now),
            visit_over=visits[0],
            review=make.make_review(session, visits[1], comment="Канарейка", now=now),
            question=make.make_question(session, tenant, text_ru="Канарейка"),
        )

    def _family(self, role: PractitionerRole) -> None:
        """A child of the donor's, a relative who is asked, requests for an attachment, a referral."""
        session, tenant, account = self.session, self.tenant, self.known.account
        named = {"family_name": "Канарейкина"}
        child, relative = (make.make_person(session, tenant, **named) for _ in range(2))
        make.make_kept(session, account, child, now=self.now)
        make.make_kept(session, account, relative, Relation.PARENT, now=self.now, agreed_at=None)
        district = make.make_district(session, tenant, number="Канарейка 2")
        asked = make.make_attachment(
            session, child, district, now=self.now, status=AttachmentStatus.REQUESTED
        )
        by = self._staff(Role.REGISTRAR, tenant.root, "referrer", "Канарейкина Регина")
        referral = make.make_referral(session, self.known.person, role, by, now=self.now)
        link = links.issue(
            session, purpose=LinkPurpose.JOIN_FAMILY, account_id=account.id, now=self.now
        )
        self.things["join_token"] = links.token(link)
        self.put(child=child, relative=relative, asker=account, attachment=asked, referral=referral)

    def _schedules(self, role: PractitionerRole) -> None:
        """A template of the clinic, a draft of its doctor's weeks, an absence."""
        session, tenant, now = self.session, self.tenant, self.now
        actor = actor_of(self._staff(Role.SCHEDULER, tenant.root, "planner", "Канарейкин Планёр"))
        where, today = role.organization_id, now.date()
        lines = [Sitting(day, dt.time(9), dt.time(12), 20) for day in range(1, 8)]
        common: dict[str, Any] = {"actor": actor, "now": now}
        template = templates.create(
            session, organization_id=where, title="Канарейка", lines=lines, **common
        )
        ahead = Dates(today + dt.timedelta(days=20), today + dt.timedelta(days=26))
        plan = drafts.save(
            session, tenant_id=tenant.id, title="Канарейка", **common,
            matrix=Plan(template.id, (role.id,), ahead, tuple(lines)),
        )  # fmt: skip
        absence, _closed = absences.add(
            session, organization_id=where, role_id=role.id, reason="Канарейка", **common,
            first=today + dt.timedelta(days=40), last=today + dt.timedelta(days=41),
        )  # fmt: skip
        self.put(template=template, plan=plan, absence=absence)

    def _words(self) -> None:
        """Pages of the site, and what somebody has written."""
        for kind in PageKind:
            make.make_page(
                self.session, self.tenant, kind=kind, slug=kind.value, published_at=self.now
            )
        self.put(
            page=make.make_page(self.session, self.tenant, title_ru="Канарейка"),
            enquiry=make.make_feedback(self.session, self.tenant, name="Канарейкина Анна"),
        )

    # --- who comes

    def _donor(self, tenant: make.Tenant, **fields: Any) -> make.KnownDonor:
        return make.make_donor(self.session, tenant, now=self.now, **fields)

    def _staff(
        self, role: Role, over: Organization, name: str, full_name: str = "", **fields: Any
    ) -> StaffUser:
        return make.make_staff(
            self.session,
            role,
            over,
            now=self.now,
            full_name=full_name or f"Некто ({name})",
            **fields,
        )

    def _visit(
        self, user: Account | StaffUser, *, name: str, second_factor: bool = True, **facts: Any
    ) -> None:
        given = pass_for(
            self.session, user, now=self.now, app=self.app, second_factor=second_factor
        )
        self._enter(name, {given.cookie: (given.value, given.csrf)}, **facts)

    def _enter(self, name: str, own: dict[str, tuple[str, str]], **facts: Any) -> None:
        """On the surface where one is not signed in one has a cookie too: that of an open form."""
        given = {cookie: form_cookie(self.app) for cookie in (DONORS, STAFF)} | own
        cookies = tuple((cookie, value) for cookie, (value, _) in given.items())
        csrf = {cookie: token for cookie, (_, token) in given.items()}
        self.visitors[name] = Visitor(name, cookies, csrf, **facts)

    def put(self, **rows: Any) -> None:
        """Remember things by the name they have outside."""
        self.things |= {name: str(row.uid) for name, row in rows.items()}
