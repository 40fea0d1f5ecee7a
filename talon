#!/bin/sh
# Talon's one entry. Needs sh and python3 (3.11 or newer); see ./talon help.
set -eu
cd "$(dirname "$0")"
VENV=.venv
PY=$VENV/bin/python

say() { printf '%s\n' "$*"; }
fail() { say "talon: $*" >&2; exit 1; }

help() {
    cat <<'TEXT'
./talon run         the demo: makes all it needs, then says the address and the sign-ins
                    PORT=8000 (the next free one if it is taken), DATA=./var (its folder)
./talon test [...]  every test on SQLite and PostgreSQL, Redis, Chromium; figures at a tenth
./talon test-full   the same with the full figures
./talon check       ruff, mypy, import-linter, translations, migrations
./talon bench       the benchmarks of docs/performance.md
./talon help        this
More words after test, test-full and bench go to pytest and to the benchmarks.
TEXT
}

# --- the environment -------------------------------------------------------------------------

python() { # prints the first python that is new enough
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    fail "python3 of 3.11 or newer is needed and was not found"
}

debian() { # installs packages, or says how
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "talon: installing $*"
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
            --no-install-recommends "$@" >/dev/null
    else
        say "talon: type: sudo apt-get install $*" >&2
        return 1
    fi
}

venv() { # makes the environment unless it is there and works
    "$PY" -c 'import pip' 2>/dev/null && return
    python3=$(python)
    if ! "$python3" -c 'import ensurepip, venv' 2>/dev/null; then
        version=$("$python3" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        debian "python$version-venv" || fail "python's venv is missing; the line above installs it"
    fi
    say "talon: making $VENV"
    "$python3" -m venv --clear "$VENV"
}

packages() { # $1 = requirements or requirements-dev; installs when the files have changed
    venv
    sum=$(cat requirements.txt constraints.txt | cksum)
    [ "$1" = requirements ] || sum="$sum $(cksum <requirements-dev.txt)"
    stamp=$VENV/$1.stamp
    [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ] && return
    say "talon: installing packages ($1.txt)"
    "$PY" -m pip install -qq --disable-pip-version-check --no-input -r "$1.txt" -c constraints.txt
    say "$sum" >"$stamp"
}

prepare() {
    packages "$1"
    "$PY" -m app.translations.compile
}

# --- run -------------------------------------------------------------------------------------

port() { # prints the port asked for ($1), or the first free one from $2 on
    "$PY" - "$1" "$2" <<'CODE'
import socket, sys
def free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
given, first = sys.argv[1], int(sys.argv[2])
found = next((p for p in ([int(given)] if given else range(first, first + 100)) if free(p)), None)
if found is None:
    sys.exit(f"talon: port {given or f'{first} to {first + 99}'} is taken; choose another: PORT=9000 ./talon run")
print(found)
CODE
}

secret() { # prints this demo's own key, made once
    if [ ! -s "$1" ]; then
        (umask 077 && "$PY" -c 'import secrets; print(secrets.token_urlsafe(48))' >"$1.new")
        mv "$1.new" "$1"
    fi
    cat "$1"
}

stop() { # ends what this run has started, and nothing else
    trap - INT TERM HUP EXIT
    for pid in ${web:-} ${worker:-} ${esia:-} ${demo:-} ${nap:-}; do kill -TERM "$pid" 2>/dev/null || :; done
    for pid in ${web:-} ${worker:-} ${esia:-}; do wait "$pid" 2>/dev/null || :; done
    exit "${1:-0}"
}

demo() { # makes the invented data, or rolls them forward
    TALON_SURFACES=none "$PY" -m flask --app wsgi demo >"$DATA/sign-ins.txt" &
    demo=$!
    wait "$demo"
}

run() {
    prepare requirements
    (umask 077 && mkdir -p "${DATA:=var}")
    DATA=$(cd "$DATA" && pwd)
    PORT=$(port "${PORT:-}" 8000)
    ESIA=$(port "" $((PORT + 1)))
    for name in $(env | sed -n 's/^\(TALON_[A-Z_]*\)=.*/\1/p'); do unset "$name"; done
    TALON_SECRET_KEY=$(secret "$DATA/secret")
    export TALON_SECRET_KEY TALON_MODE=demo TALON_MAILBOX=1 TALON_LOG_LEVEL=WARNING
    export TALON_DATABASE_URL="sqlite:///$DATA/talon.db" TALON_PUBLIC_URL="http://localhost:$PORT"
    export TALON_TRUSTED_HOSTS=localhost,127.0.0.1
    # The demo's ESIA: a process of its own, with invented people. Never in production.
    TALON_ESIA_SECRET=$(secret "$DATA/esia-secret")
    export TALON_ESIA_SECRET TALON_ESIA_CLIENT_ID=talon TALON_ESIA_ISSUER="http://localhost:$ESIA"
    # Whoever answers no browser (surfaces none) loads a third less.
    TALON_SURFACES=none "$PY" -m flask --app wsgi migrate

    trap 'stop 0' INT TERM HUP
    trap 'stop 1' EXIT
    first=
    [ -s "$DATA/sign-ins.txt" ] || first=1
    [ -z "$first" ] || demo # nobody is to see the site half made
    "$PY" -m gunicorn wsgi:app --bind "127.0.0.1:$PORT" --worker-class gthread --workers 1 \
        --threads 8 --graceful-timeout 5 --log-level warning --no-control-socket &
    web=$!
    "$PY" -m app.provider --port "$ESIA" --site "http://localhost:$PORT" --secret "$DATA/esia-secret" &
    esia=$!
    [ -n "$first" ] || demo # while the web server starts
    TALON_SURFACES=none "$PY" -m flask --app wsgi worker &
    worker=$!
    "$PY" - "$PORT" <<'CODE' || fail "the site does not answer; see the lines above"
import http.client, sys, time
for _ in range(600):
    try:
        site = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=5)
        site.request("GET", "/healthz")
        sys.exit(site.getresponse().status != 200)
    except OSError:
        time.sleep(0.05)
sys.exit(1)
CODE
    cat <<TEXT

  Талон               http://localhost:$PORT/
  для персонала       http://localhost:$PORT/staff/
  письма и коды       http://localhost:$PORT/mailbox
  остановить          Ctrl-C

$(cat "$DATA/sign-ins.txt")
TEXT
    while kill -0 "$web" 2>/dev/null && kill -0 "$worker" 2>/dev/null && kill -0 "$esia" 2>/dev/null; do
        sleep 2 & # waited for, so that a signal is heard at once
        nap=$!
        wait "$nap" || :
    done
    say "talon: a process has ended by itself; see the lines above" >&2
}

# --- test, check, bench ----------------------------------------------------------------------

servers() { # what the tests want; without it they say NOT TESTED (and fail with REQUIRE_ALL=1)
    missing=
    ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null || missing="$missing postgresql"
    command -v redis-server >/dev/null || missing="$missing redis-server"
    command -v chromium >/dev/null || missing="$missing chromium"
    command -v pdftotext >/dev/null || missing="$missing poppler-utils"
    # shellcheck disable=SC2086 # words on purpose
    [ -z "$missing" ] || debian $missing || say "talon: testing without:$missing" >&2
}

tests() { # $1 = scale; the rest goes to pytest
    TALON_SCALE=$1 TALON_TURNS=
    shift
    [ $# -gt 0 ] || [ "$TALON_SCALE" = 1 ] || TALON_TURNS=1 # docs/decisions/0015
    export TALON_SCALE TALON_TURNS
    # What Python compiles is kept, whatever the machine's own wish: some fifty processes start.
    unset PYTHONDONTWRITEBYTECODE
    export PYTHONPYCACHEPREFIX="$PWD/$VENV/compiled"
    prepare requirements-dev
    servers
    "$PY" -m pytest -n 2 --dist worksteal "$@"
}

bad=
try() { # $1 = name; runs the rest and remembers a failure
    name=$1
    shift
    if "$@"; then say "ok    $name"; else
        say "FAIL  $name"
        bad="$bad $name"
    fi
}

check() {
    prepare requirements-dev
    try ruff "$PY" -m ruff check --quiet
    try format "$PY" -m ruff format --check --quiet
    try mypy "$PY" -m mypy --no-error-summary
    try imports "$PY" -c 'from importlinter.cli import lint_imports_command; lint_imports_command()' --no-logo
    try translations "$PY" -m app.translations.check
    try migrations "$PY" -m pytest -p no:xdist -k sqlite tests/migrations
    [ -z "$bad" ] || fail "check:$bad"
}

command=${1:-help}
[ $# = 0 ] || shift
case $command in
run) run ;;
test) tests 0.1 "$@" ;;
test-full) tests 1 "$@" ;;
check) check ;;
bench) prepare requirements-dev && exec "$PY" -m tests.bench "$@" ;;
help | -h | --help) help ;;
*) help >&2 && fail "there is no “$command”" ;;
esac
