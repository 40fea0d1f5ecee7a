"""Invented people: plain Russian names, donor codes in the shape of seed A's, addresses nobody owns."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass

from app.models.blood import BloodType
from app.models.enums import BloodGroup, Sex, Sign

FAMILY = (
    "Иванов Петров Соколов Морозов Волков Фёдоров Королёв Зайцев Орлов Киселёв Белов Громов Лебедев "
    "Жуков Виноградов Крылов Воробьёв Тихонов Кузьмин Никитин Соловьёв Гусев Титов Щербаков Ершов"
).split()
GIVEN = {
    Sex.FEMALE: "Анна Мария Ольга Елена Наталья Татьяна Ирина Светлана Юлия Дарья Алёна Вера".split(),
    Sex.MALE: "Алексей Пётр Иван Сергей Дмитрий Николай Михаил Андрей Артём Павел Семён Фёдор".split(),
}
FATHERS = "Иван Пётр Алексей Сергей Николай Михаил Андрей Павел Семён Фёдор Степан Борис".split()
SHARE = {
    BloodGroup.O: 33,
    BloodGroup.A: 36,
    BloodGroup.B: 23,
    BloodGroup.AB: 8,
}
"""How often the groups occur, in percent: enough to look right in lists."""
OF_SEED_A = BloodType(BloodGroup.B, Sign.NEGATIVE)
"""«III (B) −»: the first donor, as in the donor cabinet of seed A."""


@dataclass(frozen=True)
class Invented:
    """One person of the demo."""

    family_name: str
    given_name: str
    patronymic: str
    sex: Sex
    birth_date: dt.date
    blood_type: BloodType
    kell: Sign
    code: str
    email: str


def invent(count: int, *, today: dt.date, rng: random.Random) -> list[Invented]:
    """``count`` people of 19 to 64; codes and addresses are different for each."""
    people = []
    for number in range(1, count + 1):
        sex = rng.choice((Sex.FEMALE, Sex.MALE))
        family = rng.choice(FAMILY)
        father = rng.choice(FATHERS)
        group = rng.choices(list(SHARE), weights=list(SHARE.values()))[0]
        blood_type = BloodType(group, Sign.NEGATIVE if rng.random() < 0.16 else Sign.POSITIVE)
        kell = Sign.POSITIVE if rng.random() < 0.08 else Sign.NEGATIVE
        if number == 1:
            blood_type, kell = OF_SEED_A, Sign.NEGATIVE
        people.append(
            Invented(
                family_name=family + ("а" if sex is Sex.FEMALE else ""),
                given_name=rng.choice(GIVEN[sex]),
                patronymic=_patronymic(father, sex),
                sex=sex,
                birth_date=today - dt.timedelta(days=rng.randrange(19 * 366, 64 * 365)),
                blood_type=blood_type,
                kell=kell,
                code=f"{450000 + number * 7:06d}",
                email=f"donor{number:03d}@example.ru",
            )
        )
    return people


@dataclass(frozen=True)
class Somebody:
    """A person of whom only what a card says is invented."""

    family_name: str
    given_name: str
    patronymic: str
    sex: Sex
    birth_date: dt.date


def somebody(
    *, today: dt.date, ages: tuple[int, int], rng: random.Random, family: str = ""
) -> Somebody:
    """Somebody who has turned the first age and not yet the second one; of that ``family``, if given."""
    sex = rng.choice((Sex.FEMALE, Sex.MALE))
    father = rng.choice(FATHERS)
    youngest, oldest = (365 * age + 40 for age in ages)
    return Somebody(
        family_name=(family or rng.choice(FAMILY)) + ("а" if sex is Sex.FEMALE else ""),
        given_name=rng.choice(GIVEN[sex]),
        patronymic=_patronymic(father, sex),
        sex=sex,
        birth_date=today - dt.timedelta(days=rng.randrange(youngest, oldest - 40)),
    )


def _patronymic(father: str, sex: Sex) -> str:
    ending = "на" if sex is Sex.FEMALE else "ич"
    if father.endswith("й"):
        return father[:-1] + ("ев" + ending)
    stem = {"Пётр": "Петр", "Павел": "Павл", "Михаил": "Михайл"}.get(father, father)
    return stem + "ов" + ending
