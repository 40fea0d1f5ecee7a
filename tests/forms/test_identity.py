"""The forms of identification: labels of the sources, what is refused and how, what reaches the rule."""

from __future__ import annotations

import datetime as dt
import re
from types import SimpleNamespace

import pytest
from flask import render_template_string
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from app.models.enums import IdentifyBy
from forms.identity import form_for, variant_form
from tests import make

TODAY = make.NOW.date()
WHOLE = {
    "number": "8451 9991 2289 9990",
    "second": "123456",
    "family_name": "Фёдорова",
    "given_name": "Алёна",
    "patronymic": "Ильинична",
    "birth_date": "08.03.1985",
    "phone": "8 (900) 123-45-67",
    "consent": "y",
    "consent_text": "x",
}
NUMBERS = {
    IdentifyBy.OMS: "8451 9991 2289 9990",
    IdentifyBy.SNILS: "112-233-445 95",
    IdentifyBy.PASSPORT: "45 08 123456",
    IdentifyBy.DMS: "АВ-1234/5",
}
PAGE = "{% from 'parts/identity.html' import identity %}{{ identity(form, '/consent', '/survey') }}"


@pytest.fixture
def russian(app):
    with app.test_request_context("/?lang=ru"):
        yield


def filled(method, required=True, **typed):
    fields = {**WHOLE, "number": NUMBERS.get(method, WHOLE["number"]), **typed}
    data = MultiDict({name: value for name, value in fields.items() if value is not None})
    return form_for(method, today=TODAY, phone_required=required, formdata=data)


def errors(form):
    form.validate()
    return {name: [str(each) for each in found] for name, found in form.errors.items()}


def labels_of(form):
    """What is always asked: not the question against robots, nor what only the page knows."""
    return [str(f.label.text) for f in form if f.type not in ("HiddenField", "AnswerField")]


@pytest.mark.parametrize("method", IdentifyBy)
def test_each_variant_gives_the_rule_what_it_needs(russian, method):
    form = filled(method)
    assert errors(form) == {}
    given_ = form.given()
    assert given_.birth_date == dt.date(1985, 3, 8)
    assert given_.number == (
        "" if method is IdentifyBy.NONE else NUMBERS.get(method, WHOLE["number"])
    )
    assert given_.second == ("123456" if method is IdentifyBy.TWO_DOCUMENTS else "")
    assert given_.family_name == ("Фёдорова" if method is IdentifyBy.NONE else "")
    assert given_.phone == ("" if method is IdentifyBy.TWO_DOCUMENTS else "+79001234567")


@pytest.mark.parametrize(
    ("method", "labels"),
    [
        (IdentifyBy.NONE, ["Фамилия", "Имя", "Отчество", "Дата рождения"]),
        (IdentifyBy.OMS, ["Номер документа", "Дата рождения"]),
        (IdentifyBy.SNILS, ["Номер документа", "Дата рождения"]),
        (IdentifyBy.PASSPORT, ["Серия и номер паспорта", "Дата рождения"]),
        (IdentifyBy.DMS, ["Номер документа", "Дата рождения"]),
    ],
)
def test_the_fields_are_called_as_in_the_source(russian, method, labels):
    form = form_for(method, today=TODAY)
    assert labels_of(form) == [
        *labels,
        "Номер мобильного телефона",
        "E-mail для направления анкеты",
        "Я даю согласие на отправку анкеты на этот e-mail",
        "Я даю согласие на обработку моих персональных данных",
    ]


def test_two_documents_are_asked_for_as_in_the_source(russian):
    form = form_for(IdentifyBy.TWO_DOCUMENTS, today=TODAY)
    assert labels_of(form) == [
        "Номер полиса ОМС без серии",
        "Номер паспорта, социальной карты, свидетельства о рождении или пенсионного страхового "
        "свидетельства без серии",
        "Дата рождения (ДД.ММ.ГГГГ)",
    ]


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("08.03.1985", dt.date(1985, 3, 8)),
        ("8.3.1985", dt.date(1985, 3, 8)),
        ("8/3/1985", dt.date(1985, 3, 8)),
        ("8 3 1985 г.", dt.date(1985, 3, 8)),
        ("08031985", dt.date(1985, 3, 8)),
        ("1985-03-08", dt.date(1985, 3, 8)),
        (" 08. 03. 1985 ", dt.date(1985, 3, 8)),
        ("29.02.2024", dt.date(2024, 2, 29)),
        (f"{TODAY:%d.%m.%Y}", TODAY),
    ],
)
def test_a_date_is_read_as_people_write_it(russian, typed, read):
    form = filled(IdentifyBy.OMS, birth_date=typed)
    assert errors(form) == {}
    assert form.given().birth_date == read


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (None, "Введите дату рождения"),
        ("  ", "Введите дату рождения"),
        ("31.02.1985", "Такого дня в календаре нет: проверьте день и месяц."),
        ("08.03.85", "Введите дату рождения так: 08.03.1985"),
        ("٠٨.٠٣.١٩٨٥", "Введите дату рождения так: 08.03.1985"),
        ("восьмого марта", "Введите дату рождения так: 08.03.1985"),
        ("11.11.1111", "Дата рождения — от 1900 года до сегодняшнего дня."),
        ("24.11.2026", "Дата рождения — от 1900 года до сегодняшнего дня."),
        ("01.01.9999", "Дата рождения — от 1900 года до сегодняшнего дня."),
    ],
)
def test_a_date_that_cannot_be_says_what_to_type(russian, typed, said):
    assert errors(filled(IdentifyBy.OMS, birth_date=typed)) == {"birth_date": [said]}


@pytest.mark.parametrize(
    ("method", "changes", "field"),
    [
        (IdentifyBy.OMS, {"number": "8451999122899991"}, "number"),
        (IdentifyBy.OMS, {"number": ""}, "number"),
        (IdentifyBy.SNILS, {"number": "11223344596"}, "number"),
        (IdentifyBy.PASSPORT, {"number": "123456"}, "number"),
        (IdentifyBy.TWO_DOCUMENTS, {"second": "12"}, "second"),
        (IdentifyBy.NONE, {"family_name": " "}, "family_name"),
        (IdentifyBy.NONE, {"given_name": "=1+1"}, "given_name"),
        (IdentifyBy.NONE, {"patronymic": "<b>"}, "patronymic"),
        (IdentifyBy.NONE, {"phone": None}, "phone"),
        (IdentifyBy.OMS, {"phone": "8 800 100-86-03"}, "phone"),
        (IdentifyBy.OMS, {"phone": "12"}, "phone"),
        (IdentifyBy.OMS, {"phone": None}, "phone"),
        (IdentifyBy.OMS, {"email": "нет", "survey": "y"}, "email"),
        (IdentifyBy.OMS, {"email": "a@example.ru"}, "survey"),
        (IdentifyBy.OMS, {"consent": None}, "consent"),
    ],
)
def test_one_fault_is_said_at_its_field_in_russian(russian, method, changes, field):
    found = errors(filled(method, **changes))
    assert list(found) == [field]
    assert len(found[field]) == 1
    assert re.search("[а-яё]", found[field][0])


def test_where_the_phone_is_optional_it_may_be_left_out_but_not_wrong(russian):
    assert errors(filled(IdentifyBy.OMS, required=False, phone="")) == {}
    assert list(errors(filled(IdentifyBy.OMS, required=False, phone="12"))) == ["phone"]
    assert list(errors(filled(IdentifyBy.NONE, required=False, phone=""))) == ["phone"]


def test_an_address_is_kept_only_with_its_own_consent(russian):
    both = filled(IdentifyBy.OMS, email="a@example.ru", survey="y")
    assert errors(both) == {}
    assert both.survey_email() == "a@example.ru"
    assert filled(IdentifyBy.OMS, survey="y").survey_email() == ""
    assert filled(IdentifyBy.OMS, email="a@example.ru").survey_email() == ""


@pytest.mark.parametrize("name", ["Анна-Мария", "О'Коннор", "Ибн Сина", "Мамедов-оглы (Ли)", "Ё"])
def test_names_of_all_kinds_are_names(russian, name):
    assert errors(filled(IdentifyBy.NONE, family_name=name)) == {}


@pytest.mark.parametrize("method", [m for m in IdentifyBy if m is not IdentifyBy.TWO_DOCUMENTS])
def test_the_page_ticks_nothing_beforehand_and_links_the_texts(russian, method):
    page = render_template_string(PAGE, form=form_for(method, today=TODAY, formdata=None))
    assert "checked" not in page
    assert '<a href="/consent">Текст согласия</a>' in page
    assert '<a href="/survey">Текст согласия на получение анкеты</a>' in page
    assert re.search(r'<input type="checkbox" id="consent"[^>]* required', page)
    assert not re.search(r'<input type="checkbox" id="survey"[^>]* required', page)


def attributes(page, name):
    return dict(
        re.findall(r'([a-z-]+)="([^"]*)"', re.search(f'<input[^>]* id="{name}"[^>]*>', page)[0])
    )


@pytest.mark.parametrize(
    ("method", "name", "expected"),
    [
        (IdentifyBy.OMS, "number", {"inputmode": "numeric", "autocomplete": "off"}),
        (IdentifyBy.DMS, "number", {"inputmode": "text", "autocomplete": "off"}),
        (IdentifyBy.OMS, "birth_date", {"inputmode": "numeric", "autocomplete": "bday"}),
        (IdentifyBy.OMS, "phone", {"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
        (IdentifyBy.OMS, "email", {"type": "email", "autocomplete": "email"}),
        (IdentifyBy.NONE, "family_name", {"autocomplete": "family-name"}),
        (IdentifyBy.NONE, "given_name", {"autocomplete": "given-name"}),
        (IdentifyBy.NONE, "patronymic", {"autocomplete": "additional-name"}),
    ],
)
def test_the_right_keyboard_comes_up(russian, method, name, expected):
    page = render_template_string(PAGE, form=form_for(method, today=TODAY, formdata=None))
    assert expected.items() <= attributes(page, name).items()


def test_a_wrong_answer_comes_back_with_the_fault_tied_to_the_field(russian):
    form = filled(IdentifyBy.OMS, birth_date='"><img src=x onerror=alert(1)>')
    form.validate()
    page = render_template_string(PAGE, form=form)
    found = attributes(page, "birth_date")
    assert found["aria-invalid"] == "true"
    assert found["aria-describedby"] == "birth_date-hint birth_date-error"
    assert "<img" not in page


def test_only_the_variants_of_the_policy_are_offered(russian):
    places = [
        SimpleNamespace(uid="3f2b5c1e-0000-4000-8000-000000000001", short_name="Лесная", name="")
    ]

    def asked(**typed):
        return variant_form(
            organizations=places,
            methods=[IdentifyBy.OMS, IdentifyBy.NONE],
            formdata=MultiDict(typed),
        )

    form = asked(organization=places[0].uid, method="oms")
    assert form.validate()
    assert (form.organization.data, form.method.data) == (places[0], IdentifyBy.OMS)
    page = str(form.method())
    assert [str(form.organization.label.text), str(form.method.label.text)] == [
        "Медицинское учреждение",
        "Удостоверяющий документ",
    ]
    assert "Без удостоверяющего документа" in page and "ДМС" not in page
    for wrong in ("dms", "x", ""):
        refused = errors(asked(organization="x", method=wrong))
        assert refused == {
            "organization": ["Выберите медицинское учреждение"],
            "method": ["Выберите удостоверяющий документ"],
        }


@pytest.mark.parametrize("method", IdentifyBy)
def test_whatever_is_typed_is_taken_or_refused(app, method):
    names = ("number", "second", "birth_date", "family_name", "given_name", "phone", "email")

    @settings(max_examples=100)
    @given(st.fixed_dictionaries({name: st.text(max_size=90) for name in names}))
    def typed(fields):
        with app.test_request_context("/?lang=ru"):
            form = filled(method, **fields)
            form.validate()
            form.given()
            render_template_string(PAGE, form=form)

    typed()
