#!/usr/bin/env bash
# One idea a file: a .cpp or .hpp above 400 lines gets a warning, above 600 it fails.
# usage: file_length.sh ROOT
set -euo pipefail
cd "${1:?usage: file_length.sh ROOT}"
find common probes agent collector cli tests tools \( -name '*.cpp' -o -name '*.hpp' \) -exec wc -l {} + | awk '
  $2 == "total" {next}
  $1 > 600 {print $2 ": " $1 " lines, more than 600. Split it by idea."; bad = 1; next}
  $1 > 400 {print $2 ": " $1 " lines, more than 400: does it hold two ideas?"}
  END {exit bad}'
