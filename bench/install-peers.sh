#!/bin/sh
# Installs what the benchmarks compare Ecru with: Debian packages when run as root on Debian, current distribution
# into bench/.cache/bin when Go is here. Whatever cannot be had is named, and the benchmarks run without it.
set -u
cd "$(dirname "$0")" || exit 1
bin=$PWD/.cache/bin
mkdir -p "$bin"

have() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || [ -x "$bin/$1" ]; }
missing() { echo "missing: $1" >&2; }

packages=
have curl || packages="$packages curl"
have openssl || packages="$packages openssl"
have wrk || packages="$packages wrk"
have nginx || packages="$packages nginx-light"
have docker-registry || packages="$packages docker-registry"
if [ -n "$packages" ]; then
  # The packages of servers would start them; a policy that says no keeps the ports free.
  if have apt-get && [ "$(id -u)" = 0 ]; then
    policy=/usr/sbin/policy-rc.d
    [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy" && made_policy=yes; }
    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $packages || missing "$packages"
    [ "${made_policy:-}" = yes ] && rm -f "$policy"
  else
    missing "$packages (run as root on Debian or Ubuntu, or install them by hand)"
  fi
fi

if ! have registry; then
  if have go; then
    GOBIN="$bin" CGO_ENABLED=0 go install github.com/distribution/distribution/v3/cmd/registry@v3.1.2 || missing distribution
  else
    missing "distribution (go install builds it, and there is no Go here)"
  fi
fi
have zot || missing "zot: put the program of its minimal release into $bin, or anywhere on PATH, as \"zot\""
