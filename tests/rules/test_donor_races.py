"""Two at once: the same file applied twice, two files of one donor, two cards for one record."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import Deferral, DonorImport, DonorRecord, Person
from app.models.enums import ImportStatus, Role
from app.rules import import_apply, imports
from app.rules.donor_file import read_file
from app.rules.donors import RecordTaken, link_record, unlink_record
from app.rules.errors import RuleError
from app.rules.import_apply import RecordsMoved
from app.rules.imports import ImportEnded
from tests import make
from tests.make import NOW

HEADING = "код донора;фамилия;группа крови;резус-фактор;отвод"


@pytest.fixture
def tenant(store):
    return make.make_tenant(store)


@pytest.fixture
def registrar(store, tenant):
    return make.make_staff(store, Role.REGISTRAR, tenant.root)


@pytest.fixture
def together(store, new_session) -> Callable[..., list[str]]:
    """Run each in its own thread, session and transaction; the names of what came out, sorted."""

    def run(*acts: Callable[[Session], object]) -> list[str]:
        store.commit()
        sessions = [new_session() for _ in acts]
        start = threading.Barrier(len(acts))
        out: list[str] = []

        def one(act: Callable[[Session], object], session: Session) -> None:
            start.wait()
            try:
                act(session)
                session.commit()
                out.append("done")
            except RuleError as refusal:
                session.rollback()
                out.append(type(refusal).__name__)
            except Exception as error:
                session.rollback()
                out.append(repr(error))

        threads = [
            threading.Thread(target=one, args=pair) for pair in zip(acts, sessions, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        store.expire_all()
        return sorted(out)

    return run


def checked(store, tenant, registrar, *rows: str) -> DonorImport:
    data = "\n".join([HEADING, *rows]).encode()
    file = read_file(data, today=NOW.date())
    found = imports.check(
        store,
        tenant_id=tenant.id,
        file=file,
        file_name="x.csv",
        sha256=hashlib.sha256(data).hexdigest(),
        by=registrar,
        now=NOW,
    )
    store.commit()
    return found


def applying(imported: DonorImport, registrar) -> Callable[[Session], object]:
    def act(session: Session) -> None:
        own = session.get_one(DonorImport, imported.id)
        import_apply.apply(session, imported=own, by=registrar, now=NOW)

    return act


def test_one_file_applied_by_two_at_once_is_applied_once(store, tenant, registrar, together):
    imported = checked(store, tenant, registrar, "1;Ель;I;+;постоянный")
    out = together(*[applying(imported, registrar)] * 3)
    assert out == [ImportEnded.__name__, ImportEnded.__name__, "done"]
    assert store.scalar(select(func.count()).select_from(Deferral)) == 1
    assert store.scalar(select(func.count()).select_from(DonorRecord)) == 1


def test_two_files_with_the_same_new_donor_do_not_make_two(store, tenant, registrar, together):
    one = checked(store, tenant, registrar, "1;Ель;I;+;")
    two = checked(store, tenant, registrar, "1;Бор;II;+;")
    out = together(applying(one, registrar), applying(two, registrar))
    assert out == [RecordsMoved.__name__, "done"]
    assert store.scalar(select(func.count()).select_from(DonorRecord)) == 1
    statuses = sorted(store.scalars(select(DonorImport.status)))
    assert statuses == [ImportStatus.APPLIED, ImportStatus.CHECKED], "the loser can be rechecked"


def test_one_record_is_not_linked_to_two_cards(store, tenant, together):
    donors = [make.make_donor(store, tenant, donor_code="1") for _ in range(3)]
    record = make.make_record(store, tenant, code="1")

    def linking(person_id: int) -> Callable[[Session], object]:
        return lambda session: link_record(
            session,
            person=session.get_one(Person, person_id),
            record=session.get_one(DonorRecord, record.id),
        )

    out = together(*[linking(donor.person.id) for donor in donors])
    assert out == [RecordTaken.__name__, RecordTaken.__name__, "done"]


def test_a_link_made_while_a_file_is_applied_misses_nothing(
    store, tenant, registrar, together, scale
):
    for number in range(scale(100)):
        code = str(number)
        donor = make.make_donor(store, tenant, donor_code=code, family_name="")
        record = make.make_record(store, tenant, code=code, family_name="Ель")
        imported = checked(store, tenant, registrar, f"{code};Бор;I;+;постоянный")

        def link(session: Session, person=donor.person.id, record=record.id) -> None:
            link_record(
                session,
                person=session.get_one(Person, person),
                record=session.get_one(DonorRecord, record),
            )

        assert together(link, applying(imported, registrar)) == ["done", "done"]
        owners = store.scalars(select(Deferral.person_id).where(Deferral.record_id == record.id))
        assert owners.all() == [donor.person.id]
        assert store.get_one(Person, donor.person.id).family_name == "Бор"


def test_undoing_a_link_while_a_file_is_applied_leaves_nothing_behind(
    store, tenant, registrar, together, scale
):
    for number in range(scale(100)):
        code = str(number)
        donor = make.make_donor(store, tenant, donor_code=code, family_name="")
        record = make.make_record(store, tenant, code=code, family_name="Ель")
        link_record(store, person=donor.person, record=record)
        imported = checked(store, tenant, registrar, f"{code};Бор;I;+;постоянный")

        def unlink(session: Session, person=donor.person.id, record=record.id) -> None:
            unlink_record(
                session,
                person=session.get_one(Person, person),
                record=session.get_one(DonorRecord, record),
            )

        assert together(unlink, applying(imported, registrar)) == ["done", "done"]
        owners = store.scalars(select(Deferral.person_id).where(Deferral.record_id == record.id))
        assert owners.all() == [None]
        assert store.get_one(Person, donor.person.id).family_name == ""
