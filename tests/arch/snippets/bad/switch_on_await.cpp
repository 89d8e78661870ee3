// The lint must refuse this. Not compiled.
Task<void> f() {
  switch (co_await receive()) { case 1: break; }
}
