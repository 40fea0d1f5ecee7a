"""One donor of a donor file: from the cells of a line to the values it says, or why it cannot be taken."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.models.enums import DeferralKind, DonationKind
from app.rules import donor_cells as cells
from app.rules.donor_cells import BadCell
from app.rules.errors import N_


@dataclass(frozen=True)
class FileLine:
    """One donor of the file: what it says, or why it cannot be taken."""

    number: int
    """Of the line in the file, from 1."""
    code: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    """Only what the line says: an empty cell says nothing."""
    problems: tuple[BadCell, ...] = ()


class LineReader:
    """Reads the cells of one line; knows the day and the organization's names of donations."""

    def __init__(self, today: dt.date, kinds: Mapping[str, DonationKind]) -> None:
        self.today = today
        self.kinds = kinds

    def read(self, number: int, said: Mapping[str, str]) -> FileLine:
        values: dict[str, Any] = {}
        problems: list[BadCell] = []
        for read in (self._code, self._who, self._blood, self._deferral, self._donation):
            try:
                values.update(read(said))
            except BadCell as problem:
                problems.append(problem)
        code = values.pop("code", "")
        return FileLine(number, code, {} if problems else values, tuple(problems))

    def _code(self, said: Mapping[str, str]) -> dict[str, Any]:
        return {"code": cells.donor_code(said.get("code", ""))}

    def _who(self, said: Mapping[str, str]) -> dict[str, Any]:
        names = ("family_name", "given_name", "patronymic")
        found = dict(zip(names, said.get("full_name", "").split(" ", 2), strict=False))
        found |= {name: said[name] for name in names if name in said}
        values: dict[str, Any] = {name: cells.name(text) for name, text in found.items() if text}
        if "birth_date" in said:
            values["birth_date"] = cells.past_date(said["birth_date"], self.today)
        if "sex" in said:
            values["sex"] = cells.sex(said["sex"])
        return values

    def _blood(self, said: Mapping[str, str]) -> dict[str, Any]:
        if "blood_group" not in said:
            raise BadCell(N_("There is no blood group."))
        group, beside = cells.blood_group(said["blood_group"])
        own = cells.sign(said["rh"]) if "rh" in said else None
        if own and beside and own != beside:
            raise BadCell(N_("The Rh factor is positive in one cell and negative in another."))
        rh = own or beside
        if rh is None:
            raise BadCell(N_("There is no Rh factor."))
        values = {"blood_group": group, "rh": rh}
        if "kell" in said:
            values["kell"] = cells.sign(said["kell"])
        return values

    def _deferral(self, said: Mapping[str, str]) -> dict[str, Any]:
        """«deferral»: None (there is none), or its kind, dates and reason."""
        start, end = said.get("deferral_from"), said.get("deferral_to")
        reason = said.get("deferral_reason", "")
        if "deferral" not in said:
            if start or end:
                raise BadCell(N_("There are dates of a deferral, but not which one it is."))
            return {}
        kind = cells.deferral_kind(said["deferral"])
        if kind is None:
            if end and cells.date(end) >= self.today:
                raise BadCell(N_("“No deferral” contradicts the date until which there is one."))
            return {"deferral": None}
        starts_on = cells.date(start) if start else None
        ends_on = cells.date(end) if end else None
        if kind == DeferralKind.TEMPORARY and ends_on is None:
            raise BadCell(N_("A temporary deferral needs the date on which it ends."))
        if kind == DeferralKind.PERMANENT and ends_on is not None:
            raise BadCell(N_("A permanent deferral has no date on which it ends."))
        if starts_on and ends_on and ends_on < starts_on:
            raise BadCell(N_("The deferral ends before it begins."))
        if len(reason) > 200:
            raise BadCell(
                N_("“%(value)s…” is too long: at most %(most)s characters."),
                value=reason[:20],
                most="200",
            )
        return {
            "deferral": {
                "kind": kind,
                "starts_on": starts_on.isoformat() if starts_on else None,
                "ends_on": ends_on.isoformat() if ends_on else None,
                "reason": reason,
            }
        }

    def _donation(self, said: Mapping[str, str]) -> dict[str, Any]:
        kind, day = said.get("donation_kind"), said.get("donation_date")
        if "donation" in said:
            found = cells.DATE.search(said["donation"])
            if found is None:
                raise BadCell(N_("The last donation has no date."))
            day = found[0]
            rest = said["donation"].replace(day, " ").strip(" ,;:()—–-")
            kind = kind or rest
        if not kind and not day:
            return {}
        if not kind or not day:
            raise BadCell(N_("Of the last donation both the kind and the date are needed."))
        return {
            "donation": {
                "kind": cells.donation_kind(kind, self.kinds),
                "on_date": cells.past_date(day, self.today),
            }
        }
