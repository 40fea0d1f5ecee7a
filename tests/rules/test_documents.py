"""Numbers of documents: official examples, what people type, check digits, showing and masking."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.models.enums import DocumentKind
from app.rules import documents
from app.rules.documents import BadDocument, masked, normalised, shown

OMS, SNILS, PASSPORT = DocumentKind.OMS, DocumentKind.SNILS, DocumentKind.PASSPORT
DMS, BIRTH, CARD = (
    DocumentKind.DMS,
    DocumentKind.BIRTH_CERTIFICATE,
    DocumentKind.SOCIAL_CARD,
)
DIGIT = st.sampled_from("0123456789")


def digits(count: int) -> st.SearchStrategy[str]:
    return st.text(DIGIT, min_size=count, max_size=count)


def fault(kind: DocumentKind, text: str) -> str:
    with pytest.raises(BadDocument) as refused:
        normalised(kind, text)
    return refused.value.text


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        (SNILS, "112-233-445 95", "11223344595"),
        (SNILS, " 112 233 445-95 ", "11223344595"),
        (SNILS, "СНИЛС 11223344595", "11223344595"),
        (SNILS, "001-001-998 11", "00100199811"),  # the last one without a check
        (SNILS, "087-654-303 00", "08765430300"),  # the sum 201: remainder 100, so 00
        (OMS, "8451999122899990", "8451999122899990"),
        (OMS, "8451 9991 2289 9990", "8451999122899990"),
        (OMS, "8451\u00a09991–2289—9990", "8451999122899990"),
        (OMS, "11111111", "11111111"),  # seed B
        (OMS, "012345678", "012345678"),  # a temporary certificate
        (OMS, "1234 5678", "12345678"),
        (OMS, "46-01 № 1234567", "1234567"),  # an older one: the number alone
        (OMS, "серия АБ номер 123456", "123456"),
        (OMS, "АБ1234 7890123", "7890123"),
        (PASSPORT, "45 08 123456", "4508123456"),
        (PASSPORT, "4508 № 123456", "4508123456"),
        (PASSPORT, "серия 45 08, номер 123456", "4508123456"),
        (PASSPORT, "45\u200b08123456", "4508123456"),
        (DMS, "ав-12/34х", "AB1234X"),
        (DMS, "AB 12 34 X", "AB1234X"),
        (BIRTH, "I-АБ 123456", "IАБ123456"),
        (BIRTH, "i-аб № 123456", "IАБ123456"),
        (BIRTH, "1-АБ 123456", "IАБ123456"),
        (BIRTH, "l-АБ123456", "IАБ123456"),
        (BIRTH, "ІV-MK 123456", "IVМК123456"),
        (BIRTH, "П МЮ 123456", "IIМЮ123456"),
        (BIRTH, "ХШ-АВ 123456", "XIIIАВ123456"),
        (CARD, "9643 9077 0001 2345 678", "9643907700012345678"),
    ],
)
def test_what_people_type_is_one_number(kind, typed, kept):
    assert normalised(kind, typed) == kept
    assert normalised(kind, shown(kind, kept)) == kept


@pytest.mark.parametrize(
    ("kind", "typed", "why"),
    [
        (OMS, "", documents.EMPTY),
        (OMS, " — ", documents.EMPTY),
        (OMS, "8451999122899991", documents.OMS_CHECK),
        (OMS, "7700003151291080", documents.OMS_CHECK),
        (OMS, "845199912289999", documents.OMS_LENGTH),
        (OMS, "12345", documents.OMS_LENGTH),
        (OMS, "84519991228999٣0", documents.ONLY_DIGITS),
        (OMS, "845199912289999О", documents.ONLY_DIGITS),
        (OMS, "<b> 123456", documents.ONLY_DIGITS),
        (SNILS, "112-233-445 96", documents.SNILS_CHECK),
        (SNILS, "001-001-999 00", documents.SNILS_CHECK),
        (SNILS, "112-233-445 9", documents.SNILS_LENGTH),
        (SNILS, "112-233-445 955", documents.SNILS_LENGTH),
        (SNILS, "11223344５95", documents.ONLY_DIGITS),
        (PASSPORT, "123456", documents.PASSPORT_LENGTH),
        (PASSPORT, "45 08 12345б", documents.ONLY_DIGITS),
        (DMS, "x" * 31, documents.TOO_LONG),
        (DMS, "a'; --", documents.LETTERS_AND_DIGITS),
        (BIRTH, "I-АБ 12345", documents.BIRTH_DIGITS),
        (BIRTH, "I-GЖ 123456", documents.BIRTH_LETTERS),
        (BIRTH, "123456", documents.BIRTH_LETTERS),
        (BIRTH, "IIII-АБ 123456", documents.BIRTH_ROMAN),
        (BIRTH, "АБ 123456", documents.BIRTH_ROMAN),
        (CARD, "12345", documents.SOCIAL_CARD_LENGTH),
    ],
)
def test_each_fault_has_its_sentence(kind, typed, why):
    assert fault(kind, typed) == why


def test_a_sentence_counts_the_digits_and_repeats_none(app):
    from app.i18n import say

    with app.test_request_context("/?lang=ru"), pytest.raises(BadDocument) as refused:
        normalised(SNILS, "112-233-445 9")
    with app.test_request_context("/?lang=ru"):
        said = say(refused.value)
    assert said == "В СНИЛС 11 цифр, например 112-233-445 95; введено цифр: 10."
    assert refused.value.params == {"count": 10}
    assert "1122334459" not in str(refused.value)


@given(digits(15))
def test_every_policy_with_the_right_check_digit_passes(body):
    number = body + str(documents.policy_check_digit(body))
    assert normalised(OMS, number) == number
    assert normalised(OMS, shown(OMS, number)) == number


@given(digits(15), st.integers(0, 15), DIGIT)
def test_a_policy_with_one_changed_digit_fails(body, place, other):
    number = body + str(documents.policy_check_digit(body))
    assume(number[place] != other)
    assert fault(OMS, number[:place] + other + number[place + 1 :]) == documents.OMS_CHECK


@given(digits(15))
def test_the_policy_check_digit_is_luhns(body):
    """By the words of the standard: odd places from the right as one number, doubled; then all digits."""
    doubled = str(int(body[::-1][::2]) * 2)
    total = sum(map(int, body[::-1][1::2] + doubled))
    assert documents.policy_check_digit(body) == -total % 10


@given(digits(9))
def test_every_snils_with_the_right_check_passes(body):
    number = body + documents.snils_check(body)
    assert normalised(SNILS, number) == number
    assert normalised(SNILS, shown(SNILS, number)) == number


@given(digits(9), st.integers(0, 10), DIGIT)
def test_a_snils_with_one_changed_digit_fails(body, place, other):
    """All but two kinds: numbers too old to be checked, and remainders 0 and 100, both written 00."""
    number = body + documents.snils_check(body)
    changed = number[:place] + other + number[place + 1 :]
    assume(number[place] != other and int(changed[:9]) > documents.CHECKED_ABOVE)
    if place < 9 and documents.snils_check(changed[:9]) == number[9:] == "00":
        return
    assert fault(SNILS, changed) == documents.SNILS_CHECK


@given(st.integers(0, documents.CHECKED_ABOVE), digits(2))
def test_the_oldest_snils_are_not_checked(body, check):
    assert normalised(SNILS, f"{body:09}{check}")


@given(st.sampled_from(DocumentKind), st.text(max_size=60))
def test_anything_typed_is_a_number_or_a_refusal(kind, text):
    try:
        number = normalised(kind, text)
    except BadDocument:
        return
    assert number and number == number.upper() and number.isalnum()
    assert len(number) <= documents.LONGEST
    assert normalised(kind, shown(kind, number)) == number


@pytest.mark.parametrize(
    ("kind", "number", "printed", "hidden"),
    [
        (SNILS, "11223344595", "112-233-445 95", "112*****595"),
        (OMS, "8451999122899990", "8451 9991 2289 9990", "845*****990"),
        (OMS, "11111111", "11111111", "*****11"),
        (PASSPORT, "4508123456", "45 08 123456", "*****56"),
        (BIRTH, "XIIАБ123456", "XII-АБ 123456", "XII*****456"),
        (DMS, "AB1", "AB1", "*****B1"),
    ],
)
def test_a_number_is_shown_as_printed_or_masked(kind, number, printed, hidden):
    assert shown(kind, number) == printed
    assert masked(number) == hidden


@pytest.mark.parametrize(
    ("kind", "kept", "typed"),
    [
        (PASSPORT, "4508123456", "45 08 123456"),
        (PASSPORT, "4508123456", "123456"),
        (SNILS, "11223344595", "112-233-445 95"),
        (BIRTH, "IАБ123456", "123456"),
        (BIRTH, "IАБ123456", "I-AБ 123456"),  # with a Latin A
        (CARD, "9643907700012345678", "9643 9077 0001 2345 678"),
    ],
)
def test_the_second_number_may_be_without_its_series(kind, kept, typed):
    assert documents.second(typed) in documents.names_of(kind, kept)


def test_the_end_of_a_number_is_not_the_number():
    assert documents.second("344595") not in documents.names_of(SNILS, "11223344595")
    assert documents.second("23456") not in documents.names_of(PASSPORT, "4508123456")


@pytest.mark.parametrize("typed", ["", "11", "%%%%%%", "x" * 31, "'; DROP"])
def test_a_second_number_of_no_shape_is_refused(typed):
    with pytest.raises(BadDocument):
        documents.second(typed)
