"""Catalogues: the check of them is able to fail, and what is put together is what flask-babel reads."""

from __future__ import annotations

import gettext
import os
from pathlib import Path

import pytest

from app.translations import check, compile

HEAD = r"""msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\n"
"Language: ru\n"
"Plural-Forms: nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);\n"

"""
SOURCE = """
_("Sign in")
ngettext("%(num)s place", "%(num)s places", count)
"""
TEMPLATE = "{# comment #}<h1>{{ _('Hello, %(name)s', name=name) }}</h1>"
GOOD = """msgid "Sign in"
msgstr "Войти"

msgid "%(num)s place"
msgid_plural "%(num)s places"
msgstr[0] "%(num)s место"
msgstr[1] "%(num)s места"
msgstr[2] "%(num)s мест"
"""
HELLO = """msgid "Hello, %(name)s"
msgstr "Здравствуйте, %(name)s"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of two sentences and a template of one, fully translated in two parts."""
    for folder in ("app", "admin", "forms", "templates", "catalogues/ru"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.setattr(compile, "FOLDER", tmp_path / "catalogues")
    (tmp_path / "app" / "views.py").write_text(SOURCE)
    (tmp_path / "templates" / "a.html").write_text(TEMPLATE)
    part(tmp_path, "a", GOOD)
    part(tmp_path, "b", HELLO)
    return tmp_path


def part(project: Path, name: str, text: str) -> None:
    (project / "catalogues" / "ru" / f"{name}.po").write_text(HEAD + text)


def test_a_complete_catalogue_has_no_fault(project: Path) -> None:
    assert list(check.faults(project)) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "has no ru translation"),
        (HELLO.replace("Здравствуйте, %(name)s", ""), "is not translated"),
        (HELLO.replace("Здравствуйте, %(name)s", "Здравствуйте"), "other places"),
        (HELLO.replace("Здравствуйте, %(name)s", "Здравствуйте, %(nome)s"), "other places"),
        ("#, fuzzy\n" + HELLO, "fuzzy"),
        (HELLO + '\nmsgid "Good bye"\nmsgstr "До свидания"\n', "is said nowhere"),
        (HELLO + '\nmsgid "Sign in"\nmsgstr "Вход"\n', "stands in"),
    ],
)
def test_a_fault_is_found(project: Path, text: str, fault: str) -> None:
    part(project, "b", text)
    assert [line for line in check.faults(project) if fault in line]


def test_a_plural_needs_all_its_forms(project: Path) -> None:
    part(project, "a", GOOD.replace('%(num)s мест"', '"'))
    assert ["is not translated" in line for line in check.faults(project)] == [True]


def test_a_sentence_that_is_not_english_is_found(project: Path) -> None:
    (project / "forms" / "a.py").write_text('_l("Войти")')
    assert [line for line in check.faults(project) if "is not English" in line]


def test_parts_become_one_catalogue_and_only_when_they_change(project: Path) -> None:
    assert compile.compile_all() == ["ru"]
    assert compile.compile_all() == []
    with compile.target("ru").open("rb") as file:
        whole = gettext.GNUTranslations(file)
    assert whole.gettext("Sign in") == "Войти"
    assert whole.ngettext("%(num)s place", "%(num)s places", 22) == "%(num)s места"
    folder = project / "catalogues" / "ru"
    (folder / "b.po").unlink()
    later = folder.stat().st_mtime + 1  # than a tick of the file system's clock
    os.utime(folder, (later, later))
    assert compile.compile_all() == ["ru"]
