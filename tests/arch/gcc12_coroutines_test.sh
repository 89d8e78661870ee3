#!/usr/bin/env bash
# The coroutine lint refuses each bad form and is silent on the good ones.
set -euo pipefail
cd "$(dirname "$0")"
failed=0
for file in snippets/bad/*.cpp; do
  if bash gcc12_coroutines.sh --files "$file" >/dev/null; then
    echo "not refused: tests/arch/$file"
    failed=1
  fi
done
bash gcc12_coroutines.sh --files snippets/good/*.cpp || { echo "refused although it is fine"; failed=1; }
exit "$failed"
