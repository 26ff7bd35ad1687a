#!/bin/bash
# Install the system packages that tests and PDF printing need, when they are missing: a browser, PostgreSQL, Redis, Pango and fonts, one with Chinese.
# Arguments are further programs, named like their packages: `tools/system_packages.sh wrk`.
#
# Needs root and Debian's apt. Anybody else is told what to install, and the tests that need it skip. With NEWEL_REQUIRE_SERVERS=1
# a package that stays missing is an error.
set -u

# Takes no pipe into `grep -q`: its early end would look like a failure of the program before it.
has_library() { [[ "$(ldconfig -p 2>/dev/null || /sbin/ldconfig -p)" == *"$1"* ]]; }

missing() {
  local packages=()
  [ -x "${CHROMIUM:-/usr/bin/chromium}" ] || packages+=(chromium)
  command -v initdb >/dev/null || compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null || packages+=(postgresql)
  command -v redis-server >/dev/null || packages+=(redis-server)
  has_library libpango-1.0.so || packages+=(libpango-1.0-0)
  has_library libpangoft2-1.0.so || packages+=(libpangoft2-1.0-0)
  has_library libharfbuzz-subset.so || packages+=(libharfbuzz-subset0)
  command -v fc-list >/dev/null || packages+=(fontconfig)
  compgen -G "/usr/share/fonts/truetype/*" >/dev/null || packages+=(fonts-dejavu-core)
  [ -n "$(fc-list :charset=4e2d family 2>/dev/null)" ] || packages+=(fonts-droid-fallback)
  for program in "$@"; do command -v "$program" >/dev/null || packages+=("$program"); done
  echo "${packages[*]:-}"
}

wanted=$(missing "$@")
[ -z "$wanted" ] && exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  echo "installing $wanted"
  log=$(mktemp)
  export DEBIAN_FRONTEND=noninteractive
  # Word splitting is meant: one argument per package.
  # shellcheck disable=SC2086
  { apt-get update -qq && apt-get install -qq -y --no-install-recommends $wanted; } >"$log" 2>&1 || tail -20 "$log" >&2
  rm -f "$log"
  wanted=$(missing "$@")
  [ -z "$wanted" ] && exit 0
fi

echo "Missing: $wanted. Install them (on Debian: apt-get install $wanted), or the tests that need them skip." >&2
[ "${NEWEL_REQUIRE_SERVERS:-}" = 1 ] && exit 1
exit 0
