# Sourced by the scripts beside it: goes to the checkout, and makes sure that .venv there has it installed.
#
#   install_into_venv ""       what the broker needs
#   install_into_venv test     and what the tests need
#   install_into_venv dev      and what the checks need
#   install_clients            the clients of tests/interop that run in Node.js
#   install_browser            the browser of tests/interop, with apt

cd "$(dirname "$0")/.." || exit 1

say() {
    echo "$(basename "$0"): $*" >&2
}

find_python() {
    for python in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$python"
            return
        fi
    done
    say "no Python 3.11 or later was found; install one, or name it: PYTHON=/path/to/python3 $0"
    exit 1
}

make_venv() {
    if [ -x .venv/bin/python ] && .venv/bin/python -m pip --version >/dev/null 2>&1; then
        return
    fi
    python=$(find_python) || exit 1
    say "making .venv with $("$python" --version)"
    if ! "$python" -m venv --clear .venv; then
        say "$python cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv"
        exit 1
    fi
}

install_into_venv() {
    make_venv
    # The project is installed as a link to this directory, so only what pyproject.toml says can go out of date.
    if cmp -s pyproject.toml ".venv/installed-${1:-run}.toml"; then
        return
    fi
    say "installing stompd${1:+ and what its ${1} extra names} into .venv; this takes a minute the first time"
    if ! .venv/bin/python -m pip install --quiet --disable-pip-version-check --editable ".${1:+[$1]}"; then
        say "the installation failed; the lines above say why"
        exit 1
    fi
    # Each of these includes those behind it.
    case "$1" in
    dev) included="dev test run" ;;
    test) included="test run" ;;
    *) included="run" ;;
    esac
    for name in $included; do
        cp pyproject.toml ".venv/installed-$name.toml"
    done
}

install_clients() {
    clients=tests/interop/node
    if cmp -s "$clients/package-lock.json" "$clients/node_modules/installed-lock.json"; then
        return
    fi
    if ! command -v npm >/dev/null; then
        say "npm is missing, so tests/interop will fail; on Debian and Ubuntu: apt install nodejs npm"
        return
    fi
    say "installing the JavaScript clients of tests/interop"
    if npm ci --silent --no-audit --no-fund --prefix "$clients"; then
        cp "$clients/package-lock.json" "$clients/node_modules/installed-lock.json"
    fi
}

install_browser() {
    if command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null; then
        return
    fi
    if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
        say "no browser was found, so tests/interop will fail; install chromium"
        return
    fi
    say "installing chromium for tests/interop; this takes some minutes the first time"
    if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; }; then
        say "chromium could not be installed, so tests/interop will fail"
    fi
}
