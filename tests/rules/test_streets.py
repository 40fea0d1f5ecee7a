"""Streets folded for look-up: one key for the ways people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.streets import LONGEST, StreetUnclear, folded, keys_typed, street_key

WORD = st.text("абвгдежзиклмнопрстуфхцчшэюя", min_size=3, max_size=12).filter(
    lambda word: word not in {"пер", "наб", "туп", "мкр", "бул", "ул", "имя", "тер", "лин", "прд"}
)


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("ул. Ленина", "Ленина"),
        ("улица Ленина", "ЛЕНИНА УЛ"),
        ("ул.Ленина", "ленина ул."),
        ("Карла Маркса", "улица Маркса Карла"),
        ("пр-т Мира", "проспект Мира"),
        ("пр. Мира", "Мира просп."),
        ("пер. Лесной", "Лесной переулок"),
        ("б-р Славы", "бульвар Славы"),
        ("1-я Лесная", "Лесная 1-ая ул."),
        ("8-го Марта", "ул. 8 Марта"),
        ("Королёва", "королева"),
        ("Ново-Садовая", "Ново—Садовая"),
        ("ул. имени Гагарина", "Гагарина"),
        ("3-й проезд", "проезд 3"),
    ],
)
def test_one_street_in_two_spellings(one, another):
    assert folded(one) == folded(another)


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("улица Ленина", "проспект Ленина"),
        ("Садовая улица", "Садовый переулок"),
        ("Большая Лесная", "Малая Лесная"),
        ("1-я Лесная", "2-я Лесная"),
        ("3-й проезд", "3-й переулок"),
    ],
)
def test_two_streets_stay_two(one, another):
    assert folded(one) != folded(another)


@pytest.mark.parametrize(
    "typed", ["", "  ", "улица", "ул.", "—", "А", "ул. " + "я" * (LONGEST + 1)]
)
def test_what_names_no_street_is_refused(typed):
    with pytest.raises(StreetUnclear):
        folded(typed)


@given(st.lists(WORD, min_size=1, max_size=4), st.randoms())
def test_order_case_and_the_word_street_change_nothing(words, chance):
    again = list(words)
    chance.shuffle(again)
    key = folded(" ".join(words))
    assert folded(f"ул. {' '.join(again).upper()}") == key
    assert folded(f"{' '.join(again)} улица") == key


@given(st.text(max_size=300))
def test_any_text_has_a_key_of_its_column_s_length_or_is_refused(text):
    try:
        key = street_key(text, text)
    except StreetUnclear:
        return
    assert 0 < len(key) <= 250
    assert folded(folded(text)) == folded(text)


def test_the_own_settlement_is_not_written_another_is():
    assert street_key("Ленина", "г. Лесной", home="Лесной") == "ленина"
    assert street_key("Ленина", "пос. Высокий", home="Лесной") == "ленина|высокий"
    assert "ленина|высокий" in keys_typed("ул. Ленина, пос. Высокий", home="Лесной")
    assert "ленина|высокий" in keys_typed("Высокий, Ленина ул.", home="Лесной")
    assert "ленина" in keys_typed("г. Лесной, ул. Ленина", home="Лесной")
