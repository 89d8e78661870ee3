// The lint must refuse this. Not compiled.
Task<void> f() {
  co_spawn(executor, [self = shared_from_this()]() -> Task<void> { co_await self->run(); }, detached);
}
