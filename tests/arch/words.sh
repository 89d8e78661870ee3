#!/usr/bin/env bash
# Words that do not belong into the repository: paths of one machine, unfinished work in code, std::regex (it backtracks:
# a pattern from a user can stop the collector; RE2 cannot), awaitable_operators (unsafe across threads: async::within).
# usage: words.sh ROOT
set -euo pipefail
cd "${1:?usage: words.sh ROOT}"
failed=0
if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
  mapfile -t files < <(git ls-files --cached --others --exclude-standard)
else  # an unpacked archive
  mapfile -t files < <(find . -type f -not -path './.git/*' -not -path './build/*' -not -path './.ward/*' -printf '%P\n')
fi
here='^tests/arch/(words\.sh|world\.sh)$'  # they name what they refuse

refuse() { # refuse WHY PERL_REGEX PATH_REGEX
  local found
  found=$(printf '%s\n' "${files[@]}" | grep -P "$3" | grep -vP "$here" | tr '\n' '\0' | xargs -0r grep -nIP -- "$2" /dev/null 2>/dev/null || true)
  if [ -n "$found" ]; then
    printf '%s\n  ^ %s\n' "$found" "$1"
    failed=1
  fi
}

code='\.(cpp|hpp|sh|cmake|py|ts|tsx|js)$|(^|/)CMakeLists\.txt$|^dev$|^\.ci/'
# The way to a home or a workplace; /root and /home as mount points that probes know of are not followed by a name.
refuse "a path of one machine. Use a path below the repository, or \$WARD_ROOT." '(?<![\w.\$}])/(work|farm)/[\w.]|(?<![\w.])/home/\w+/\w|(?<![\w.])/root/[\w.]' '.'
refuse "unfinished work. Do it, or write it down as an issue." '\b(TODO|FIXME|XXX|HACK)\b' "$code"
refuse "std::regex backtracks. Use RE2." '\bstd::(w?regex|regex_(match|search|replace))\b|#include <regex>' '\.(cpp|hpp)$'
refuse "awaitable_operators are unsafe across threads. Use async::within()." '\bawaitable_operators\b' '^(?!common/async/within\.hpp$).*\.(cpp|hpp)$'
refuse "a test that skips hides what it cannot show. Start what it needs, or label it lab." '\bGTEST_SKIP\b' '^tests/(unit|failure|sim|integration)/'
refuse "a name that tests running beside it share. Use test::TempDir." '\btesting::TempDir\(|\bmkdtemp\(' '^tests/(?!support/temp_dir\.hpp$).*\.(cpp|hpp)$'
exit "$failed"
