"""What a thief of the database's files reads: no document number and no telephone, and nothing he can swap."""

from __future__ import annotations

import datetime as dt
import itertools
import re
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import (
    Attachment,
    Consent,
    ContactProof,
    DataArchive,
    DataArchivePart,
    Guest,
    MedicalDocument,
    OidcAttempt,
    Person,
    StaffUser,
    SurveyAddress,
)
from app.models.cabinet_choices import AttachmentSource, AttachmentStatus, ContactKind, PaperKind
from app.models.crypto import CannotDecrypt
from app.models.enums import (
    AppointmentStatus,
    ConsentChannel,
    DistrictKind,
    DocumentKind,
    IdentifyBy,
    Role,
)
from app.rules import (
    documents,
    holding,
    identification,
    key_rotation,
    person_documents,
    registering,
)
from app.rules.actor import actor_of
from app.rules.documents import BadDocument
from app.rules.errors import RuleError
from tests import make, servers
from tests.make import NOW

CONTROL = "4444333322221111"
"""Stands in the clear where anybody may write it: the search must find it in each place."""
HEXADECIMAL = re.compile(rb"\\\\x([0-9a-f]*)")
"""A binary column as pg_dump writes it."""
UUID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def found_in(dump: bytes, numbers: set[str]) -> set[str]:
    """Which numbers stand among the digits, also where these are parted by spaces or dashes."""
    found = set()
    lengths = {len(number) for number in numbers}
    for run in re.findall(rb"[0-9](?:[ -]?[0-9]){7,}", dump):
        plain = run.replace(b" ", b"").replace(b"-", b"").decode()
        for length in lengths:
            found |= {plain[at : at + length] for at in range(len(plain) - length + 1)} & numbers
    return found


def test_the_search_finds_what_it_is_to_find() -> None:
    numbers = {"1234567890", "79001234567"}
    for text in (b"x1234567890x", b"12 34 567-890", b"00123456789000", b"+7 900 123-45-67"):
        assert found_in(text, numbers)
    assert not found_in(b"123456789 x 0, 7900123456", numbers)


def people(store: Session, tenant: make.Tenant, count: int) -> set[str]:
    """Cards with a document and a telephone each; the numbers, telephones in both usual lengths."""
    numbers: set[str] = set()
    kinds = (DocumentKind.OMS, DocumentKind.SNILS, DocumentKind.PASSPORT)
    for n in range(count):
        phone = f"+79{1_037_204_11 + 7919 * n:09}"  # none is round: the WAL is all tests' own
        person = make.make_person(store, tenant, birth_date=dt.date(1985, 3, 8), phone=phone)
        body = f"{100_000_000 + 7919 * n}"
        typed = {
            DocumentKind.SNILS: body + documents.snils_check(body),
            DocumentKind.PASSPORT: "4" + body,
        }
        made = make.make_document(store, person, kinds[n % 3], typed.get(kinds[n % 3], ""))
        numbers |= {made.number, phone[1:], phone[2:]}
    return numbers


def life(store: Session, tenant: make.Tenant) -> set[str]:
    """What the desk, a guest and somebody who guesses do, with all its traces; their numbers."""
    desk = actor_of(make.make_staff(store, Role.REGISTRAR, tenant.root))
    policy, passport, phone = f"881234500000001{documents.policy_check_digit('881234500000001')}", "4611654321", "+79887654321"  # fmt: skip
    card = registering.NewCard(
        "Скрытная", "Анна", "", dt.date(1990, 1, 2), None, phone,
        ((DocumentKind.OMS, policy), (DocumentKind.PASSPORT, passport)), ConsentChannel.PAPER,
    )  # fmt: skip
    common = {"actor": desk, "now": NOW}
    person = registering.register(store, tenant_id=tenant.id, card=card, is_another=False, **common)
    person_documents.add(store, person=person, kind=DocumentKind.SNILS, text="112-233-445 95", **common)  # fmt: skip
    with pytest.raises(RuleError):
        registering.register(store, tenant_id=tenant.id, card=card, is_another=False, **common)
    day = make.make_sitting(store, make.make_role(store, tenant))
    row = make.make_appointment(store, tenant, person, day, status=AppointmentStatus.HELD)
    row.phone = "+79887654322"
    holding.release(store, appointment_id=row.id, **common)
    make.make_feedback(store, tenant, phone="+79887654323")
    guest = Guest(
        uid=uuid.uuid4(), tenant_id=tenant.id, organization_id=tenant.branch.id,
        holder=b"x" * 32, created_at=NOW, expires_at=NOW,
    )  # fmt: skip
    guest.phone = "+79887654324"
    store.add(guest)
    for number, method in ((passport, IdentifyBy.PASSPORT), ("4611654399", IdentifyBy.PASSPORT), ("123", IdentifyBy.OMS)):  # fmt: skip
        with pytest.raises((identification.NotIdentified, BadDocument)):
            identification.identify(
                store,
                organization_id=tenant.id,
                method=method,
                given=identification.Given(dt.date(1970, 1, 1), number),
                address="198.51.100.7",
                now=NOW,
            )
    phones = {f"7988765432{n}" for n in range(1, 5)}
    return {policy, passport, "11223344595", "4611654399", *phones, *(p[1:] for p in phones)}


def test_no_number_stands_in_the_files_of_the_database(
    store: Session, engine: sa.Engine, scale: Callable[[int], int], request: pytest.FixtureRequest
) -> None:
    """The file and its WAL; of PostgreSQL the dump as text and the segments of its WAL."""
    tenant = make.make_polyclinic(store, name=f"Поликлиника {CONTROL}")
    numbers = people(store, tenant, scale(10_000))
    assert len(numbers) == 3 * scale(10_000)
    numbers |= life(store, tenant)
    store.commit()
    tenant.root.short_name = f"Была {CONTROL}"
    store.commit()
    parts = of_sqlite(engine) if engine.dialect.name == "sqlite" else of_postgresql(engine, request)
    for name, part in parts.items():
        assert "Соснова".encode() in part, f"{name} holds what is not encrypted"
        assert found_in(part, {CONTROL}) == {CONTROL}, f"the search finds in {name}"
        assert found_in(part, numbers) == set(), name


def of_sqlite(engine: sa.Engine) -> dict[str, bytes]:
    path = Path(str(engine.url.database))
    wal = path.with_name(f"{path.name}-wal").read_bytes()
    assert wal, "SQLite keeps a write-ahead log"
    return {"the file and its WAL": path.read_bytes() + wal, "the WAL": wal}


def of_postgresql(engine: sa.Engine, request: pytest.FixtureRequest) -> dict[str, bytes]:
    """pg_dump's text, its binary columns read as bytes; and whatever stands in pg_wal."""
    server: servers.PostgreSQL = request.getfixturevalue("postgresql")
    done = subprocess.run(
        [servers.program("pg_dump"), "-h", str(server.folder), "-U", "postgres", str(engine.url.database)],
        capture_output=True, check=True,
    )  # fmt: skip
    sealed = b"\n".join(bytes.fromhex(part.decode()) for part in HEXADECIMAL.findall(done.stdout))
    assert len(sealed) > 10_000, "there are binary columns"
    plain = UUID.sub(b"", HEXADECIMAL.sub(b"", done.stdout))
    with server.admin() as admin:
        admin.execute("SELECT pg_switch_wal()")  # what is still in memory
    segments = sorted((server.data / "pg_wal").glob("0*"))
    return {
        "the dump": plain + sealed,
        "the WAL": b"".join(segment.read_bytes() for segment in segments),
    }


# --- a value in another place -------------------------------------------------------------------


@pytest.fixture
def pairs(session: Session) -> dict[str, tuple[Any, Any]]:
    """Two rows of each kind of encrypted value, all filled in."""
    tenant = make.make_polyclinic(session)
    day = make.make_sitting(session, make.make_role(session, tenant))

    def one(n: int) -> dict[type, Any]:
        person = make.make_person(session, tenant, phone=f"+7900000000{n}")
        booking = make.make_appointment(session, tenant, person, day)
        booking.phone = f"+7901000000{n}"
        staff = make.make_staff(session, Role.REGISTRAR, tenant.root)
        staff.totp_seed = f"JBSWY3DPEHPK3PX{n}"
        guest = Guest(
            uid=uuid.uuid4(), tenant_id=tenant.id, organization_id=tenant.branch.id,
            holder=bytes([n]) * 32, created_at=NOW, expires_at=NOW,
        )  # fmt: skip
        guest.phone, guest.email = f"+7902000000{n}", f"guest{n}@example.org"
        text = tenant.consent_text
        consent = Consent(
            tenant_id=tenant.id, person_id=person.id, text_id=text.id, sha256=text.sha256, given_at=NOW
        )  # fmt: skip
        session.add_all([guest, consent])
        session.flush()
        survey = SurveyAddress(
            uid=uuid.uuid4(), tenant_id=tenant.id, person_id=person.id,
            appointment_id=booking.id, consent_id=consent.id, created_at=NOW,
        )  # fmt: skip
        survey.email = f"survey{n}@example.org"
        session.add(survey)
        rows = [
            person, booking, staff, guest, survey,
            make.make_document(session, person), make.make_feedback(session, tenant),
            *of_the_cabinet(session, person, staff, n),
        ]  # fmt: skip
        return {type(row): row for row in rows}

    first, second = one(1), one(2)
    session.flush()
    kinds = key_rotation.kinds()
    assert {kind.model for kind in kinds} == set(first), "a new kind of value: fill it in here"
    return {str(kind): (first[kind.model], second[kind.model]) for kind in kinds}


def of_the_cabinet(session: Session, person: Person, staff: StaffUser, n: int) -> list[Any]:
    """An account and what is kept encrypted about it and its card."""
    account = make.make_account(session)
    account.login, account.phone = f"1122334459{n}", f"+7903000000{n}"
    account.totp_seed = f"JBSWY3DPEHPK3PX{n}"
    proof = ContactProof(
        uid=uuid.uuid4(), account_id=account.id, kind=ContactKind.PHONE, nonce="x",
        created_at=NOW, expires_at=NOW,
    )  # fmt: skip
    proof.value = f"+7904000000{n}"
    attempt = OidcAttempt(
        uid=uuid.uuid4(),
        state_hash=bytes([n]) * 32,
        holder=bytes(32),
        created_at=NOW,
        expires_at=NOW,
    )
    attempt.nonce, attempt.verifier = f"nonce{n}", f"verifier{n}"
    attached = Attachment(
        uid=uuid.uuid4(), tenant_id=person.tenant_id, organization_id=person.tenant_id,
        person_id=person.id, kind=DistrictKind.THERAPY, status=AttachmentStatus.REQUESTED,
        source=AttachmentSource.ADDRESS, requested_at=NOW,
    )  # fmt: skip
    attached.address = f"Лесная, {n}"
    paper = MedicalDocument(
        uid=uuid.uuid4(), tenant_id=person.tenant_id, person_id=person.id, title="Анализ крови",
        kind=PaperKind.TEST_RESULTS, content_type="application/pdf", size=n, sha256="0" * 64,
        created_at=NOW, created_by_id=staff.id,
    )  # fmt: skip
    paper.content = f"UERG{n}"
    archive = DataArchive(uid=uuid.uuid4(), account_id=account.id, asked_at=NOW, ends_at=NOW)
    session.add_all([proof, attempt, attached, paper, archive])
    session.flush()
    part = DataArchivePart(uid=uuid.uuid4(), account_id=account.id, archive_id=archive.id, number=0)
    part.content = f"UEsD{n}"
    session.add(part)
    return [account, proof, attempt, attached, paper, part]


def test_a_ciphertext_in_another_row_column_or_table_is_an_error(session, pairs):
    """Each value is put into each place it is not of: 0 of them can be read there."""
    tried = 0
    for source, target in itertools.product(key_rotation.kinds(), repeat=2):
        stolen = getattr(pairs[str(source)][0], f"{source.name}_ciphertext")
        place = pairs[str(target)][1]
        column = f"{target.name}_ciphertext"
        own, text = getattr(place, column), getattr(place, target.name)
        with session.begin_nested() as savepoint:
            setattr(place, column, stolen)
            session.flush()
            session.refresh(place)
            with pytest.raises(CannotDecrypt):
                getattr(place, target.name)
            savepoint.rollback()
        session.refresh(place)
        assert (getattr(place, column), getattr(place, target.name)) == (own, text)
        tried += 1
    assert tried == len(pairs) ** 2 >= 100


def test_a_changed_bit_is_an_error_and_nobody_else(session, pairs):
    person = pairs["person.phone"][0]
    whole = person.phone_ciphertext
    for at in range(len(whole)):
        person.phone_ciphertext = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        with pytest.raises(CannotDecrypt):
            _ = person.phone
    for cut in (b"", whole[:1], whole[:14], whole[:-1], whole + b"x"):
        person.phone_ciphertext = cut
        with pytest.raises(CannotDecrypt):
            _ = person.phone
