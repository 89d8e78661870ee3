// The lint must refuse this. Not compiled.
Task<void> f() {
  const auto n = co_await send({1, 2});
}
