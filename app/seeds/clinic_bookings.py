"""Visits of the demo's patients: booked by the rules at their own past hours, decided, confirmed, kept or not."""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.appointment import Appointment, RejectionReason
from app.models.directory import PractitionerRole, Specialty
from app.models.enums import AppointmentStatus as A
from app.models.enums import Channel, Sex, SlotStatus
from app.models.policy import BookingPolicy
from app.models.schedule import Schedule, Slot
from app.rules import (
    approval,
    booking,
    codes,
    desk,
    patients,
    policies,
    transitions,
    visit_rights,
)
from app.rules.actor import actor_of
from app.rules.clock import midnight
from app.rules.errors import RuleError
from app.rules.visit_rights import Rights
from app.seeds import clinic_cabinet
from app.seeds.agenda import Agenda
from app.seeds.clinic_patients import Patient
from app.seeds.clinics import Clinic

MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
AHEAD = 13 * DAY
"""How early anybody books; the policies open fourteen days ahead."""
SHARES = ((-30, 0, 0.1), (0, 7, 0.42), (7, 14, 0.2))
"""Of the times on the site from the first day until before the second, counted from today: how many are taken."""
AT_DESK = 0.35
"""Of that share: the times that only the desk gives."""
LATELY = 0.4
MOST = 3
"""Visits of one patient in one round; the policies allow so many at once."""
FOR_CHILDREN = frozenset({"district-paediatrician", "paediatrician"})
FOR_WOMEN = "obstetrician"
CHILDRENS_BRANCH = "children"


@dataclass(frozen=True)
class Time:
    """A free time on the site, with whom it is."""

    slot: Slot
    role: PractitionerRole
    specialty: str

    @property
    def practitioner_id(self) -> int:
        return self.role.practitioner_id

    @property
    def organization_id(self) -> int:
        return self.role.organization_id


@dataclass
class Round:
    """Bookings of one polyclinic after one publication."""

    session: Session
    agenda: Agenda
    clinic: Clinic
    patients: Sequence[Patient]
    now: dt.datetime
    rng: random.Random
    _busy: dict[int, set[int | dt.date]] = field(default_factory=lambda: defaultdict(set))
    """Person → practitioners and days he has already."""
    _rights: dict[int, Rights] = field(default_factory=dict)
    """Person → what attachment and referral allow, where the polyclinic asks for them."""
    _policy: BookingPolicy | None = None
    _visits: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def plan(self, at: dt.datetime) -> None:
        """Once the weeks are published at ``at``: who books which time, and when he does so."""
        times = list(self._chosen(at))
        self._read_rights(at, {time.role.id for time in times})
        self.rng.shuffle(times)
        for time in times:
            at_desk = time.slot.channel is Channel.DESK
            patient = self._somebody(time, at_desk=at_desk)
            if (
                patient is None and self._policy is not None
            ):  # has phoned, with no right on the site
                at_desk, patient = True, self._somebody(time, at_desk=True)
            if patient is None:
                continue
            first = max(at + MINUTE, time.slot.starts_at - AHEAD)
            last = min(self.now - 5 * MINUTE, time.slot.starts_at - HOUR)
            if time.organization_id in self._slow() and self.rng.random() < LATELY:
                first = max(first, self.now - 14 * HOUR)
            if first < last:
                seconds = self.rng.randrange(int((last - first).total_seconds()))
                when = first + dt.timedelta(seconds=seconds)
                act = self._book_at_desk if at_desk else self._book
                self.agenda.at(when, partial(act, time, patient))

    def _chosen(self, at: dt.datetime) -> Iterator[Time]:
        """The wanted share of every doctor's times, some doctors being asked for more than others."""
        rows = self.session.execute(
            select(Slot, PractitionerRole, Specialty.code)
            .join(Schedule, Schedule.id == Slot.schedule_id)
            .join(PractitionerRole, PractitionerRole.id == Slot.role_id)
            .join(Specialty, Specialty.id == PractitionerRole.specialty_id)
            .where(
                Schedule.tenant_id == self.clinic.root.id,
                Slot.status == SlotStatus.FREE,
                Slot.starts_at > at,
                Slot.starts_at < self.now + 14 * DAY,
            )
            .order_by(Slot.id)
        ).all()
        fame = {key: self.rng.uniform(0.3, 1.8) for key in dict.fromkeys(row[1].id for row in rows)}
        today = midnight(self.now.date(), self.clinic.root.time_zone)
        for slot, role, specialty in rows:
            days = (slot.starts_at - today).days
            share = next((share for a, b, share in SHARES if a <= days < b), 0)
            if slot.channel is Channel.DESK:
                share *= AT_DESK
            if self.rng.random() < share * fame[role.id]:
                yield Time(slot, role, specialty)

    def _slow(self) -> set[int]:
        """Branches that decide about each request: some have come lately and still wait."""
        return {
            self.clinic.branches[key].id
            for key, fields in self.clinic.data["branches"].items()
            if fields.get("way") == "registry_approval"
        }

    def _somebody(self, time: Time, *, at_desk: bool) -> Patient | None:
        """A patient for whom this doctor is and who has nothing that day yet."""
        branch = self.clinic.branches.get(CHILDRENS_BRANCH)
        for_child = time.specialty in FOR_CHILDREN or (
            branch is not None and branch.id == time.organization_id
        )
        day = time.slot.starts_at.date()
        for _ in range(40):
            patient = self.rng.choice(self.patients[1:])  # the first one's is for whoever looks
            busy = self._busy[patient.person.id]
            if (
                patient.child is for_child
                and (time.specialty != FOR_WOMEN or patient.person.sex is Sex.FEMALE)
                and self._visits[patient.person.id] < MOST
                and (at_desk or self._allows(time, patient))
                and not busy & {time.practitioner_id, day}
            ):
                busy |= {time.practitioner_id, day}
                self._visits[patient.person.id] += 1
                return patient
        return None

    def _read_rights(self, at: dt.datetime, role_ids: set[int]) -> None:
        root = self.clinic.root
        policy = policies.by_organization(self.session, organizations=[root], now=at).get(root.id)
        if policy is not None and visit_rights.asked(policy):
            self._policy = policy
            people = [patient.person.id for patient in self.patients]
            self._rights = visit_rights.of_people(self.session, people, role_ids)

    def _allows(self, time: Time, patient: Patient) -> bool:
        """The site books by attachment and referral (C9, C11–C15)."""
        if self._policy is None:
            return True
        on = visit_rights.day_there(time.slot.starts_at, self.clinic.root)
        rights = self._rights[patient.person.id]
        return not visit_rights.check(self._policy, time.role, rights, on=on)

    def _book(self, time: Time, patient: Patient, at: dt.datetime) -> None:
        """As the site does: held by a browser, named, confirmed. What a rule refuses is left."""
        token, actor = f"demo {time.slot.id}", patient.actor
        try:
            with self.session.begin_nested():
                held = patients.hold(
                    self.session, slot_uid=time.slot.uid, token=token, actor=actor, now=at
                )
                patients.name(
                    self.session,
                    appointment_id=held.id,
                    token=token,
                    person_id=patient.person.id,
                    actor=actor,
                    now=at,
                )
                made = booking.confirm(self.session, appointment_id=held.id, actor=actor, now=at)
        except RuleError:
            return
        self._go_on(made, patient, at)

    def _book_at_desk(self, time: Time, patient: Patient, at: dt.datetime) -> None:
        """He has phoned, and the registrar books for him (B16)."""
        try:
            with self.session.begin_nested():
                choice = desk.choice_of(self.session, slot_uid=time.slot.uid, now=at)
                services = desk.services_of(self.session, choice)
                made = desk.book(
                    self.session,
                    slot_uid=time.slot.uid,
                    person=patient.person,
                    service_uid=services[0].uid if services else None,
                    actor=actor_of(self.clinic.registrar),
                    now=at,
                )
        except RuleError:
            return
        self._expect(made, patient)

    def _go_on(self, made: Appointment, patient: Patient, at: dt.datetime) -> None:
        """What becomes of it up to now."""
        if made.status is A.PENDING:
            self._at(at + self.rng.randrange(40, 600) * MINUTE, self._decide, made, patient)
        elif made.status is A.PROPOSED:
            self._await_code(made, patient, at)
        elif self.rng.random() < 0.06:
            early = at + (made.starts_at - at) * self.rng.uniform(0.1, 0.8)
            self._at(early, self._cancel, made, patient)
        else:
            self._expect(made, patient)

    def _at(
        self,
        when: dt.datetime,
        act: Callable[[Appointment, Patient, dt.datetime], None],
        made: Appointment,
        patient: Patient,
    ) -> None:
        """Do it then, unless that is still to come."""
        if when <= self.now:
            self.agenda.at(when, partial(act, made, patient))

    def _await_code(self, made: Appointment, patient: Patient, at: dt.datetime) -> None:
        """Most type it within minutes; of the others the booking is annulled after its hour (E28)."""
        if self.rng.random() < 0.9:
            self._at(at + self.rng.randrange(2, 25) * MINUTE, self._enter_code, made, patient)
        else:
            self._at(at + 62 * MINUTE, self._lapse, made, patient)

    def _enter_code(self, made: Appointment, patient: Patient, at: dt.datetime) -> None:
        code = codes.code_of(made)
        codes.enter(self.session, appointment_id=made.id, code=code, actor=patient.actor, now=at)
        self._expect(made, patient)

    def _lapse(self, made: Appointment, patient: Patient, at: dt.datetime) -> None:
        codes.lapse(self.session, now=at)

    def _cancel(self, made: Appointment, patient: Patient, at: dt.datetime) -> None:
        booking.cancel(self.session, appointment_id=made.id, actor=patient.actor, now=at)

    def _decide(self, made: Appointment, patient: Patient, at: dt.datetime) -> None:
        """The registrar allows it, or does not (E27)."""
        by = self.clinic.registrar
        try:
            with self.session.begin_nested():
                if self.rng.random() < 0.15:
                    reasons = self.session.scalars(
                        select(RejectionReason.id)
                        .where(RejectionReason.tenant_id == made.tenant_id)
                        .order_by(RejectionReason.position)
                    ).all()
                    approval.reject(
                        self.session,
                        appointment_id=made.id,
                        reason_id=self.rng.choice(reasons),
                        comment="",
                        by=by,
                        now=at,
                    )
                    return
                made = approval.approve(self.session, appointment_id=made.id, by=by, now=at)
        except RuleError:
            return
        if made.status is A.PROPOSED:  # not of who has no phone: booked at once
            self._await_code(made, patient, at + 2 * MINUTE)
        else:
            self._expect(made, patient)

    def _expect(self, made: Appointment, patient: Patient) -> None:
        """The visit itself: he comes and is seen, or does not come."""
        if self.rng.random() < 0.12:
            self._at(made.starts_at + 4 * HOUR, self._miss, made, patient)
        else:
            self._at(made.starts_at, self._arrive, made, patient)
            self._at(made.starts_at + 20 * MINUTE, self._fulfil, made, patient)

    def _arrive(self, made: Appointment, patient: Patient, at: dt.datetime) -> None:
        self._move(made, "arrive", at)

    def _fulfil(self, made: Appointment, patient: Patient, at: dt.datetime) -> None:
        self._move(made, "fulfil", at)
        clinic_cabinet.rate(self.session, self.clinic, made, at)

    def _miss(self, made: Appointment, patient: Patient, at: dt.datetime) -> None:
        self._move(made, "noshow", at)

    def _move(self, made: Appointment, event: str, at: dt.datetime) -> None:
        actor = actor_of(self.clinic.registrar)
        transitions.move(self.session, appointment_id=made.id, event=event, actor=actor, now=at)
