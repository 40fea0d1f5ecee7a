"""The rows of one organization's directory as the sheets of a file know them, and writing one of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.directory import (
    Department,
    HealthcareService,
    Practitioner,
    PractitionerRole,
    PractitionerService,
    Specialty,
)
from app.models.enums import Payment, RowAction
from app.models.organization import Organization
from app.rules import directory, directory_edit, organizations, practitioners
from app.rules.actor import Actor
from app.rules.directory_file import NO, PAYMENT_WORDS, SHEETS, YES, Column, Line, Sheet
from app.rules.errors import N_, RuleError

ARROW = " → "
"""Between the parts of a department's path: «Детская поликлиника → Участок №1»."""
Key = tuple[str, ...]


class Unknown(RuleError):
    code = "directory_unknown"
    text = N_("“%(name)s” is not in the directory, nor in a line above. Check column “%(column)s”.")


class BranchUnknown(RuleError):
    code = "directory_branch_unknown"
    text = N_("There is no branch “%(name)s”. Add it under “Organizations” first.")


def sheet_of(title: str) -> Sheet:
    return next(sheet for sheet in SHEETS if sheet.title == title)


class Rows:
    """Everything of one organization's directory by the keys of the file, read in seven queries."""

    def __init__(self, session: Session, tenant_id: int) -> None:
        self.session, self.tenant_id = session, tenant_id
        own = (Organization.id == tenant_id) | (Organization.root_id == tenant_id)
        places = session.scalars(select(Organization).where(own).order_by(Organization.id)).all()
        self.branches = {row.short_name: row for row in places}
        self.names = {row.id: row.short_name for row in places}
        self.specialties = {row.name_ru: row for row in session.scalars(select(Specialty))}
        self.departments: dict[Any, Department] = self._departments()
        self.paths = {row.id: path for (_, path), row in self.departments.items()}
        self.services: dict[Any, HealthcareService] = {
            (row.code, row.name_ru): row for row in self._own(HealthcareService)
        }
        self.doctors: dict[str, Practitioner] = {
            row.code: row for row in self._own(Practitioner) if row.code
        }
        by_id = {row.id: code for code, row in self.doctors.items()}
        names = {row.id: row.name_ru for row in self.specialties.values()}
        self.roles: dict[Any, PractitionerRole] = {
            (
                by_id[row.practitioner_id], self.names[row.organization_id],
                self.paths.get(row.department_id or 0, ""), names[row.specialty_id],
            ): row
            for row in self._own(PractitionerRole)
            if row.practitioner_id in by_id and row.organization_id in self.names
        }  # fmt: skip
        titles = {row.id: key for key, row in self.services.items()}
        self.gives = {
            (by_id[row.practitioner_id], *titles[row.service_id])
            for row in self._own(PractitionerService)
            if row.practitioner_id in by_id and row.service_id in titles
        }

    def _own(self, model: Any) -> list[Any]:
        query = select(model).where(model.tenant_id == self.tenant_id).order_by(model.id)
        return list(self.session.scalars(query))

    def _departments(self) -> dict[tuple[str, str], Department]:
        found: dict[tuple[str, str], Department] = {}
        by_branch: dict[int, list[Department]] = {}
        for row in self._own(Department):
            by_branch.setdefault(row.organization_id, []).append(row)
        for branch, rows in by_branch.items():
            paths: dict[int | None, str] = {}
            for leaf in directory.tree(rows):
                above = paths.get(leaf.department.part_of_id, "")
                path = ARROW.join(filter(None, (above, leaf.department.name)))
                paths[leaf.department.id] = path
                if branch in self.names:
                    found[self.names[branch], path] = leaf.department
        return found

    # --- as they are

    def values(self, sheet: str) -> Mapping[Key, dict[str, Any]]:
        """Key → what the columns of the sheet say of the row now."""
        return {key: self._read(sheet, key) for key in self._keys(sheet)}

    def _keys(self, sheet: str) -> list[Key]:
        keys: dict[str, list[Key]] = {
            "branches": [(name,) for name in self.branches],
            "departments": [(branch, path) for branch, path in self.departments],
            "services": list(self.services),
            "doctors": [(code,) for code in self.doctors],
            "roles": list(self.roles),
            "gives": sorted(self.gives),
        }
        return keys[sheet]

    def _read(self, sheet: str, key: Key) -> dict[str, Any]:
        if sheet == "gives":
            return dict(zip(("doctor", "code", "service"), key, strict=True)) | {"is_active": True}
        row = self._row(sheet, key)
        found = {}
        for column in next(each for each in SHEETS if each.name == sheet).columns:
            value = getattr(row, column.name, "")
            found[column.name] = str(value) if isinstance(value, Payment) else value
        if sheet == "branches":
            found["branch"] = key[0]
        elif sheet == "departments":
            found |= {"branch": key[0], "part_of": _above(key[1])}
        elif sheet == "doctors":
            found["doctor"] = key[0]
        elif sheet == "roles":
            names = ("doctor", "branch", "department", "specialty")
            found |= dict(zip(names, key, strict=True))
        return found

    def in_words(self) -> list[tuple[Sheet, list[list[str]]]]:
        """Every sheet with its rows as people write them."""
        return [
            (
                sheet,
                [
                    [_word(column, values[column.name]) for column in sheet.columns]
                    for values in self.values(sheet.name).values()
                ],
            )
            for sheet in SHEETS
        ]

    # --- writing

    def write(self, line: Line, *, actor: Actor, now: dt.datetime) -> dict[str, Any]:
        """Bring the row of this line to what it says; what that was: action, name, changes.

        Raises Unknown, BranchUnknown and whatever the rule of the row refuses with.
        """
        sheet, said = sheet_of(line.sheet), line.values
        key = self._key(sheet.name, line)
        there = self.values_of(sheet.name, key)
        new = there is None
        if sheet.name == "gives":
            said = {"is_active": True} | said
            there = there or {**said, "is_active": False}
        changes = {
            column.title: [_word(column, (there or {}).get(column.name)), _word(column, value)]
            for column in sheet.columns
            if (value := said.get(column.name)) is not None
            and (value != "" or not new)
            and value != (there or {}).get(column.name)
        }
        action = RowAction.SAME
        if changes:
            action = RowAction.NEW if new else RowAction.CHANGED
        if changes:
            writer = getattr(self, f"_write_{sheet.name}")
            writer(key, said, {"actor": actor, "now": now})
        return {
            "sheet": line.sheet, "line": line.line, "action": str(action),
            "name": ", ".join(filter(None, key)), "changes": changes,
        }  # fmt: skip

    def _row(self, sheet: str, key: Key) -> Any:
        """The row of this key, or None."""
        if sheet in ("branches", "doctors"):
            one: Any = self.branches if sheet == "branches" else self.doctors
            return one.get(key[0])
        if sheet == "gives":
            return key if key in self.gives else None
        several: dict[str, dict[Any, Any]] = {
            "departments": self.departments,
            "services": self.services,
            "roles": self.roles,
        }
        return several[sheet].get(key)

    def values_of(self, sheet: str, key: Key) -> dict[str, Any] | None:
        return None if self._row(sheet, key) is None else self._read(sheet, key)

    def _key(self, sheet: str, line: Line) -> Key:
        said = line.values
        if "branch" in said and said["branch"] not in self.branches:
            raise BranchUnknown(name=said["branch"])
        if sheet == "departments":
            above = said.get("part_of", "")
            return said["branch"], ARROW.join(filter(None, (above, said["name"])))
        return line.key()

    def _write_branches(self, key: Key, said: dict[str, Any], who: dict[str, Any]) -> None:
        fields = {name: value for name, value in said.items() if name != "branch"}
        organizations.change(self.session, organization=self.branches[key[0]], **who, **fields)
        self.session.flush()

    def _write_departments(self, key: Key, said: dict[str, Any], who: dict[str, Any]) -> None:
        branch, above = key[0], said.get("part_of", "")
        if above and (branch, above) not in self.departments:
            raise Unknown(name=above, column="входит в")
        self.departments[branch, key[1]] = directory_edit.save_department(
            self.session,
            organization=self.branches[branch],
            part_of=self.departments[branch, above] if above else None,
            department=self.departments.get((branch, key[1])),
            **who,
            **{name: value for name, value in said.items() if name not in ("branch", "part_of")},
        )

    def _write_services(self, key: Key, said: dict[str, Any], who: dict[str, Any]) -> None:
        fields = dict(said)
        if "payment" in fields:
            fields["payment"] = Payment(fields["payment"])
        self.services[key[0], key[1]] = directory_edit.save_service(
            self.session,
            tenant_id=self.tenant_id,
            service=self.services.get((key[0], key[1])),
            **who,
            **{"code": ""} | fields,
        )

    def _write_doctors(self, key: Key, said: dict[str, Any], who: dict[str, Any]) -> None:
        fields = {name: value for name, value in said.items() if name != "doctor"}
        self.doctors[key[0]] = practitioners.save_practitioner(
            self.session,
            tenant_id=self.tenant_id,
            practitioner=self.doctors.get(key[0]),
            code=key[0],
            **who,
            **fields,
        )

    def _write_roles(self, key: Key, said: dict[str, Any], who: dict[str, Any]) -> None:
        doctor, branch, path, specialty = key
        if path and (branch, path) not in self.departments:
            raise Unknown(name=path, column="отделение")
        if specialty not in self.specialties:
            raise Unknown(name=specialty, column="специальность")
        self.roles[doctor, branch, path, specialty] = practitioners.save_role(
            self.session,
            practitioner=self._doctor(doctor),
            organization=self.branches[branch],
            department=self.departments[branch, path] if path else None,
            specialty=self.specialties[specialty],
            role=self.roles.get((doctor, branch, path, specialty)),
            **who,
            **{name: said[name] for name in ("room", "is_active") if name in said},
        )

    def _write_gives(self, key: Key, said: dict[str, Any], who: dict[str, Any]) -> None:
        doctor, code, name = key
        if (code, name) not in self.services:
            raise Unknown(name=f"{code} {name}".strip(), column="услуга")
        after = self.gives | {(doctor, code, name)}
        if not said["is_active"]:
            after.discard((doctor, code, name))
        practitioners.set_services(
            self.session,
            practitioner=self._doctor(doctor),
            services=[self.services[each[1], each[2]] for each in after if each[0] == doctor],
            **who,
        )
        self.gives = after

    def _doctor(self, code: str) -> Practitioner:
        if code not in self.doctors:
            raise Unknown(name=code, column="табельный номер")
        return self.doctors[code]


def _above(path: str) -> str:
    return path.rpartition(ARROW)[0]


def _word(column: Column, value: Any) -> str:
    """A value as people write it in the file."""
    if value is None or value == "":
        return ""
    if column.kind == "flag":
        return YES if value else NO
    if column.kind == "payment":
        return PAYMENT_WORDS.get(str(value), str(value))
    if column.kind in ("institution", "department"):
        kinds = (
            directory.institution_kinds()
            if column.kind == "institution"
            else directory.department_kinds()
        )
        return kinds[value].ru if value in kinds else str(value)
    return str(value)
