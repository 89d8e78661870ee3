#!/usr/bin/env bash
# The outside world is injected: clocks, random numbers, sleeping, the environment and threads are touched in few files,
# everybody else gets them from app.cpp. So the simulator can run the same code on a virtual clock.
# usage: world.sh ROOT
set -euo pipefail
cd "${1:?usage: world.sh ROOT}"

# The files that are the outside world. Everything in tests/ and tools/ may do as it likes.
MAY='common/base/world\.cpp'                      # the clocks and random numbers themselves
MAY+='|common/async/blocking\.(hpp|cpp)'          # the threads for libraries that block
MAY+='|common/base/failpoint\.cpp'               # a test names in the environment where the process ends
MAY+='|common/config/secret_source\.cpp'          # a secret named by an environment variable
MAY+='|probes/data/postgres_session\.cpp'         # runs on a pool thread, where a poll(2) needs its own deadline
MAY+='|collector/store/postgres/pg_(session|lookup)\.cpp'   # the same
MAY+='|collector/leadership/leadership\.(hpp|cpp)'  # a lease is claimed while everything else is busy
MAY+='|(agent|collector|cli)(/[a-z_]+)?/main\.cpp'
readonly BANNED='\b(system_clock|steady_clock|high_resolution_clock)::now\b|\brandom_device\b|\bs?rand\s*\(|\bthis_thread::sleep|\b(usleep|nanosleep|sleep)\s*\(|\b(secure_)?getenv\b|\bstd::j?thread\b(?!::id)|\b(gettimeofday|clock_gettime|time)\s*\(\s*(nullptr|NULL|0|CLOCK)'

found=$(grep -rnP --include='*.cpp' --include='*.hpp' "$BANNED" common probes agent collector cli | grep -vP "^($MAY):" | grep -vP '^[^:]+:\d+:\s*(//|\*)' || true)
if [ -n "$found" ]; then
  echo "$found"
  echo "The outside world reaches the code through an interface: take a Clock, Random or BlockingPool from app.cpp"
  echo "(common/base/world.hpp, common/async/blocking.hpp)."
  exit 1
fi
