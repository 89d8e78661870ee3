#pragma once
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/net/listener.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/unit/common/wire/session_fakes.hpp"

namespace ward::agent {

/// A collector on a loopback port that does what a test tells it, and answers by the protocol's own machine.
class CollectorPeer {
 public:
  struct Taken {
    Incarnation stream;
    std::uint64_t seq = 0;
    friend bool operator==(const Taken&, const Taken&) = default;
  };

  CollectorPeer(boost::asio::io_context& io, const Clock& clock, net::TlsContext tls = nullptr)
      : io_(io),
        clock_(clock),
        listener_(io.get_executor(), options(std::move(tls)), accepted(), [](const auto&, const auto&) {}) {
    if (const auto started = listener_.start(); !started) throw std::runtime_error(started.error().what);
  }

  // What it does.
  std::uint64_t credit = 1 << 20;
  std::uint64_t life = 7;
  bool commits = true;              ///< acknowledges what it took
  bool welcomes = true;             ///< answers HELLO
  bool slams = false;               ///< closes each connection at once
  std::optional<std::string> says;  ///< these bytes, instead of the protocol

  // What it saw.
  int connections = 0;
  std::vector<wire::Hello> hellos;
  std::vector<Taken> taken;
  std::vector<std::string> described;
  std::string refused;  ///< why it ended the last session

  [[nodiscard]] net::Endpoint endpoint() const { return {"127.0.0.1", listener_.port()}; }
  [[nodiscard]] std::vector<std::uint64_t> sequences() const {
    std::vector<std::uint64_t> out;
    for (const auto& one : taken) out.push_back(one.seq);
    return out;
  }
  void cut() {
    for (auto& visit : visits_)
      if (visit.connection) visit.connection->close();
  }
  [[nodiscard]] bool idle() const {
    return std::all_of(visits_.begin(), visits_.end(), [](const auto& visit) { return visit.done; });
  }
  async::Task<void> stop() {
    cut();
    return listener_.stop();
  }

 private:
  struct Visit {
    std::unique_ptr<net::Connection> connection;
    wire::FakePort port;
    std::unique_ptr<wire::CollectorSession> session;
    bool done = false;
  };

  static net::ListenerOptions options(net::TlsContext tls) {
    net::ListenerOptions out;
    out.tls = std::move(tls);
    return out;
  }
  net::Listener::OnConnection accepted() {
    return [this](std::unique_ptr<net::Connection> connection) {
      ++connections;
      auto& visit = visits_.emplace_back();
      visit.connection = std::move(connection);
      wire::CollectorSession::Options session;
      session.life = life;
      visit.session = std::make_unique<wire::CollectorSession>(session, visit.port, clock_.mono());
      boost::asio::co_spawn(io_, serve(&visit), [](const std::exception_ptr&) {});
    };
  }

  async::Task<void> serve(Visit* visit) {
    try {
      if (says) {
        const std::vector<std::uint8_t> bytes(says->begin(), says->end());
        co_await visit->connection->write(bytes);
      }
      std::vector<std::uint8_t> buffer(16 << 10);
      while (!slams) {
        const auto n = co_await visit->connection->read(buffer);
        if (n == 0) break;
        if (says) continue;
        const auto heard = visit->session->on_bytes({buffer.data(), n}, clock_.mono(), clock_.wall());
        if (!heard) {
          refused = heard.error().what;
          break;
        }
        answer(*visit);
        const auto out = visit->session->take_output();
        if (welcomes && !out.empty()) co_await visit->connection->write(out);
      }
    } catch (const boost::system::system_error&) {  // cut
    }
    visit->connection->close();
    visit->done = true;
  }

  void answer(Visit& visit) {
    auto& port = visit.port;
    auto& session = *visit.session;
    if (port.greeted && !session.open()) {
      hellos.push_back(*port.greeted);
      std::vector<wire::Mark> marks;
      for (const auto& stream : port.greeted->streams) marks.push_back(marks_[stream.incarnation]);
      session.welcome(std::move(marks), credit, clock_.wall());
    }
    for (const auto& entry : port.described) described.push_back(entry.name);
    port.described.clear();
    for (const auto& [index, record, refused_samples] : port.records) {
      const auto& stream = session.hello().streams.at(index).incarnation;
      taken.push_back({stream, record.seq.get()});
      waiting_[stream] = {record.seq, marks_[stream].accounted + record.samples.size() + refused_samples};
    }
    port.records.clear();
    if (!commits) return;
    for (std::size_t i = 0; i < session.hello().streams.size(); ++i) {
      const auto& stream = session.hello().streams[i].incarnation;
      const auto found = waiting_.find(stream);
      if (found == waiting_.end()) continue;
      marks_[stream] = found->second;
      waiting_.erase(found);
      session.committed(static_cast<wire::StreamIndex>(i), marks_[stream].durable);
    }
  }

  boost::asio::io_context& io_;
  const Clock& clock_;
  std::list<Visit> visits_;
  std::map<Incarnation, wire::Mark> marks_;    // committed
  std::map<Incarnation, wire::Mark> waiting_;  // taken and not committed
  net::Listener listener_;
};

}  // namespace ward::agent
