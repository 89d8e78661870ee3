// The lint must refuse this. Not compiled.
Task<void> f() {
  co_await send(socket,
                Options{
                    .size = 1,
                });
}
