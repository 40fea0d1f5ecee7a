"""Data keys are changed while people write and the command is killed ten times: nothing is lost on the way."""

from __future__ import annotations

import base64
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from app.models import Person, PersonDocument, crypto
from app.models.crypto import blind_index
from app.rules import key_rotation
from tests import make, servers, stores
from tests.jobs.processes import House, until

OLD, NEW = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))
RINGS = {
    "before": {"DATA_KEYS": f"1:{OLD}", "DATA_KEY": "1"},
    "during": {"DATA_KEYS": f"1:{OLD},2:{NEW}", "DATA_KEY": "2"},
    "after": {"DATA_KEYS": f"2:{NEW}", "DATA_KEY": "2"},
}


@pytest.fixture
def houses(
    databases: stores.Store, tmp_path: Path, engine: object
) -> Iterator[Callable[[str], House]]:
    """``houses("during")``: the processes and this test itself with the keys of that step."""
    keys, url, made = crypto.keys(), databases.create("rotation"), []

    def house(step: str) -> House:
        folder = tmp_path / step
        folder.mkdir()
        made.append(House(url, folder, **RINGS[step]))
        made[-1].environ["PYTHONUNBUFFERED"] = "1"
        return made[-1]

    yield house
    for each in made:
        each.close()
    crypto.use_keys(keys)


def rotation(portion: int) -> list[str]:
    flask = [sys.executable, "-m", "flask", "--app", "wsgi"]
    return [*flask, "rotate-keys", "--portion", str(portion)]


class Writers:
    """People whose telephones are corrected meanwhile, under the new key."""

    def __init__(self, house: House, phones: dict[int, str]) -> None:
        self.house, self.phones = house, phones
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._work)

    def _work(self) -> None:
        while not self.done.wait(0.02):
            person_id, phone = (
                random.choice(list(self.phones)),
                f"+7911{random.randrange(10**7):07}",
            )
            with self.house.session() as session:
                session.get_one(Person, person_id).phone = phone
                session.commit()
            self.phones[person_id] = phone

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.thread.join()


def test_killed_ten_times_every_value_ends_whole_under_the_new_key(houses, scale):
    count, kills = max(200, scale(2000)), max(2, scale(10))
    with houses("before").session() as session:
        tenant = make.make_polyclinic(session)
        people = [make.make_person(session, tenant, phone=f"+7900{n:07}") for n in range(count)]
        numbers = {p.id: make.make_document(session, p).number for p in people}
        phones = {p.id: p.phone for p in people}
        session.commit()

    house = houses("during")
    with Writers(house, phones):
        for _ in range(kills):
            process = house.start(rotation(portion=count // 50))
            log = house.folder / f"{len(house.running) - 1}.log"
            lines = random.randrange(1, 6)
            until(lambda log=log, n=lines: len(log.read_text().splitlines()) >= n, house)
            time.sleep(random.uniform(0, 0.02))
            servers.stop(process, signal.SIGKILL)
            assert process.returncode == -signal.SIGKILL, "it was over already"
        last = house.start(rotation(portion=count // 50))
        assert last.wait(300) == 0, house.logs()[-2000:]

    doctor = house.start([sys.executable, "-m", "flask", "--app", "wsgi", "doctor"])
    doctor.wait(60)
    said = (house.folder / f"{len(house.running) - 1}.log").read_text()
    assert "Ключ данных 1 больше ничего не шифрует" in said and "Прежним ключом" not in said

    with houses("after").session() as session:  # the old key is gone
        for kind in key_rotation.kinds():
            assert set(key_rotation.counts(session, kind)) <= {2}
        people = session.scalars(select(Person)).all()
        assert {person.id: person.phone for person in people} == phones
        assert all(person.phone_index == blind_index("phone", person.phone) for person in people)
        rows = session.scalars(select(PersonDocument)).all()
        assert {row.person_id: row.number for row in rows} == numbers
        assert key_rotation.stale_indexes(session) == []
