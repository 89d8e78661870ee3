#!/bin/bash
# agree.sh WARDCTL FOLDER: promtool and wardctl judge every test file of the folder alike. A file says in its name what it is
# for: pass_* passes with both, fail_* fails with both.
set -u
wardctl=$1
cd "$2" || exit 2
wrong=0
count=0
for file in *.test.yaml; do
  case $file in
    pass_*) expected=0 ;;
    fail_*) expected=1 ;;
    *) echo "$file: its name begins neither with pass_ nor with fail_"; wrong=1; continue ;;
  esac
  theirs=$(promtool test rules "$file" 2>&1); their_code=$?
  ours=$("$wardctl" test "$file" 2>&1); our_code=$?
  count=$((count + 1))
  if [ "$their_code" -ne "$expected" ] || [ "$our_code" -ne "$expected" ]; then
    wrong=1
    printf '%s: expected %s\n--- promtool says %s\n%s\n--- wardctl says %s\n%s\n' "$file" "$expected" "$their_code" "$theirs" "$our_code" "$ours"
  fi
done
echo "$count test files compared"
[ $count -gt 20 ] || { echo "that is too few"; wrong=1; }
exit $wrong
