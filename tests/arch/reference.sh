#!/usr/bin/env bash
# docs/reference is generated: what the generator prints now is what is written there.
# usage: reference.sh ROOT GENERATOR [write]
set -euo pipefail
cd "${1:?usage: reference.sh ROOT GENERATOR [write]}"
generator=${2:?usage: reference.sh ROOT GENERATOR [write]}
status=0
page() { # page NAME ARGUMENT...: docs/reference/NAME.md from the generator
  local file=docs/reference/$1.md new
  new=$("$generator" "$@"; echo .)  # the dot keeps the last newline
  if [ "${mode:-check}" = write ]; then
    mkdir -p docs/reference
    printf '%s' "${new%.}" >"$file"
  elif ! diff -u "$file" - <<<"${new%$'\n'.}"; then
    echo "$file: out of date; run ./dev docs"
    status=1
  fi
}
mode=${3:-check}
page metrics
page alerts rules/*.yaml
exit "$status"
