"""Where to be seen in two steps: the medical organization, then its institution (D5). The choice is the address."""

from __future__ import annotations

import uuid
from typing import Any

from flask import abort, redirect, render_template, url_for

from app.extensions import db
from app.public.institutions import kind_of
from app.public.settlements import chosen
from app.public.site import public
from app.rules import bodies, directory
from app.rules.errors import NotFound


@public.get("/organizations")
def organizations() -> str:
    """«Выберите медицинскую организацию»: those of the settlement that is remembered, or all."""
    session = db.session()
    names = [name for name, _ in directory.settlements(session)]
    settlement = chosen(names)
    return render_template(
        "public/organizations.html",
        found=bodies.bodies(session, settlement=settlement),
        settlement=settlement,
        kind_of=kind_of,
        several=len(names) > 1,
    )


@public.get("/organizations/<uuid:uid>")
def organization(uid: uuid.UUID) -> Any:
    """«Выберите лечебное учреждение», wherever it stands; the only one is opened at once.

    Under the name of one of its institutions: the others beside it.
    """
    try:
        body, found = bodies.institutions(db.session(), uid=uid)
    except NotFound:
        abort(404)
    if len(found) == 1 and body.uid == uid:
        return redirect(url_for("public.institution", uid=found[0].uid), 303)
    return render_template("public/organization.html", body=body, found=found, kind_of=kind_of)
