"""Districts' streets as a CSV file: reading it into rows or reasons, and writing it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.models.enums import DistrictKind, Parity
from app.rules import houses
from app.rules.csv_table import Line, Table, again, safe, written
from app.rules.donor_cells import BadCell, words
from app.rules.errors import N_, RuleError
from app.rules.house_ranges import Span, span
from app.rules.streets import street_key, tidy

HEADINGS: dict[str, tuple[str, ...]] = {
    "kind": ("вид участка", "вид", "тип участка", "тип", "kind"),
    "number": ("номер участка", "участок", "номер", "district", "number"),
    "settlement": ("населенный пункт", "город", "settlement"),
    "street": ("улица", "street"),
    "parity": ("сторона", "четность", "parity"),
    "first": ("с", "с дома", "от", "from"),
    "last": ("по", "по дом", "до", "to"),
    "houses": ("дома", "отдельные дома", "houses"),
    "except": ("кроме", "кроме домов", "except"),
}
TABLE = Table(HEADINGS, needed=("kind", "number", "street"))
TITLES = ("вид участка", "номер участка", "населённый пункт", "улица", "сторона", "с", "по", "дома", "кроме")  # fmt: skip
"""The first line of a file that is written; in the order of ``HEADINGS``."""
KIND_WORDS: dict[DistrictKind, tuple[str, ...]] = {
    DistrictKind.THERAPY: ("терапевтический", "терапия", "therapeutic"),
    DistrictKind.GENERAL: ("врача общей практики", "воп", "общей практики", "general practice"),
    DistrictKind.FAMILY: ("семейного врача", "семейный", "family"),
    DistrictKind.COMPLEX: ("комплексный", "complex"),
    DistrictKind.FELDSHER: ("фельдшерский", "feldsher"),
    DistrictKind.PAEDIATRIC: ("педиатрический", "детский", "paediatric"),
    DistrictKind.GYNAECOLOGY: ("акушерско гинекологический", "гинекологический", "gynaecological"),
    DistrictKind.DENTAL: ("стоматологический", "dental"),
}
KINDS = {word: kind for kind, spellings in KIND_WORDS.items() for word in (*spellings, kind.value)}
PARITY_WORDS: dict[Parity, tuple[str, ...]] = {
    Parity.ALL: ("все", "все дома", "all"),
    Parity.ODD: ("нечетные", "нечетная", "нечет", "н", "odd"),
    Parity.EVEN: ("четные", "четная", "чет", "ч", "even"),
}
PARITIES = {word: parity for parity, spellings in PARITY_WORDS.items() for word in spellings}
SHOWN_PARITY = {Parity.ALL: "все", Parity.ODD: "нечётные", Parity.EVEN: "чётные"}


@dataclass(frozen=True)
class FileRow(Line):
    """One line of the file: the houses of a district on a street, or why it cannot be taken."""

    street: str = ""
    settlement: str = ""
    key: str = ""
    span: Span | None = None


def read_file(data: bytes, *, home: str) -> list[FileRow]:
    """The rows of a file. ``home``: the organization's settlement. Raises a FileRefused."""
    return [_row(line, home) for line in TABLE.read(data)]


def rows_again(kept: Iterable[Mapping[str, str]], *, home: str) -> list[FileRow]:
    """The rows that were kept as JSON, understood anew."""
    return [_row(line, home) for line in again(kept, table=TABLE)]


def _row(line: Line, home: str) -> FileRow:
    if line.problem is not None:
        return FileRow(line.line, problem=line.problem)
    return understood(line.line, line.said, home=home)


def understood(number: int, said: Mapping[str, str], *, home: str) -> FileRow:
    """What the cells of line ``number`` mean; a row with a problem where they mean nothing."""
    try:
        if "kind" not in said:
            raise BadCell(N_("The kind of the district is not given."))
        kind = KINDS.get(words(said["kind"]))
        if kind is None:
            raise BadCell(N_("“%(value)s” is no kind of district."), value=said["kind"][:40])
        district = said.get("number", "").removeprefix("№").strip()
        if not 0 < len(district) <= 20:
            raise BadCell(N_("The district has no number, or it is longer than 20 characters."))
        parity = PARITIES.get(words(said.get("parity", "") or "all"))
        if parity is None:
            raise BadCell(N_("“%(value)s” is no side of a street."), value=said["parity"][:40])
        street, settlement = tidy(said.get("street", "")), tidy(said.get("settlement", ""))
        made = span(
            kind=kind,
            district=district,
            parity=parity,
            first=_end(said.get("first", "")),
            last=_end(said.get("last", "")),
            houses=houses.listed(said.get("houses", "")),
            excepted=houses.listed(said.get("except", "")),
        )
        key = street_key(street, settlement, home=home)
    except RuleError as problem:
        return FileRow(number, dict(said), problem=problem)
    return FileRow(number, dict(said), None, street, settlement, key, made)


def _end(text: str) -> int | None:
    """«15»; spreadsheets make «15,0» of it."""
    digits = text.replace(",", ".").removesuffix(".0")
    if not digits:
        return None
    if not (digits.isascii() and digits.isdigit() and len(digits) < 6):
        raise BadCell(N_("“%(value)s” is not a number: a range goes from a number to a number."), value=text[:40])  # fmt: skip
    return int(digits)


def text_of(rows: Iterable[tuple[str, str, Span]]) -> str:
    """A file that ``read_file`` reads back, of (settlement, street, range)."""
    return written(
        TITLES,
        (
            (
                KIND_WORDS[each.kind][0],
                safe(each.district),
                safe(settlement),
                safe(street),
                SHOWN_PARITY[each.parity],
                each.first or "",
                each.last or "",
                ", ".join(houses.spelled(each.houses)),
                ", ".join(houses.spelled(each.excepted)),
            )
            for settlement, street, each in rows
        ),
    )
