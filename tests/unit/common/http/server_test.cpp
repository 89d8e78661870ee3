#include <sstream>

#include "common/base/time.hpp"
#include "tests/unit/common/http/loop.hpp"

namespace ward::http {
namespace {
using namespace std::chrono_literals;
using namespace std::string_literals;

struct ServerTest : Loop {
  std::unique_ptr<Server> server;
  std::vector<ServerRequest> seen;
  asio::steady_timer release{io, asio::steady_timer::time_point::max()};

  ~ServerTest() override {
    if (server) run(server->stop());
  }
  void start(ServerOptions options = {}) {
    auto handler = [this](ServerRequest request) { return reply(this, std::move(request)); };
    server = make_server(io.get_executor(), std::move(options), handler);
    const auto started = server->start();
    ASSERT_TRUE(started) << describe(started.error());
  }
  static async::Task<ServerResponse> reply(ServerTest* test, ServerRequest request) {
    ServerResponse response;
    response.body = "{}";
    if (request.path == "/throws") throw std::runtime_error("canary");
    if (request.path == "/split") response.headers = {{"X", "a\r\nEvil: 1"}};
    if (request.path == "/none") response.status = 204;
    const bool wait = request.path == "/slow";
    test->seen.push_back(std::move(request));
    boost::system::error_code woken;
    if (wait) co_await test->release.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    co_return response;
  }
  tcp::socket open() {
    tcp::socket socket(io);
    socket.connect(tcp::endpoint(asio::ip::make_address("127.0.0.1"), server->port()));
    return socket;
  }
  /// Sends and reads until the server closes.
  std::string talk(std::string bytes) { return run(talk_on(open(), std::move(bytes))); }
  static async::Task<std::string> talk_on(tcp::socket socket, std::string bytes) {
    boost::system::error_code error;
    co_await asio::async_write(socket, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, error));
    std::string all;
    co_await asio::async_read(socket, asio::dynamic_buffer(all), asio::redirect_error(asio::use_awaitable, error));
    co_return all;
  }
};

TEST_F(ServerTest, AnswersSeveralRequestsOnOneConnection) {
  start();
  const auto answers = talk(
      "GET /a%20b?q=1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /c HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
      "GET /d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  ASSERT_EQ(seen.size(), 3U) << answers;
  EXPECT_EQ(seen[0].path, "/a b");
  EXPECT_EQ(seen[0].query, "q=1");
  EXPECT_EQ(seen[1].body, "abc");
  EXPECT_EQ(seen[2].header("host"), "x");
  EXPECT_TRUE(seen[2].peer.starts_with("127.0.0.1:"));
}

TEST_F(ServerTest, HeadGetsHeadersWithTheLengthOnly) {
  start();
  const auto answer = talk("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
  EXPECT_NE(answer.find("Content-Length: 2"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
}

TEST_F(ServerTest, RefusesWithAProblemDocument) {
  struct Case {
    std::string bytes;
    int status;
  };
  const std::vector<Case> table{
      {"nonsense\r\n\r\n", 400},
      {"GET / HTTP/9.9\r\n\r\n", 400},
      {"GET relative HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET http://other/ HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: nine\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n" + std::string(1001, 'x'), 413},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, 'x') + "\r\n0\r\n\r\n",
       413},
      {"GET / HTTP/1.1\r\nX: " + std::string(5000, 'x') + "\r\n\r\n", 431},
      {"GET /" + std::string(5000, 'x') + " HTTP/1.1\r\n\r\n", 431},
  };
  ServerOptions options;
  options.max_body_bytes = 1000;
  options.max_head_bytes = 4096;
  start(options);
  for (const auto& [bytes, status] : table) {
    const auto answer = talk(bytes);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + std::to_string(status))) << bytes.substr(0, 50) << "\n" << answer;
    EXPECT_NE(answer.find("application/problem+json"), std::string::npos) << answer;
    EXPECT_NE(answer.find("\"status\":" + std::to_string(status)), std::string::npos);
  }
  EXPECT_TRUE(seen.empty());
}

TEST_F(ServerTest, TakesABodyUpToItsLimit) {
  ServerOptions options;
  options.max_body_bytes = 1000;
  start(options);
  const auto answer =
      talk("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'x'));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].body.size(), 1000U);
}

TEST_F(ServerTest, AHeadDecidesWhatItsBodyMayHave) {
  ServerOptions options;
  options.max_body_bytes = 10;
  options.body_limit = [](const ServerRequest& head) {
    return head.path == "/large" && head.header("authorization") == "Bearer t" ? std::size_t{1'000} : std::size_t{10};
  };
  start(options);
  const auto status_of = [&](const std::string& path, const std::string& headers, std::size_t size) {
    const auto rest = headers + "Host: x\r\nConnection: close\r\n";
    const auto body = std::string(size, 'x');
    const auto stated =
        talk("POST " + path + " HTTP/1.1\r\n" + rest + "Content-Length: " + std::to_string(size) + "\r\n\r\n" + body);
    std::ostringstream length;
    length << std::hex << size;
    const auto chunked = talk("POST " + path + " HTTP/1.1\r\n" + rest + "Transfer-Encoding: chunked\r\n\r\n" + length.str() +
                              "\r\n" + body + "\r\n0\r\n\r\n");
    EXPECT_EQ(stated.substr(9, 3), chunked.substr(9, 3)) << stated << chunked;
    return stated.substr(9, 3);
  };
  EXPECT_EQ(status_of("/large", "Authorization: Bearer t\r\n", 1'000), "200");
  EXPECT_EQ(status_of("/large", "Authorization: Bearer t\r\n", 1'001), "413");
  EXPECT_EQ(status_of("/large", "", 1'000), "413");
  EXPECT_EQ(status_of("/other", "Authorization: Bearer t\r\n", 11), "413");
  EXPECT_EQ(status_of("/other", "", 10), "200");
}

TEST_F(ServerTest, SaysContinueToAClientThatAsks) {
  start();
  const auto answer =
      talk("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200")) << answer;
}

TEST_F(ServerTest, AnExceptionOfTheHandlerStaysInsideAndIsToldToTheLog) {
  std::vector<std::string> told;
  ServerOptions options;
  options.on_error = [&told](std::string_view what) { told.emplace_back(what); };
  start(std::move(options));
  const auto answer = talk("GET /throws HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 500")) << answer;
  EXPECT_EQ(answer.find("canary"), std::string::npos);
  EXPECT_EQ(told, std::vector<std::string>{"canary"});
}

TEST_F(ServerTest, AHandlersHeaderCannotSplitTheAnswer) {
  start();
  const auto answer = talk("GET /split HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 500")) << answer;
  EXPECT_EQ(answer.find("Evil"), std::string::npos);
}

TEST_F(ServerTest, NoContentHasNeitherBodyNorLength) {
  start();
  const auto answer = talk("GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 204")) << answer;
  EXPECT_EQ(answer.find("Content-Length"), std::string::npos) << answer;
}

TEST_F(ServerTest, ClosesSilentAndSlowClients) {
  ServerOptions options;
  options.idle_timeout = 50ms;
  start(options);
  EXPECT_EQ(talk(""), "");
  EXPECT_EQ(talk("GET / HTTP/1.1\r\nHost"), "");
  EXPECT_EQ(talk("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf"), "");
}

TEST_F(ServerTest, ClosesConnectionsPastItsCap) {
  ServerOptions options;
  options.max_connections = 1;
  start(options);
  auto first = open();
  asio::write(first, asio::buffer(std::string("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")));
  while (seen.empty()) io.run_one();
  EXPECT_EQ(talk("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), "");
  release.cancel();
}

TEST_F(ServerTest, StopLetsARunningRequestFinishAndClosesIdleOnes) {
  start();
  auto idle = open();
  auto busy = open();
  asio::write(busy, asio::buffer(std::string("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")));
  while (seen.empty()) io.run_one();
  bool stopped = false;
  asio::co_spawn(io, server->stop(), [&](std::exception_ptr) { stopped = true; });
  io.poll();
  EXPECT_FALSE(stopped);
  release.cancel();
  const auto answer = run(talk_on(std::move(busy), ""));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
  EXPECT_NE(answer.find("Connection: close"), std::string::npos) << answer;
  EXPECT_EQ(run(talk_on(std::move(idle), "")), "");
  while (!stopped) io.run_one();
}

/// Lets the server run until something holds; a condition that never does fails.
template <class Condition>
void until(asio::io_context& io, Condition holds) {
  for (int i = 0; i < 2000 && !holds(); ++i) {
    io.restart();
    io.run_one_for(5ms);
  }
  ASSERT_TRUE(holds());
}

TEST_F(ServerTest, TellsARunningRequestThatItsClientLeft) {
  start();
  auto socket = open();
  asio::write(socket, asio::buffer("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"s));
  until(io, [&] { return seen.size() == 1; });
  ASSERT_TRUE(seen[0].gone);
  EXPECT_FALSE(*seen[0].gone);
  socket.close();
  until(io, [&] { return seen[0].gone->load(); });
  release.cancel();
}

TEST_F(ServerTest, TakesTheNextRequestForNoDeparture) {
  start();
  auto answers = talk_on(open(),
                         "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"
                         "GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  std::string all;
  asio::co_spawn(io, std::move(answers), [&](const std::exception_ptr&, std::string text) { all = std::move(text); });
  until(io, [&] { return seen.size() == 1; });
  for (int i = 0; i < 5; ++i) {
    io.restart();
    io.poll();
  }
  EXPECT_FALSE(*seen[0].gone);
  release.cancel();
  until(io, [&] { return !all.empty(); });
  EXPECT_EQ(seen.size(), 2U);
}

TEST_F(ServerTest, WatchesEachRequestOfAConnection) {
  start();
  auto socket = open();
  asio::write(socket, asio::buffer("GET /a HTTP/1.1\r\nHost: x\r\n\r\n"s));
  std::string answer;
  bool answered = false;
  asio::async_read_until(socket, asio::dynamic_buffer(answer), "{}",
                         [&](boost::system::error_code, std::size_t) { answered = true; });
  until(io, [&] { return answered; });
  asio::write(socket, asio::buffer("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"s));
  until(io, [&] { return seen.size() == 2; });
  EXPECT_FALSE(*seen[1].gone);
  socket.close();
  until(io, [&] { return seen[1].gone->load(); });
  EXPECT_FALSE(*seen[0].gone) << "that one was answered";
  release.cancel();
}

TEST_F(ServerTest, NamesAnAddressThatIsTaken) {
  start();
  ServerOptions options;
  options.address = "127.0.0.1:" + std::to_string(server->port());
  const auto second = make_server(io.get_executor(), options,
                                  [](ServerRequest) -> async::Task<ServerResponse> { co_return ServerResponse{}; });
  const auto started = second->start();
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().what.find(options.address + ": another program uses"), std::string::npos)
      << started.error().what;
}

}  // namespace
}  // namespace ward::http
