// The lint must refuse this. Not compiled.
Task<void> f() {
  co_await send(std::vector<int>{1, 2});
}
