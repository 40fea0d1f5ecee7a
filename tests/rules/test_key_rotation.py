"""From an old key to a new one: every kind of encrypted value, in portions, and what cannot be opened is named."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.models import Base, Feedback, Person, PersonDocument, StaffUser, crypto
from app.models.crypto import CannotDecrypt, KeyRing, blind_index
from app.models.enums import Role
from app.rules import key_rotation
from tests import make


@pytest.fixture
def ring(engine) -> Iterator[Callable[..., KeyRing]]:
    """``ring(1, 2)`` uses the keys 1 and 2, of which the last one encrypts; ``index`` is another index key."""
    before = crypto.keys()
    secrets = {1: before.data[1], 2: os.urandom(32), 3: os.urandom(32)}

    def use(*numbers: int, index: bytes = before.index) -> KeyRing:
        data = {number: secrets[number] for number in numbers}
        made = dataclasses.replace(before, data=data, current=numbers[-1], index=index)
        crypto.use_keys(made)
        return made

    yield use
    crypto.use_keys(before)


@pytest.fixture
def people(session: Session) -> list[Person]:
    tenant = make.make_polyclinic(session)
    make.make_feedback(session, tenant)
    boss = make.make_staff(session, Role.REGISTRAR, tenant.root)
    boss.totp_seed = "JBSWY3DPEHPK3PXP"
    people = [make.make_person(session, tenant, phone=f"+7900{number:07}") for number in range(7)]
    for person in people:
        make.make_document(session, person)
    make.make_person(session, tenant)  # without a telephone
    session.flush()
    return people


def rotate(session: Session, **options: bool) -> list[key_rotation.Portion]:
    """All portions of three."""
    done = []
    for kind in key_rotation.kinds():
        after: int | None = 0
        while after is not None:
            done.append(key_rotation.step(session, kind, after=after, limit=3, **options))
            after = done[-1].last
    session.expire_all()
    return done


def counts(session: Session) -> dict[int, int]:
    found = {}
    for kind in key_rotation.kinds():
        for key_id, number in key_rotation.counts(session, kind).items():
            found[key_id] = found.get(key_id, 0) + number
    return found


def test_every_encrypted_column_of_the_database_is_known() -> None:
    columns = {
        f"{table.name}.{column.name.removesuffix('_ciphertext')}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.name.endswith("_ciphertext")
    }
    assert {str(kind) for kind in key_rotation.kinds()} == columns
    assert {"person.phone", "person_document.number", "staff_user.totp_seed"} <= columns


def test_everything_comes_under_the_new_key_and_is_the_same(session, people, ring):
    before = {person.id: (person.phone, person.phone_index) for person in people}
    number = session.query(PersonDocument).first().number
    ring(1, 2)
    assert all(person.phone for person in people), "old values are read"
    total = counts(session)[1]
    done = rotate(session)
    assert sum(each.changed for each in done) == total >= 18
    assert max(each.changed for each in done) == 3
    assert counts(session) == {2: total}
    ring(2)  # the old key is gone
    assert {p.id: (p.phone, p.phone_index) for p in people} == before
    assert session.query(PersonDocument).first().number == number
    assert session.query(Feedback).one().name == "Вымыслова Анна"
    assert session.query(StaffUser).filter(StaffUser.totp_seed_ciphertext.is_not(None)).first().totp_seed  # fmt: skip
    assert rotate(session) and counts(session) == {2: total}


def test_what_was_done_before_an_interruption_is_not_done_again(session, people, ring):
    ring(1, 2)
    [kind] = [kind for kind in key_rotation.kinds() if str(kind) == "person.phone"]
    key_rotation.step(session, kind, after=0, limit=3)
    session.expire_all()
    first = people[0].phone_ciphertext
    done = rotate(session)
    assert sum(each.changed for each in done) == counts(session)[2] - 3
    assert people[0].phone_ciphertext == first


@pytest.mark.parametrize("most", [1, 90])
def test_a_portion_of_large_values_ends_early(session, people, ring, monkeypatch, most):
    ring(1, 2)
    total = counts(session)[1]
    monkeypatch.setattr(key_rotation, "MOST_BYTES", most)
    done = rotate(session)
    assert max(each.changed for each in done) == (1 if most == 1 else 2)
    assert sum(each.changed for each in done) == total and counts(session) == {2: total}


def test_what_no_key_opens_is_named_and_left_alone(session, people, ring):
    thief, victim, whole = people[:3]
    session.execute(
        update(Person).where(Person.id == thief.id).values(phone_ciphertext=victim.phone_ciphertext)
    )
    ring(1, 2)
    done = rotate(session)
    assert [each.unreadable for each in done if each.unreadable] == [(thief.id,)]
    with pytest.raises(CannotDecrypt):
        _ = thief.phone
    assert victim.phone and whole.phone
    assert counts(session)[1] == 1


def test_indexes_are_made_anew_only_when_asked(session, people, ring):
    new = os.urandom(32)
    old = [person.phone_index for person in people]
    assert key_rotation.stale_indexes(session) == []
    ring(1, index=new)
    assert {str(kind) for kind in key_rotation.stale_indexes(session)} == {
        "person.phone",
        "person_document.number",
        "feedback.email",
    } & {str(kind) for kind in key_rotation.kinds() if kind.indexed}
    rotate(session)
    assert [person.phone_index for person in people] == old
    rotate(session, indexes=True)
    assert [p.phone_index for p in people] == [blind_index("phone", p.phone) for p in people]
    assert [person.phone_index for person in people] != old
    assert key_rotation.stale_indexes(session) == []
    ring(1, 2, index=os.urandom(32))  # both at once
    rotate(session, indexes=True)
    assert set(counts(session)) == {2} and key_rotation.stale_indexes(session) == []
