"""What ``./talon run`` prints: who may sign in to the demo, and with what."""

from __future__ import annotations

from app.i18n import label
from app.seeds.centre import PASSWORD, PEOPLE

DONOR = "donor001@example.ru"
"""Number 1 of app.seeds.donors."""


def sign_ins() -> str:
    """A line for the donor and for each role, and the one password of all."""
    rows = [(DONOR, "Донор, III (B) −")]
    rows += [(email, f"{label(role)}: {name}") for role, (email, name) in PEOPLE.items()]
    lines = [f"  {email:<24}{who}" for email, who in rows]
    words = (
        f"  Пароль у всех один: {PASSWORD}\n  Код второго шага персонала: на странице писем и кодов"
    )
    return "\n".join(["  Вход в демонстрацию", *lines, "", words])
