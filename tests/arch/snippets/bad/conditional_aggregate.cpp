// The lint must refuse this. Not compiled.
Task<void> f() {
  co_await send(big ? Options{1} : options);
}
