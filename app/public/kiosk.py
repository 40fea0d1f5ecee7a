"""Leaving: by «В начало», by the countdown of a screen in a hall (B12, D15), or staying after all (N21)."""

from __future__ import annotations

from typing import Any

from flask import g, redirect, request, url_for

from app import sessions
from app.extensions import db, own_transaction, saved
from app.models.scope import SYSTEM
from app.public import visitor
from app.public.guards import local_path
from app.public.site import public
from app.rules import guests


@public.post("/visits/leave")
def leave() -> Any:
    """«В начало»: nothing of whoever sat here stays."""
    return _forget()


@public.get("/visits/end")
def end() -> Any:
    """The same at the end of a countdown without JavaScript. Earlier than that it changes nothing, nor where
    none is running: another site may lead a browser here."""
    guest = visitor.guest()
    if guest is None and g.user is not None:
        return redirect(url_for("public.institutions"), 303)
    if guest is not None and guest.expires_at - g.now > 2 * guests.SLACK:
        return redirect(url_for("public.institutions"), 303)
    return _forget()


@public.post("/visits/stay")
def stay() -> Any:
    """«Остаться»: the countdown stops."""
    guest = visitor.guest()
    if guest is not None:
        with saved() as saving:
            guests.stay(saving, guest, now=g.now)
    return redirect(local_path(request.form.get("back")), 303)


def _forget() -> Any:
    if visitor.token():
        with saved() if request.method == "POST" else own_transaction(SYSTEM) as writing:
            guests.leave(writing, token=visitor.token(), actor=visitor.actor(), now=g.now)
        if g.user is not None:
            sessions.sign_out()
            db.session.commit()
    visitor.forget()
    return redirect(url_for("public.institutions"), 303)
