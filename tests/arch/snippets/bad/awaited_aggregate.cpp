// The lint must refuse this. Not compiled.
Task<void> f() {
  co_await Wait{timer};
}
