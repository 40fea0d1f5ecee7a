"""The demo's personal cabinets: profiles confirmed and waiting, copies of documents, ratings of visits."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.models.appointment import Appointment
from app.models.cabinet_choices import PaperKind, ReviewStatus
from app.models.enums import Role
from app.rules import confirmations, medical_documents, reviews, surveys
from app.rules.actor import actor_of
from app.rules.errors import RuleError
from app.seeds.agenda import Agenda
from app.seeds.clinic_patients import Patient
from app.seeds.clinics import Clinic

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
CONFIRMED, WAITING, LATE = 0, 1, 2
"""Which of the first patients with accounts has a confirmed profile, and whose waits."""
RATED = 0.45
"""Of the visits that took place."""
SAID = (
    (5, "Приняли вовремя, врач всё подробно объяснил. Спасибо!"),
    (5, ""),
    (5, "Очень внимательный доктор."),
    (4, "Немного подождали в коридоре, но приём хороший."),
    (4, ""),
    (3, "Приём короткий, хотелось бы больше объяснений."),
    (2, "Ждали сорок минут сверх времени на талоне."),
    (5, "Удобно, что талон распечатывать не пришлось."),
)
COPIES = (
    (PaperKind.TEST_RESULTS, "Общий анализ крови", "Blood test (invented)"),
    (PaperKind.OUTPATIENT_CARD, "Выписка из амбулаторной карты", "Outpatient card (invented)"),
)


def plan(
    session: Session, agenda: Agenda, clinic: Clinic, people: Sequence[Patient], now: dt.datetime
) -> None:
    """Three of the first patients ask for their profiles to be confirmed, if they have accounts here."""
    own = [one for one in people if one.account is not None and not one.child]
    if len(own) <= LATE:
        return
    agenda.at(now - 9 * DAY, lambda at: _ask(session, own[CONFIRMED], at))
    agenda.at(now - 8 * DAY, lambda at: _confirm(session, clinic, own[CONFIRMED], at))
    agenda.at(now - 5 * DAY, lambda at: _upload(session, clinic, own[CONFIRMED], at))
    agenda.at(now - 6 * DAY, lambda at: _ask(session, own[LATE], at))
    agenda.at(now - 20 * HOUR, lambda at: _ask(session, own[WAITING], at))


def _ask(session: Session, one: Patient, at: dt.datetime) -> None:
    assert one.account is not None
    confirmations.request(session, account=one.account, person=one.person, now=at)


def _confirm(session: Session, clinic: Clinic, one: Patient, at: dt.datetime) -> None:
    assert one.account is not None
    row = confirmations.latest(session, account_id=one.account.id, person_id=one.person.id)
    assert row is not None
    confirmations.confirm(session, uid=row.uid, seen=True, actor=actor_of(clinic.registrar), now=at)


def _upload(session: Session, clinic: Clinic, one: Patient, at: dt.datetime) -> None:
    for kind, title, text in COPIES:
        medical_documents.upload(
            session,
            person=one.person,
            kind=kind,
            title=title,
            body=invented_pdf(text),
            actor=actor_of(clinic.registrar),
            now=at,
        )


def rate(session: Session, clinic: Clinic, visit: Appointment, at: dt.datetime) -> None:
    """Some rate their visit, and a colleague has read most of that."""
    rng = random.Random(visit.id)
    if rng.random() > RATED:
        return
    stars, comment = rng.choice(SAID)
    asked = surveys.questions(session, tenant_id=visit.tenant_id)
    answers = {
        question.uid: {"yes_no": "yes" if stars > 2 else "no", "stars": str(stars)}.get(
            question.kind.value, ""
        )
        for question in asked
    }
    try:
        row = reviews.write(
            session, appointment_id=visit.id, stars=stars, comment=comment, answers=answers, now=at
        )
    except RuleError:
        return
    if rng.random() < 0.7:
        reviews.moderate(
            session,
            uid=row.uid,
            seen=ReviewStatus.NEW,
            status=ReviewStatus.PUBLISHED,
            actor=actor_of(clinic.staff[Role.MANAGER]),
            now=at,
        )


def invented_pdf(text: str) -> bytes:
    """A page with one line in Latin letters, small enough to stand here."""
    stream = f"BT /F1 18 Tf 60 760 Td ({text}) Tj ET".replace("(invented)", "\\(invented\\)")
    objects = (
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
        "/Resources<</Font<</F1 5 0 R>>>>>>",
        f"<</Length {len(stream)}>>\nstream\n{stream}\nendstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )
    body, offsets = "%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{each}\nendobj\n"
    start = len(body)
    body += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n"
    body += "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    body += f"trailer<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n"
    return body.encode("ascii")
