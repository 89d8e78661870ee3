// The lint must refuse this. Not compiled.
Task<void> f() {
  co_await run_blocking(pool, [&]() mutable { return x; });
}
