// The lint must refuse this. Not compiled.
Task<void> f() {
  co_return Pair{co_await receive(), 2};
}
