// The lint must refuse this. Not compiled.
Task<void> f() {
  Pair p{1, co_await receive()};
}
