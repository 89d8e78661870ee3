// Loads a server with samples and tells what each cost it: CPU time of its process by /proc/PID/stat. Called by ingest.sh.
#include "tests/bench/ingest_load.hpp"

#include <arpa/inet.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <netinet/tcp.h>
#include <sstream>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace ward::bench {

void give_up(const std::string& why) {
  std::fprintf(stderr, "ward_load_ingest: %s\n", why.c_str());
  std::exit(1);
}

int connect_to(const LoadOptions& options) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(options.port);
  if (::inet_pton(AF_INET, options.host.c_str(), &address.sin_addr) != 1) give_up("the host is no IPv4 address");
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0 || ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    give_up("no connection to port " + std::to_string(options.port) + ": " + std::strerror(errno));
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

void send_all(int socket, const void* bytes, std::size_t size) {
  for (const auto* at = static_cast<const char*>(bytes); size > 0;) {
    const auto sent = ::send(socket, at, size, MSG_NOSIGNAL);
    if (sent <= 0) give_up(std::string("the server does not take more: ") + std::strerror(errno));
    at += sent;
    size -= static_cast<std::size_t>(sent);
  }
}

namespace {

struct Process {
  double user = 0, system = 0;  ///< s
  long resident = 0, peak = 0;  ///< KiB
};

Process read_process(const std::string& pid) {
  Process out;
  std::ifstream stat("/proc/" + pid + "/stat");
  std::string line;
  std::getline(stat, line);
  std::istringstream rest(line.substr(std::min(line.size(), line.rfind(')') + 1)));
  std::string skipped;
  for (int field = 3; field < 14; ++field) rest >> skipped;
  rest >> out.user >> out.system;
  if (!rest) give_up("there is no process " + pid);
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  out.user /= ticks;
  out.system /= ticks;
  std::ifstream status("/proc/" + pid + "/status");
  while (std::getline(status, line)) {
    if (line.starts_with("VmHWM:")) out.peak = std::atol(line.c_str() + 6);
    if (line.starts_with("VmRSS:")) out.resident = std::atol(line.c_str() + 6);
  }
  return out;
}

using Sender = LoadCounts (*)(const LoadOptions&, const IngestData&, std::size_t, Marks&);

/// Back enough for the newest sample to be of now: whoever looks at the wall clock sees nothing of the future.
Time first_time(const LoadOptions& options) {
  const auto rounds = static_cast<std::int64_t>(options.samples / options.series + options.warm_rounds + 2);
  const auto now = std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
  return now - IngestData::kInterval * rounds;
}

void run(const LoadOptions& options, const std::string& pid, Sender sender) {
  const IngestData data(options.series, first_time(options));
  Marks marks(options);
  std::vector<LoadCounts> counts(options.connections);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < options.connections; ++i)
    threads.emplace_back([&, i] { counts[i] = sender(options, data, i, marks); });
  const auto idle = read_process(pid);
  marks.meet();
  // What the series cost to make; a moment, so that what the server does behind its answers is not counted.
  std::this_thread::sleep_for(std::chrono::seconds{1});
  const auto before = read_process(pid);
  const auto begin = std::chrono::steady_clock::now();
  marks.start();
  marks.meet();
  for (auto& thread : threads) thread.join();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const auto after = read_process(pid);
  LoadCounts all;
  for (const auto& each : counts) {
    all.samples += each.samples;
    all.requests += each.requests;
    all.sent_bytes += each.sent_bytes;
  }
  const double cpu = after.user - before.user + after.system - before.system;
  std::printf(
      "{\"samples\": %llu, \"requests\": %llu, \"sent_bytes\": %llu, \"seconds\": %.3f, \"user_s\": %.2f, \"system_s\": "
      "%.2f, "
      "\"samples_per_cpu_s\": %.0f, \"samples_per_s\": %.0f, \"series\": %zu, \"warm_cpu_s\": %.2f, \"idle_rss_kib\": %ld, "
      "\"rss_kib\": %ld, \"peak_rss_kib\": %ld}\n",
      static_cast<unsigned long long>(all.samples), static_cast<unsigned long long>(all.requests),
      static_cast<unsigned long long>(all.sent_bytes), took.count(), after.user - before.user, after.system - before.system,
      cpu > 0 ? static_cast<double>(all.samples) / cpu : 0, static_cast<double>(all.samples) / took.count(), options.series,
      before.user - idle.user + before.system - idle.system, idle.resident, after.resident, after.peak);
}

}  // namespace
}  // namespace ward::bench

int main(int argc, char** argv) {
  using namespace ward::bench;
  LoadOptions options;
  std::string pid;
  Sender sender = nullptr;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--remote-write") {
      sender = write_remotely;
      continue;
    }
    if (name == "--stream") {
      sender = stream_records;
      continue;
    }
    if (++i == argc) give_up("an option has no value");
    const auto number = std::strtoull(argv[i], nullptr, 10);
    if (name == "--port")
      options.port = static_cast<std::uint16_t>(number);
    else if (name == "--pid")
      pid = argv[i];
    else if (name == "--connections")
      options.connections = number;
    else if (name == "--series")
      options.series = number;
    else if (name == "--per-request")
      options.per_request = number;
    else if (name == "--samples")
      options.samples = number;
    else if (name == "--seconds")
      options.seconds = std::chrono::seconds{number};
    else
      give_up("there is no option '" + std::string(name) + "'");
  }
  if (sender == nullptr || pid.empty() || options.port == 0 || options.connections == 0 || options.per_request == 0 ||
      options.series < options.connections)
    give_up(
        "usage: --remote-write|--stream --port PORT --pid PID [--connections N] [--series N] [--per-request N] "
        "[--samples N] [--seconds N]");
  run(options, pid, sender);
}
