# ./dev setup: the Debian packages, only the missing ones, without starting a daemon.
# shellcheck shell=bash

packages_of() { awk -v g=" $* " '!/^#/ && NF == 2 && index(g, " " $1 " ") {print $2}' tools/dev/packages.list; }

missing_packages() {
  local name
  command -v dpkg-query >/dev/null || die "this is not a Debian system: dpkg-query is missing" "Ward builds on Debian 12 (bookworm)."
  for name in $(packages_of "$@"); do
    # shellcheck disable=SC2016  # ${Status} is dpkg-query's own syntax
    [ "$(dpkg-query -W -f '${Status}' "$name" 2>/dev/null)" = "install ok installed" ] || printf '%s\n' "$name"
  done
}

# need GROUP...: what a command needs; installs it when something is missing.
need() {
  local missing
  missing=$(missing_packages "$@")
  [ -z "$missing" ] || cmd_setup "$@"
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "installing packages needs root, and sudo is not there" "Run ./dev setup as root."
  fi
}

# Debian starts a server when its package is installed. policy-rc.d is its documented way to say no.
GUARD=/usr/sbin/policy-rc.d
guard_on() {
  GUARD_OURS=
  [ ! -e "$GUARD" ] || return 0  # the machine (a container image) has its own
  printf '#!/bin/sh\n# ./dev setup: no daemon starts while it installs\nexit 101\n' | as_root tee "$GUARD" >/dev/null
  as_root chmod 755 "$GUARD"
  GUARD_OURS=1
  trap guard_off EXIT
}
guard_off() {
  [ -z "${GUARD_OURS:-}" ] || as_root rm -f "$GUARD"
  GUARD_OURS=
}
# Where a machine has its own policy-rc.d that allows starts, systemd is told to leave our servers off.
keep_off() {
  local unit
  command -v systemctl >/dev/null && [ -d /run/systemd/system ] || return 0
  for unit in "$@"; do
    as_root systemctl disable --now "$unit" >/dev/null 2>&1 || true
  done
}

install_packages() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -q --no-install-recommends "$@"
}

cmd_setup() {
  local groups=("$@") group missing log=$BUILD/log/setup.log services=()
  [ ${#groups[@]} -gt 0 ] || groups=(build run)
  [ "${groups[0]}" != all ] && [ "${groups[0]}" != --all ] || groups=(build run lint bench lab)
  for group in "${groups[@]}"; do
    [ -n "$(packages_of "$group")" ] || die "there is no package group '$group'" "Groups: build run lint bench lab, or all."
  done
  if ! grep -qs '^VERSION_ID="12"' /etc/os-release; then
    say "note: this is not Debian 12; package names and versions may differ (tools/dev/packages.list)"
  fi
  missing=$(missing_packages "${groups[@]}")
  if [ -z "$missing" ]; then
    say "setup: every package of ${groups[*]} is installed"
    return 0
  fi
  say "setup: installing $(wc -l <<<"$missing") missing packages of ${groups[*]}"
  # Servers that were on this machine before are the user's own: only what this run brings is kept off.
  ! grep -qx redis-server <<<"$missing" || services+=(redis-server)
  ! grep -qx postgresql-15 <<<"$missing" || services+=(postgresql)
  mapfile -t -O ${#services[@]} services < <(grep -E '^prometheus($|-)' <<<"$missing" | grep -v -- -dev || true)
  if [ "$(id -u)" -ne 0 ] && command -v sudo >/dev/null; then
    sudo -v || die "sudo was refused" "Run ./dev setup as root."
  fi
  guard_on
  # shellcheck disable=SC2086  # one word per package is wanted
  STEP_FIX="Check the network and the apt sources (apt-get update), then run ./dev setup ${groups[*]} again." \
    run_step "apt-get install" "$log" install_packages $missing
  keep_off "${services[@]}"
  guard_off
}
