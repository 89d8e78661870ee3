# ./dev fmt, lint, docs.
# shellcheck shell=bash

# The snippets of tests/arch are wrong on purpose.
sources() { git ls-files '*.cpp' '*.hpp' ':!tests/arch/snippets'; }
shell_scripts() { git ls-files dev .ci/run '*.sh'; }

# Changed since the branch left the main line; on the main line itself, what the last commit and the working tree changed.
changed_sources() {
  local base
  base=$(git merge-base HEAD origin/HEAD 2>/dev/null || true)
  if [ -z "$base" ] || [ "$base" = "$(git rev-parse HEAD)" ]; then
    base=$(git rev-parse -q --verify HEAD~1 2>/dev/null || git hash-object -t tree /dev/null)
  fi
  {
    git diff --name-only --diff-filter=d "$base" -- '*.cpp' ':!tests/arch/snippets'
    git ls-files --others --exclude-standard '*.cpp' ':!tests/arch/snippets'
  } | sort -u
}

cmd_fmt() {
  need lint
  sources | xargs -r clang-format -i
  say "formatted $(sources | wc -l) files"
}

lint_format() { sources | xargs -r clang-format --dry-run -Werror; }
lint_shell() { shell_scripts | xargs -r shellcheck -x; }
lint_arch() {
  local script
  for script in tests/arch/{file_length,gcc12_coroutines,words,world}.sh; do
    bash "$script" "$WARD_ROOT" || return 1
  done
}
lint_tidy() { xargs -r -P "$(nproc)" -n 4 clang-tidy --quiet -p "$BUILD/clang"; }

# docs/reference from the lists the programs themselves use; arch.reference_is_current fails when it is old.
cmd_docs() {
  build_preset dev ward-reference
  bash tests/arch/reference.sh "$WARD_ROOT" "$(program_path dev ward-reference)" write
  say "docs/reference is current"
}

cmd_lint() {
  local files
  need lint
  STEP_FIX="Run ./dev fmt." run_step "clang-format" "$BUILD/log/lint-format.log" lint_format
  run_step "shellcheck" "$BUILD/log/lint-shell.log" lint_shell
  run_step "architecture" "$BUILD/log/lint-arch.log" lint_arch
  if [ "${1:-}" = --all ]; then files=$(sources | grep 'cpp$'); else files=$(changed_sources); fi
  if [ -n "$files" ]; then
    configure clang  # clang-tidy needs Clang's own command lines
    printf '%s\n' "$files" >"$BUILD/log/lint-files.txt"
    run_step "clang-tidy, $(wc -l <<<"$files") files" "$BUILD/log/lint-tidy.log" lint_tidy <"$BUILD/log/lint-files.txt"
  fi
}
