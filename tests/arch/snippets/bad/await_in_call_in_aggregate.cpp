// The lint must refuse this. Not compiled.
Task<void> f() {
  const auto p = Pair{std::move(co_await receive())};
}
