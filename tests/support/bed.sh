# shellcheck shell=bash
# A folder for one run ($STATE) with what is started in it; all of it ends with the script. Sourced by the benchmarks and
# ./dev diff from the repository's root. Who starts more than common.sh knows of defines clean_up anew.
WARD_STATE=$(mktemp -d "${TMPDIR:-/tmp}/ward-bed.XXXXXX")
# shellcheck source=tools/dev/common.sh
. tools/dev/common.sh

clean_up() {
  local file
  for file in "$STATE"/run/*.pid; do
    [ ! -e "$file" ] || stop "$(basename "$file" .pid)"
  done
  rm -rf -- "${STATE:?}"
}
trap clean_up EXIT

http_ok() { curl -fsS -m 2 -o /dev/null "$1" 2>/dev/null; }
url() { printf 'http://127.0.0.1:%s' "$(port_of "$1")"; }
