// The lint must refuse this. Not compiled.
Task<void> f() {
  co_await send(socket, ward::wire::Options{1, 2});
}
