#include <boost/asio/bind_cancellation_slot.hpp>

#include "common/base/time.hpp"
#include "tests/support/certificates.hpp"
#include "tests/unit/common/http/loop.hpp"

namespace ward::http {
namespace {
using namespace std::chrono_literals;

struct ClientTest : Loop {
  std::unique_ptr<Client> client = make_curl_client(io.get_executor());
  std::vector<ServerRequest> seen;
  std::vector<std::unique_ptr<Server>> started;

  ~ClientTest() override {
    for (auto& server : started) run(server->stop());
  }
  using Answer = std::function<ServerResponse(const ServerRequest&)>;
  std::uint16_t serve(Answer answer) {
    auto handler = [this, answer](ServerRequest request) { return reply(this, answer, std::move(request)); };
    started.push_back(make_server(io.get_executor(), ServerOptions{}, handler));
    EXPECT_TRUE(started.back()->start());
    return started.back()->port();
  }
  static async::Task<ServerResponse> reply(ClientTest* test, Answer answer, ServerRequest request) {
    auto response = answer(request);
    test->seen.push_back(std::move(request));
    co_return response;
  }
  static ServerResponse text(std::string body) { return {200, "text/plain", std::move(body), {}}; }
  static ServerResponse redirect(int status, std::string to) {
    return {status, "text/plain", "", {{"Location", std::move(to)}}};
  }
  tl::expected<Response, Failure> send(Request request) { return run(client->send(std::move(request))); }
};

TEST_F(ClientTest, GetsAnAnswerWithItsPhases) {
  const auto port = serve([](const auto&) { return ServerResponse{200, "text/plain", "fine", {{"X-One", "1"}}}; });
  Request request;
  request.url = loopback_url(port, "/web/health?db=clinic");
  request.headers = {{"X-Ask", "yes"}};
  const auto response = send(request);
  ASSERT_TRUE(response) << response.error().error.what;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "fine");
  EXPECT_EQ(response->header("x-one"), "1");
  EXPECT_EQ(response->header("content-type"), "text/plain");
  EXPECT_EQ(response->final_url, loopback_url(port, "/web/health"));
  EXPECT_EQ(response->remote_address, "127.0.0.1");
  EXPECT_GT(response->phases.connect.count(), 0);
  EXPECT_GT(response->phases.processing.count(), 0);
  EXPECT_EQ(response->phases.tls.count(), 0);
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].method, "GET");
  EXPECT_EQ(seen[0].path, "/web/health");
  EXPECT_EQ(seen[0].query, "db=clinic");
  EXPECT_EQ(seen[0].header("x-ask"), "yes");
}

TEST_F(ClientTest, SendsMethodBodyAndContentType) {
  const auto port = serve([](const auto&) { return text("ok"); });
  for (const auto* method : {"POST", "PUT", "PATCH", "DELETE"}) {
    Request request;
    request.method = method;
    request.url = loopback_url(port);
    request.body = R"({"a":1})";
    request.headers = {{"Content-Type", "application/json"}};
    ASSERT_TRUE(send(request)) << method;
    EXPECT_EQ(seen.back().method, method);
    EXPECT_EQ(seen.back().body, request.body);
    EXPECT_EQ(seen.back().header("content-type"), "application/json");
    EXPECT_EQ(seen.back().header("expect"), "");
  }
}

TEST_F(ClientTest, HeadBringsHeadersOnly) {
  const auto port = serve([](const auto&) { return text("body"); });
  Request request;
  request.method = "HEAD";
  request.url = loopback_url(port);
  for (int i = 0; i < 2; ++i) {  // twice: a body sent by mistake would break the second
    const auto response = send(request);
    ASSERT_TRUE(response);
    EXPECT_EQ(response->body, "");
    EXPECT_EQ(response->header("content-length"), "4");
  }
}

TEST_F(ClientTest, StopsReadingAtTheBodyCap) {
  const auto port = serve([](const auto&) { return text(std::string(1 << 20, 'x')); });
  Request request;
  request.url = loopback_url(port);
  request.max_body_bytes = 1000;
  const auto response = send(request);
  ASSERT_TRUE(response) << response.error().error.what;
  EXPECT_EQ(response->body.size(), 1000U);
  EXPECT_TRUE(response->truncated);
  request.max_body_bytes = 1 << 20;
  const auto whole = send(request);
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->body.size(), 1U << 20);
  EXPECT_FALSE(whole->truncated);
}

TEST_F(ClientTest, ReusesConnectionsUnlessAFreshOneIsAsked) {
  const auto port = serve([](const auto&) { return text("ok"); });
  Request request;
  request.url = loopback_url(port);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(send(request));
  EXPECT_EQ(seen[0].peer, seen[1].peer);
  request.fresh_connection = true;
  ASSERT_TRUE(send(request));
  EXPECT_NE(seen[1].peer, seen[2].peer);
}

TEST_F(ClientTest, ARedirectIsAnAnswerUnlessFollowingIsAllowed) {
  const auto port = serve([](const auto& r) { return r.path == "/old" ? redirect(302, "/new?x=1") : text("new"); });
  Request request;
  request.url = loopback_url(port, "/old?secret=1");
  EXPECT_EQ(send(request)->status, 302);
  request.max_redirects = 1;
  const auto response = send(request);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->redirects, 1);
  ASSERT_EQ(response->hops.size(), 2U);
  EXPECT_EQ(response->hops[0].url, loopback_url(port, "/old"));
  EXPECT_EQ(response->hops[0].status, 302);
  EXPECT_EQ(response->hops[1].url, loopback_url(port, "/new"));
}

TEST_F(ClientTest, CredentialsNeverFollowToAnotherOrigin) {
  const auto other = serve([](const auto&) { return text("other"); });
  const auto port = serve([other](const auto& r) {
    return r.path == "/away"   ? redirect(302, loopback_url(other))
           : r.path == "/here" ? redirect(302, "/stay")
                               : text("stay");
  });
  Request request;
  request.max_redirects = 3;
  request.headers = {
      {"Authorization", "Bearer canary"}, {"Cookie", "canary"}, {"X-Api-Key", "canary"}, {"Accept", "text/plain"}};
  request.url = loopback_url(port, "/here");
  ASSERT_TRUE(send(request));
  EXPECT_EQ(seen.back().header("authorization"), "Bearer canary") << "the same origin keeps them";
  request.url = loopback_url(port, "/away");
  ASSERT_TRUE(send(request));
  ASSERT_EQ(seen.back().path, "/");
  for (const auto& [name, value] : seen.back().headers) EXPECT_EQ(value.find("canary"), std::string::npos) << name;
  EXPECT_EQ(seen.back().header("accept"), "text/plain");
}

TEST_F(ClientTest, ABodyIsNotResentToAnotherOrigin) {
  const auto other = serve([](const auto&) { return text("other"); });
  const auto port = serve([other](const auto&) { return redirect(307, loopback_url(other)); });
  Request request;
  request.method = "POST";
  request.body = "private";
  request.max_redirects = 3;
  request.url = loopback_url(port);
  const auto response = send(request);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 307);
  EXPECT_EQ(seen.size(), 1U);
}

TEST_F(ClientTest, APinnedAddressIsUsedAndNotLeft) {
  const auto other = serve([](const auto&) { return text("other"); });
  const auto port = serve([other](const auto&) { return redirect(302, loopback_url(other)); });
  Request request;
  request.url = "http://no-such-host.invalid:" + std::to_string(port) + "/";
  request.pin_address = "127.0.0.1";
  request.max_redirects = 3;
  const auto response = send(request);
  ASSERT_TRUE(response) << response.error().error.what;
  EXPECT_EQ(response->status, 302) << "the next host's address was never checked";
  EXPECT_EQ(seen.at(0).header("host"), "no-such-host.invalid:" + std::to_string(port));
}

TEST_F(ClientTest, ResolvesNamesItself) {
  const auto port = serve([](const auto&) { return text("ok"); });
  Request request;
  request.url = "http://localhost:" + std::to_string(port) + "/";
  const auto response = send(request);
  ASSERT_TRUE(response) << response.error().error.what;
  EXPECT_GT(response->phases.resolve.count(), 0);
}

TEST_F(ClientTest, ManyRequestsRunAtOnce) {
  const auto port = serve([](const auto& r) { return text(r.path); });
  constexpr int kCount = 50;
  int done = 0;
  auto one = [](Client* with, std::string url, std::string want, int* count) -> async::Task<void> {
    Request request;
    request.url = std::move(url);
    const auto response = co_await with->send(std::move(request));
    if (response && response->body == want) ++*count;
  };
  for (int i = 0; i < kCount; ++i) {
    const auto path = "/" + std::to_string(i);
    servers.spawn("client", one(client.get(), loopback_url(port, path), path, &done));
  }
  io.restart();
  for (int i = 0; i < 5000 && done < kCount; ++i) io.run_one_for(50ms);
  EXPECT_EQ(done, kCount);
}

TEST_F(ClientTest, CancellingTheTaskEndsTheExchange) {
  const auto port = raw_server("", Then::hold);
  Request request;
  request.url = loopback_url(port);
  asio::cancellation_signal signal;
  std::optional<tl::expected<Response, Failure>> outcome;
  asio::co_spawn(
      io, client->send(request),
      asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr, auto result) { outcome = std::move(result); }));
  while (heads.empty()) io.run_one();
  signal.emit(asio::cancellation_type::terminal);
  io.restart();
  for (int i = 0; i < 100 && !outcome; ++i) io.run_one_for(10ms);
  ASSERT_TRUE(outcome);
  ASSERT_FALSE(*outcome);
  EXPECT_EQ(outcome->error().kind, FailureKind::cancelled);
  client.reset();  // nothing of the exchange may still point into the client
  io.run_for(1ms);
}

}  // namespace
}  // namespace ward::http
