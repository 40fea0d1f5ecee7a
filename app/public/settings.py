"""Language, and the «Версия для слабовидящих»: type size, contrast, spacing, kept in a cookie.

The settlement a patient has chosen is kept in the same cookie (``app.public.settlements``).
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlencode

from flask import Response, redirect, render_template, request, url_for
from flask_babel import gettext

from app import i18n
from app.public.guards import local_path
from app.public.list_cache import VIEW_COOKIE
from app.public.site import public

YEAR = 365 * 24 * 3600
CHOICES: dict[str, tuple[str, ...]] = {
    "size": ("", "large", "huge"),
    "contrast": ("", "light", "dark", "high"),
    "spacing": ("", "wide"),
}
"""The first of each is the usual. The page's root element carries the others as data attributes."""
PLACE = re.compile(r"c[0-9a-f]{8}")
"""The word of the cookie that says which settlement."""


def display() -> dict[str, str]:
    """What the reader has chosen, from the cookie: «large.dark.wide» in any order."""
    words = cookie_words()
    return {
        name: next((value for value in values[1:] if value in words), "")
        for name, values in CHOICES.items()
    }


def cookie_words() -> list[str]:
    """What the cookie says, word by word."""
    return request.cookies.get(VIEW_COOKIE, "")[:40].split(".")


def place_word() -> str:
    """The word that stands for the settlement; empty if none was chosen."""
    return next((word for word in cookie_words() if PLACE.fullmatch(word)), "")


def keep_place(response: Response, word: str) -> None:
    """Remember a settlement beside the display's settings."""
    words = [value for value in display().values() if value]
    _keep(response, VIEW_COOKIE, ".".join([*words, word]))


@public.app_context_processor
def _display() -> dict[str, Any]:
    return {"display": display, "language_link": language_link}


def language_link(code: str) -> str:
    """This page in another language."""
    return f"{quote(request.path)}?{urlencode({**request.args.to_dict(), 'lang': code})}"


@public.after_request
def remember_language(response: Response) -> Response:
    """``?lang=en`` holds for the pages to come."""
    wish = request.args.get("lang")
    if wish in i18n.LOCALES and request.cookies.get(i18n.COOKIE) != wish:
        _keep(response, i18n.COOKIE, str(wish))
    return response


@public.route("/settings", methods=["GET", "POST"])
def settings() -> Any:
    """Three questions; the answer is a cookie and nothing else."""
    if request.method == "GET":
        back = local_path(request.args.get("next"))
        return render_template(
            "public/settings.html", chosen=display(), choices=_offered(), back=back
        )
    words = [
        value
        for name, values in CHOICES.items()
        if (value := request.form.get(name, "")) in values[1:]
    ]
    response = redirect(local_path(request.form.get("next")) or url_for("public.places"), 303)
    _keep(response, VIEW_COOKIE, ".".join(filter(None, [*words, place_word()])))
    return response


def _offered() -> list[tuple[str, str, list[tuple[str, str]]]]:
    """(name, legend, [(value, words)]) for each question."""
    return [
        (
            "size",
            gettext("Type size"),
            [("", gettext("Usual")), ("large", gettext("Large")), ("huge", gettext("Very large"))],
        ),
        (
            "contrast",
            gettext("Colours"),
            [
                ("", gettext("As on my device")),
                ("light", gettext("Light")),
                ("high", gettext("Black on white, strong contrast")),
                ("dark", gettext("White on black, strong contrast")),
            ],
        ),
        (
            "spacing",
            gettext("Line spacing"),
            [("", gettext("Usual spacing")), ("wide", gettext("Wide"))],
        ),
    ]


def _keep(response: Response, name: str, value: str) -> None:
    response.set_cookie(
        name,
        value,
        max_age=YEAR,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
    )
