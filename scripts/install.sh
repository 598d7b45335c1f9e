#!/bin/sh
# Installs imapd from a release: see --help.
set -eu

# The workflow of a release puts the address of its repository here.
RELEASES=${IMAPD_RELEASES:-@RELEASES@}

usage() {
    cat <<'END'
Usage: install.sh [--version VERSION] [--prefix DIR] [--dry-run]

Downloads imapd for this machine, checks it against the checksums of the release, and puts it into
DIR/bin in one step: what was there before stays until then, and where anything fails.

  --version VERSION  such as 0.1.0; the newest release by default
  --prefix DIR       /usr/local by default, or ~/.local where that may not be written to
  --dry-run          only say what would be done

IMAPD_RELEASES is the address of the releases, in place of the one that is built in.
END
}

say() { printf '%s\n' "$*"; }

fail() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

platform() {
    system=$(uname -s)
    machine=$(uname -m)
    case $system in
    Linux) system=linux ;;
    Darwin) system=macos ;;
    *) fail "Expected Linux or macOS, got $system" ;;
    esac
    case $machine in
    x86_64 | amd64) machine=x86_64 ;;
    aarch64 | arm64) machine=aarch64 ;;
    *) fail "Expected a processor with x86-64 or arm64, got $machine" ;;
    esac
    if [ "$system" = linux ] && ldd --version 2>&1 | grep -qi musl; then
        fail "Expected a Linux with glibc, got one with musl, such as Alpine, for which Deno has no runtime"
    fi
    # A shell that is translated from x86-64 says so of the machine.
    if [ "$system" = macos ] && [ "$(sysctl -n sysctl.proc_translated 2>/dev/null)" = 1 ]; then
        machine=aarch64
    fi
    printf '%s-%s\n' "$system" "$machine"
}

check_address() {
    case $RELEASES in
    https://*) ;;
    http://127.0.0.1:* | http://localhost:*) ;;
    *) fail "Expected the releases at https://, got $RELEASES: set IMAPD_RELEASES" ;;
    esac
    has curl || has wget || fail "Expected curl or wget, got neither"
}

# download URL FILE
download() {
    case $1 in
    https://*) only_https=1 ;;
    *) only_https= ;;
    esac
    if has curl; then
        curl --fail --silent --show-error --location ${only_https:+--proto =https --tlsv1.2} \
            --retry 2 --output "$2" "$1"
    else
        wget --quiet ${only_https:+--https-only} --output-document "$2" "$1"
    fi || fail "Could not download $1: nothing was changed"
}

sha256() {
    if has sha256sum; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

# verify NAME FILE SUMS
verify() {
    expected=$(awk -v name="$1" '$2 == name || $2 == "*" name { print $1 }' "$3")
    [ -n "$expected" ] || fail "Expected a checksum of $1 in SHA256SUMS, got none: nothing was changed"
    actual=$(sha256 "$2")
    [ "$actual" = "$expected" ] ||
        fail "Expected $1 with the SHA-256 $expected, got $actual: nothing was changed"
}

clean_up() {
    [ -z "${work:-}" ] || rm -rf "$work"
    [ -z "${staged:-}" ] || rm -f "$staged"
}

default_prefix() {
    if [ -w /usr/local/bin ] || { [ ! -e /usr/local/bin ] && [ -w /usr/local ]; }; then
        say /usr/local
    else
        say "$HOME/.local"
    fi
}

# install_from URL NAME VERSION FOLDER
install_from() {
    work=$(mktemp -d)
    download "$1/SHA256SUMS" "$work/SHA256SUMS"
    download "$1/$2" "$work/$2"
    verify "$2" "$work/$2" "$work/SHA256SUMS"
    mkdir -p "$4"
    # Beside the old one, so that it can take its place in one step.
    staged=$(mktemp "$4/.imapd.XXXXXX")
    gzip -dc "$work/$2" >"$staged"
    chmod 755 "$staged"
    got=$("$staged" --version) || fail "The program does not run on this machine: nothing was changed"
    [ -z "$3" ] || [ "$got" = "imapd $3" ] ||
        fail "Expected imapd $3, got $got: nothing was changed"
    mv -f "$staged" "$4/imapd"
    say "Installed $got as $4/imapd"
}

next_steps() {
    case :$PATH: in
    *":$1:"*) ;;
    *) say "Put $1 into your PATH" ;;
    esac
    if [ -e /etc/imapd/config.toml ]; then
        say "Next: sudo $1/imapd check && sudo systemctl restart imapd"
    else
        say "Next: sudo $1/imapd init"
    fi
}

main() {
    version='' prefix='' dry_run=''
    while [ $# -gt 0 ]; do
        case $1 in
        --version | --prefix)
            [ -n "${2:-}" ] || fail "Expected a value after $1, got none"
            if [ "$1" = --version ]; then version=${2#v}; else prefix=$2; fi
            shift 2
            ;;
        --dry-run)
            dry_run=1
            shift
            ;;
        -h | --help)
            usage
            exit 0
            ;;
        *) fail "Unknown option $1: see --help" ;;
        esac
    done
    case $version in *[!0-9A-Za-z.+-]*) fail "Expected a version such as 0.1.0, got $version" ;; esac
    name=imapd-$(platform).gz || exit 1
    check_address
    folder=${prefix:-$(default_prefix)}/bin
    url=$RELEASES/${version:+download/v}${version:-latest/download}
    if [ -n "$dry_run" ]; then
        say "Would download $url/$name, check it against $url/SHA256SUMS, and install $folder/imapd"
        exit 0
    fi
    trap clean_up EXIT
    trap 'exit 1' HUP INT TERM
    install_from "$url" "$name" "$version" "$folder"
    next_steps "$folder"
}

# At the end, so that a script which came only in part does nothing.
main "$@"
