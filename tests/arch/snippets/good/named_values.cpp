// Every form that is fine: the lint must stay silent here. Not compiled.
// co_await f(Agg{1}) in a comment is nothing, and neither is "co_await f(Agg{1})" in a string.
Task<int> plain() {
  Options options{.size = 3};
  co_await send(std::move(options));
  const auto text = std::string("co_await send(Options{1})");
  auto job = [text] { return text.size(); };
  const auto size = co_await run_blocking(pool, std::move(job));
  const auto kind = co_await receive();
  switch (kind) {
    case Kind::a: co_return 1;
    case Kind::b: break;
  }
  if (co_await ready()) {
    co_return 2;
  }
  for (auto i = 0; i < 3; ++i) {
    co_await step(i, [](int x) { return x; });
  }
  try {
    co_await timer.async_wait(redirect_error(use_awaitable, ec));
  } catch (const std::exception&) {
    co_return 3;
  }
  co_await sleep_for(std::chrono::milliseconds{20});
  const auto first = co_await values[0].get();
  Pair both{first, size};
  co_spawn(executor, session(std::move(both)), [this](std::exception_ptr e) { finished(e); });
  auto empty = []() -> Task<void> { co_await step(1); };
  co_return first;
}
struct Thing {
  Task<void> member() const { co_await step(1); }
  Task<Result<int>> other() override {
    co_return co_await step(2);
  }
  char quote = '{';
};
