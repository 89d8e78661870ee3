# ./dev build, test, sanitize, kills, fuzz, diff, bench, clean.
# shellcheck shell=bash

preset_exists() { grep -q "\"name\": \"$1\", \"inherits\"" CMakePresets.json; }

configure() { # configure PRESET
  preset_exists "$1" || die "there is no preset '$1'" "Presets: dev release bench test asan tsan clang fuzz."
  need build
  case $1 in
    clang | fuzz) need lint ;;
    bench) need bench ;;
  esac
  [ -f "$BUILD/$1/build.ninja" ] || run_step "configure $1" "$BUILD/log/configure-$1.log" cmake --preset "$1"
}

# build_preset PRESET [TARGET...]
build_preset() {
  local preset=$1
  shift
  configure "$preset"
  STEP_FIX="Mend the first error in the log, then run ./dev build $preset again." \
    run_step "build $preset" "$BUILD/log/build-$preset.log" cmake --build "$BUILD/$preset" --parallel "$(nproc)" ${1:+--target "$@"}
}

# test_programs PRESET REGEX: the targets of a preset's test programs.
test_programs() {
  ninja -C "$BUILD/$1" -t targets all 2>/dev/null | sed -n 's/^\(ward_[a-z0-9_]*\): phony$/\1/p' | grep -E "$2" | sort -u || true
}
program_path() { find "$BUILD/$1" -type f -name "$2" -perm -u+x | head -n 1; }

# GCC 12 miscompiles some coroutine forms, and only the address sanitizer sees it at run time: in freed frames too.
sanitizer_options() {
  export ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=halt_on_error=1
  export LSAN_OPTIONS=print_suppressions=0:suppressions=$WARD_ROOT/tests/support/known_leaks.txt
}

# run_programs PRESET NAME...: each test program once; the output is shown only when it fails.
run_programs() {
  local preset=$1 name failed=0
  shift
  sanitizer_options
  for name in "$@"; do
    if ! "$(program_path "$preset" "$name")" --gtest_brief=1 >"$BUILD/log/$preset-$name.log" 2>&1; then
      tail -n 40 "$BUILD/log/$preset-$name.log"
      say "  $preset: $name FAILED, log $(relative "$BUILD/log/$preset-$name.log")"
      failed=1
    fi
  done
  return "$failed"
}

cmd_build() {
  local preset=${1:-release}
  [ $# -eq 0 ] || shift
  build_preset "$preset" "$@"
}
cmd_clean() { rm -rf "${BUILD:?}"; }

cmd_test() {
  local preset=test
  if [ "${1:-}" = --quick ]; then
    preset=dev
    shift
  fi
  need build run
  build_preset "$preset"
  sanitizer_options
  # The servers of Debian's PostgreSQL are not on the PATH; integration tests start them on free ports. One more test than
  # processors runs at a time: many only wait.
  PATH=$PATH:/usr/lib/postgresql/15/bin ctest --test-dir "$BUILD/$preset" -j"$(($(nproc) + 1))" --output-on-failure "$@"
}

cmd_sanitize() {
  local preset=${1:-asan} programs
  case $preset in
    asan | tsan | clang) ;;
    *) die "there is no sanitizer preset '$preset'" "Choose asan, tsan or clang." ;;
  esac
  configure "$preset"
  mapfile -t programs < <(test_programs "$preset" '^ward_(unit|failure|sim|fuzz)_')
  build_preset "$preset" "${programs[@]}"
  run_programs "$preset" "${programs[@]}" || die "tests fail under preset $preset" "The report above names the line; run the program of build/$preset alone to repeat it."
  say "  $preset: ${#programs[@]} test programs passed"
}

# The same tests run two rounds each under ctest.
cmd_kills() {
  local rounds=${1:-50}
  [[ $rounds =~ ^[1-9][0-9]*$ ]] || die "'$rounds' is no number of rounds" "Run ./dev kills, or ./dev kills 200."
  need build run
  build_preset dev ward-agent ward-collector wardctl ward_e2e_e2e
  WARD_KILL_ROUNDS=$rounds "$(program_path dev ward_e2e_e2e)" --gtest_filter='KillRounds.*:NextLevel.*:SecondChannel.*:TwoCollectors.*'
}

# Each target starts from its committed corpus; what is new goes to build/fuzz/corpus.
cmd_fuzz() {
  local wanted='' seconds=60 programs name
  while [ $# -gt 0 ]; do
    case $1 in
      --seconds) seconds=${2:?--seconds needs a number}; shift 2 ;;
      *) wanted=$1; shift ;;
    esac
  done
  configure fuzz
  mapfile -t programs < <(test_programs fuzz "^ward_fuzz_${wanted:+${wanted#ward_fuzz_}\$}")
  [ ${#programs[@]} -gt 0 ] || die "there is no fuzz target '${wanted:-ward_fuzz_*}'" "Targets live in tests/fuzz."
  build_preset fuzz "${programs[@]}"
  for name in "${programs[@]}"; do
    mkdir -p "$BUILD/fuzz/corpus/$name"
    STEP_FIX="The crashing input is beside the log; repeat with build/fuzz: $name FILE. Mend it and add it to tests/data/fuzz." \
      run_step "fuzz $name, $seconds s" "$BUILD/log/$name.log" "$(program_path fuzz "$name")" -max_total_time="$seconds" \
      -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$BUILD/log/$name-" "$BUILD/fuzz/corpus/$name" \
      "tests/data/fuzz/${name#ward_fuzz_}"
  done
}

cmd_diff() {
  need build run bench
  build_preset dev ward_answer_queries
  WARD_BUILD=$BUILD/dev tests/differential/run.sh "$@"
}

# A benchmark is tests/bench/NAME.sh (a scenario with its peer; gets WARD_BUILD and passes --json FILE on) or the Google
# Benchmark program ward_bench_NAME.
cmd_bench() {
  local name='' json='' all=() programs
  while [ $# -gt 0 ]; do
    case $1 in
      --json) json=$(realpath -m "${2:?--json needs a file}"); shift 2 ;;
      *) name=$1; shift ;;
    esac
  done
  need build run bench
  configure bench
  mapfile -t all < <(find tests/bench -maxdepth 1 -name '*.sh' -printf '%f\n' | sed 's/\.sh$//' | sort)
  mapfile -t programs < <(test_programs bench '^ward_bench_')
  if [ -n "$name" ]; then
    bench_one "$name" "$json"
    return
  fi
  [ $((${#all[@]} + ${#programs[@]})) -gt 0 ] || die "there is no benchmark" "Scenarios live in tests/bench."
  for name in "${all[@]}" "${programs[@]#ward_bench_}"; do
    say "== $name"
    bench_one "$name" "${json:+${json%.json}-$name.json}"
  done
}
# bench_one NAME JSON: builds only what the benchmark runs.
bench_one() {
  if [ -f "tests/bench/$1.sh" ]; then
    build_preset bench ward-agent ward-collector wardctl
    WARD_ROOT=$WARD_ROOT WARD_BUILD=$BUILD/bench bash "tests/bench/$1.sh" ${2:+--json "$2"}
    return
  fi
  [ -n "$(test_programs bench "^ward_bench_$1\$")" ] ||
    die "there is no benchmark '$1'" "Scenarios live in tests/bench: $(find tests/bench -name '*.sh' -printf '%f ')"
  build_preset bench "ward_bench_$1"
  "$(program_path bench "ward_bench_$1")" ${2:+--benchmark_out="$2" --benchmark_out_format=json}
}
