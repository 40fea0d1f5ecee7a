"""Rules of the house that a machine can see in the sources: each finds its fault in a small example too."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.models import Base
from app.models.personal import PERSONAL, is_personal, needs_class

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ("app", "admin", "forms")
LONGEST = 320
CLOCK = "app/extensions.py"
STATUSES = "app/rules/transitions.py"
SIGN_IN = {"app/sessions.py", "admin/sign_in.py"} | {
    f"app/public/{name}.py" for name in ("sign_ins", "sign_in_settings", "esia", "esia_agree")
}
"""Where a session may begin: the function itself, the cabinet's doors, the staff's steps."""
RAW_SQL = {"app/extensions.py"}
"""BEGIN IMMEDIATE for SQLite."""
VAGUE = {"utils", "helpers", "common", "services"}

Check = Callable[[str, ast.Module], Iterator[str]]


def python_files(*folders: str) -> list[str]:
    """Sources of these folders, from the root, without migrations."""
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    names = [path.relative_to(ROOT).as_posix() for path in paths]
    return sorted(name for name in names if "/migrations/" not in name)


@functools.cache
def tree_of(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text())


def templates() -> list[str]:
    paths = (ROOT / "templates").rglob("*.*")
    return sorted(path.relative_to(ROOT).as_posix() for path in paths)


def dotted(node: ast.AST) -> str:
    """``a.b.c`` of a name or an attribute; «» of anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


# --- each check: a file's name and tree → its faults ------------------------------------------


def scope_is_not_bypassed(name: str, tree: ast.Module) -> Iterator[str]:
    """Statements on tables, texts and old queries are not narrowed by the session's scope, nor is what
    exists().where(…) reads: it selects no entity. ``select(Model.id).where(…).exists()`` is narrowed."""
    wheres = {
        id(keyword.value)
        for call in calls(tree)
        if name.startswith("app/models/")
        for keyword in call.keywords
        if keyword.arg in ("postgresql_where", "sqlite_where")
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "__table__":
            yield f"{name}:{node.lineno}: __table__"
        if isinstance(node, ast.Call) and id(node) not in wheres:
            called = dotted(node.func)
            word = called.rpartition(".")[2]
            if called in (
                "text",
                "sa.text",
                "sqlalchemy.text",
                "literal_column",
                "sa.literal_column",
            ):
                yield f"{name}:{node.lineno}: {called}("
            if word == "exec_driver_sql" and name not in RAW_SQL:
                yield f"{name}:{node.lineno}: {called}("
            if called in ("exists", "sa.exists", "sqlalchemy.exists"):
                yield f"{name}:{node.lineno}: {called}("
            if called.endswith("session.query"):
                yield f"{name}:{node.lineno}: {called}("


def markup_is_literal(name: str, tree: ast.Module) -> Iterator[str]:
    """Markup("…{}").format(x) escapes x; Markup(f"…{x}") does not."""
    for call in calls(tree):
        if dotted(call.func).rpartition(".")[2] == "Markup" and not all(
            isinstance(argument, ast.Constant) for argument in call.args
        ):
            yield f"{name}:{call.lineno}: Markup( of something put together"


def one_clock(name: str, tree: ast.Module) -> Iterator[str]:
    """``now`` is an argument; entry points get it from app.extensions.utcnow."""
    for call in calls(tree):
        called = dotted(call.func)
        owner, _, word = called.rpartition(".")
        asks = word in ("now", "utcnow", "today") and owner.rpartition(".")[2] in (
            "datetime",
            "date",
            "func",
        )
        if (asks or called == "time.time") and name != CLOCK:
            yield f"{name}:{call.lineno}: {called}("


def rules_do_not_commit(name: str, tree: ast.Module) -> Iterator[str]:
    """The entry point commits, once."""
    for call in calls(tree):
        word = dotted(call.func).rpartition(".")[2]
        if name.startswith("app/rules/") and word in ("commit", "rollback"):
            yield f"{name}:{call.lineno}: {word}("


def statuses_change_in_one_place(name: str, tree: ast.Module) -> Iterator[str]:
    """Only the transitions write Appointment.status and Slot.status."""
    if name == STATUSES:
        return
    enums = {"AppointmentStatus", "SlotStatus"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            enums |= {a.asname for a in node.names if a.asname and a.name in enums}
        if isinstance(node, ast.Assign) and dotted(node.value) in enums:
            enums |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)) and node.value:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            writes = any(isinstance(t, ast.Attribute) and t.attr == "status" for t in targets)
            named = {dotted(part) for part in ast.walk(node.value)}
            if writes and named & enums:
                yield f"{name}:{node.lineno}: .status = {ast.unparse(node.value)}"
        if isinstance(node, ast.Call) and any(
            k.arg in ("status", "keeps_slot") for k in node.keywords
        ):
            updated = [
                dotted(call.args[0])
                for call in calls(node.func)
                if dotted(call.func).rpartition(".")[2] in ("update", "insert") and call.args
            ]
            if {"Appointment", "Slot"} & set(updated):
                yield f"{name}:{node.lineno}: update({updated[-1]}).values(status=…)"


def sessions_begin_at_the_door(name: str, tree: ast.Module) -> Iterator[str]:
    """Signing in is called by the two sign-in forms and by nobody else."""
    direct = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "app.sessions"
        for alias in node.names
        if alias.name == "sign_in"
    }
    for call in calls(tree):
        called = dotted(call.func)
        door = called in direct or called.endswith("sessions.sign_in") or called == "login_user"
        if door and name not in SIGN_IN:
            yield f"{name}:{call.lineno}: {called}("


def has_a_docstring(name: str, tree: ast.Module) -> Iterator[str]:
    if tree.body and not ast.get_docstring(tree):
        yield f"{name}: no module docstring"


def cases_are_the_same_every_time(name: str, tree: ast.Module) -> Iterator[str]:
    """The processes of a test run compare the names of their tests: no chance in parameters."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            for call in (call for mark in node.decorator_list for call in calls(mark)):
                if dotted(call.func).rpartition(".")[2] in ("uuid4", "token_hex", "token_urlsafe"):
                    yield f"{name}:{call.lineno}: {dotted(call.func)}( in a parameter"


def walks_say_on_which_engines(name: str, tree: ast.Module) -> Iterator[str]:
    """A walk in Chromium costs seconds: whether both engines can matter to it is decided by name."""
    said = {"on_one_engine", "on_both_engines", "by_turns", "engine"}
    marks = [n.value for n in tree.body if isinstance(n, ast.Assign) and "pytestmark" in _names(n)]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            asked = {a.arg for a in node.args.args}
            browser = "open_page" in asked or ("live" in asked and {"page", "phone"} & asked)
            given = [dotted(p) for mark in [*marks, *node.decorator_list] for p in ast.walk(mark)]
            if browser and not said & set(given):
                yield f"{name}:{node.lineno}: on_one_engine, by_turns or on_both_engines? (tests/browser.py)"


def _names(node: ast.Assign) -> set[str]:
    return {dotted(target) for target in node.targets}


@pytest.mark.parametrize("check", [cases_are_the_same_every_time, walks_say_on_which_engines])
def test_the_tests_keep(check: Check) -> None:
    names = python_files("tests")
    found = [fault for name in names for fault in check(name, tree_of(name))]
    assert found == []


def test_an_exists_without_an_entity_is_found() -> None:
    query = "select(Person.id).where({})"
    for inner, found in (("exists().where(Donor.person_id == Person.id)", 1),
                         ("select(Donor.id).where(Donor.person_id == Person.id).exists()", 0)):  # fmt: skip
        tree = ast.parse(query.format(inner))
        assert len(list(scope_is_not_bypassed("app/rules/x.py", tree))) == found


def test_a_walk_that_says_nothing_is_found() -> None:
    walk = "def test_x(live, open_page):\n    open_page(live.url)"
    assert list(walks_say_on_which_engines("tests/x.py", ast.parse(walk)))
    for mark in ("@on_one_engine\n", "@engine('sqlite')\n", "pytestmark = [on_both_engines]\n"):
        assert not list(walks_say_on_which_engines("tests/x.py", ast.parse(mark + walk)))


CHECKS: dict[Check, str] = {
    scope_is_not_bypassed: "rows = session.execute(text('select 1'))",
    markup_is_literal: "cell = Markup(f'<b>{name}</b>')",
    one_clock: "import datetime as dt\nnow = dt.datetime.now(dt.UTC)",
    rules_do_not_commit: "session.commit()",
    statuses_change_in_one_place: "A = AppointmentStatus\nbooking.status = A.BOOKED",
    sessions_begin_at_the_door: "from app.sessions import sign_in\nsign_in(user)",
    has_a_docstring: "x = 1",
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_sources_keep(check: Check) -> None:
    names = [*python_files(*LAYERS), "config.py", "wsgi.py"]
    found = [fault for name in names for fault in check(name, tree_of(name))]
    assert found == []


@pytest.mark.parametrize(("check", "bad"), CHECKS.items(), ids=lambda x: getattr(x, "__name__", ""))
def test_the_check_finds(check: Check, bad: str) -> None:
    assert list(check("app/rules/example.py", ast.parse(bad)))


@pytest.mark.parametrize(
    "bad",
    [
        "query = update(Slot).where(Slot.id == 1).values(status=SlotStatus.FREE)",
        "from app.models.enums import AppointmentStatus as S\nrow.status = S.HELD if x else S.BOOKED",
    ],
)
def test_a_status_written_elsewhere_is_found_in_any_dress(bad: str) -> None:
    assert list(statuses_change_in_one_place("admin/example.py", ast.parse(bad)))


# --- templates -------------------------------------------------------------------------------

JINJA_COMMENT = re.compile(r"{#.*?#}", re.DOTALL)
JINJA_CODE = re.compile(r"{%.*?%}|{{.*?}}", re.DOTALL)
TOKEN = re.compile(r"{{[^}]*\b(?:csrf_token|csrf|token|hidden|hidden_tag)\(")
"""The field itself, or a macro of templates that writes it."""
FORM = re.compile(r"<form\b.*?</form>", re.DOTALL | re.IGNORECASE)
INLINE = {
    "|safe": re.compile(r"\|\s*safe\b"),
    "autoescape off": re.compile(r"autoescape\s+false", re.IGNORECASE),
    "an event handler": re.compile(r"<[^<>]*\son\w+\s*=", re.IGNORECASE),
    "style=": re.compile(r"<[^<>]*\sstyle\s*=", re.IGNORECASE),
    "code in <script>": re.compile(
        r"<script\b(?![^>]*\bsrc=)(?![^>]*application/json)", re.IGNORECASE
    ),
    "<style>": re.compile(r"<style\b", re.IGNORECASE),
    "javascript:": re.compile(r"javascript:", re.IGNORECASE),
    "another site": re.compile(r"""\b(?:src|href|action)=["']?(?:https?:)?//""", re.IGNORECASE),
    "Cyrillic (sources are English)": re.compile(r"[а-яёА-ЯЁ]+"),
}
IN_CODE = {"|safe", "autoescape off"}
ALLOWED = {
    "templates/pdf/": {"<style>", "style="},  # drawn here, no browser sees it
    "templates/mail/": {"<style>", "style="},  # mail programs know nothing else
    "templates/admin/imports/": {"Cyrillic (sources are English)"},  # the file's own headings
}


def template_faults(name: str, source: str) -> Iterator[str]:
    text = JINJA_COMMENT.sub("", source)
    written = JINJA_CODE.sub("", text)
    allowed = {what for start, whats in ALLOWED.items() if name.startswith(start) for what in whats}
    for what, pattern in INLINE.items():
        for match in pattern.finditer(text if what in IN_CODE else written):
            if what not in allowed:
                yield f"{name}: {what}: {match.group()[-60:]!r}"
    for form in FORM.findall(text):
        if re.search(r"method=[\"']?post", form, re.IGNORECASE) and not TOKEN.search(form):
            yield f"{name}: a POST form without its CSRF token"


def test_templates_have_no_inline_code_and_every_post_its_token() -> None:
    found = [f for name in templates() for f in template_faults(name, (ROOT / name).read_text())]
    assert found == []


@pytest.mark.parametrize(
    "bad",
    [
        "{{ name | safe }}",
        '<a href="#" onclick="go()">',
        '<p class="a" style="color: red">',
        "<script>go()</script>",
        "<style>p {}</style>",
        '<a href="javascript:go()">',
        '<img src="//example.org/a.png">',
        "<h1>Запись</h1>",
        '<form method="post" action="/x"><button>OK</button></form>',
    ],
)
def test_the_check_of_templates_finds(bad: str) -> None:
    assert list(template_faults("templates/public/example.html", bad))


# --- files -----------------------------------------------------------------------------------


def test_every_column_that_may_be_personal_has_its_class() -> None:
    unnamed = [
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if needs_class(column.type) and column.name not in PERSONAL.get(table.name, {})
    ]
    assert unnamed == []


def test_no_class_is_given_to_a_column_that_is_gone() -> None:
    stale = [
        f"{table}.{column}"
        for table, columns in PERSONAL.items()
        for column in columns
        if table not in Base.metadata.tables or column not in Base.metadata.tables[table].columns
    ]
    assert stale == []
    assert is_personal("account", "email")


def test_files_fit_in_a_head() -> None:
    """About 300 lines; a file that has grown past it is two topics."""
    long = {
        name: lines
        for name in python_files(*LAYERS)
        if not name.startswith("app/seeds/")
        and (lines := len((ROOT / name).read_text().splitlines())) > LONGEST
    }
    assert long == {}


def test_no_file_is_called_by_a_vague_name() -> None:
    vague = [
        n for n in python_files(*LAYERS, "tests") if VAGUE & set(Path(n).with_suffix("").parts)
    ]
    assert vague == []


def tracked() -> Iterator[tuple[str, str]]:
    """Name and text of every file that belongs to the project."""
    for top in sorted(ROOT.iterdir()):
        if top.name == "var" or (top.is_dir() and top.name.startswith(".") and top.name != ".ci"):
            continue
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                try:
                    yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
                except UnicodeDecodeError:
                    continue


def test_no_machine_of_ours_is_named() -> None:
    """No path of a developer's machine, no address of an inner network, no package index."""
    own = re.escape(f"{ROOT}/") if len(ROOT.parts) > 2 else r"(?!)"
    machine = re.compile(
        rf"{own}|/(?:root|home|Users)/\w|\b(?:10\.\d+|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d+\.\d+\b"
        r"|--(?:extra-)?index-url|find-links"
    )
    found = [
        f"{name}: {match.group()}"
        for name, text in tracked()
        if name != "tests/test_house.py"
        for match in machine.finditer(text)
    ]
    assert found == []


def test_packages_are_pinned_and_nothing_else() -> None:
    pin = re.compile(r"[\w.-]+(\[\w+\])?==[\w.]+")
    for name in ("requirements.txt", "requirements-dev.txt", "constraints.txt"):
        for line in (ROOT / name).read_text().splitlines():
            wanted = line.partition("#")[0].strip()
            assert not wanted or wanted == "-r requirements.txt" or pin.fullmatch(wanted), line
