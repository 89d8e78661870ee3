#include "tests/support/processes.hpp"

#include <arpa/inet.h>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <functional>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sstream>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace ward::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kPoll{10};
constexpr seconds kPatience{20};

bool eventually(std::chrono::milliseconds limit, const std::function<bool()>& done) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// Whom a server that refuses root runs as.
std::string server_user(const std::string& user) {
  if (::geteuid() != 0) return "";
  if (::getpwnam(user.c_str()) == nullptr)
    throw std::runtime_error("there is no user " + user + " to run the server as; install its package");
  return user;
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool accepts(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = loopback(port);
  const bool open = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return open;
}

/// Debian keeps the servers' programs out of PATH, one directory per version.
std::string postgres_program(const std::string& name) {
  for (int version = 18; version >= 12; --version) {
    const auto path = "/usr/lib/postgresql/" + std::to_string(version) + "/bin/" + name;
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return name;
}

struct Arguments {
  explicit Arguments(const std::vector<std::string>& words) : kept(words) {
    for (auto& word : kept) pointers.push_back(word.data());
    pointers.push_back(nullptr);
  }
  std::vector<std::string> kept;
  std::vector<char*> pointers;
};

/// Between fork and exec: only async-signal-safe calls.
[[noreturn]] void become(char* const* argv, char* const* env, const passwd* user, int output, const char* directory) {
  ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::close_range(STDERR_FILENO + 1, ~0U, 0);  // a listening socket of the test would live on in the child
  const gid_t group = user != nullptr ? user->pw_gid : 0;
  if (user != nullptr && (::setgroups(1, &group) != 0 || ::setgid(group) != 0 || ::setuid(user->pw_uid) != 0)) ::_exit(126);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // after setuid, which clears it
  if (::chdir(directory) != 0) ::_exit(126);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execvpe(argv[0], argv, env);
  ::_exit(127);
}

}  // namespace

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(0);
  socklen_t size = sizeof address;
  const bool bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
                     ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(fd);
  if (!bound) throw std::runtime_error("no free loopback port");
  return ntohs(address.sin_port);
}

Process::Process(const Spec& spec) {
  Arguments argv(spec.argv);
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    if (!spec.env.contains(text.substr(0, text.find('=')))) variables.push_back(text);
  }
  for (const auto& [name, value] : spec.env) variables.push_back(name + "=" + value);
  Arguments env(variables);
  const auto user = spec.user.empty() ? std::string() : server_user(spec.user);
  const passwd* entry = user.empty() ? nullptr : ::getpwnam(user.c_str());
  const auto file = spec.output.empty() ? std::filesystem::path("/dev/null") : spec.output;
  const int output = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (output < 0) throw std::runtime_error("cannot write " + file.string());
  pid_ = ::fork();
  if (pid_ == 0) become(argv.pointers.data(), env.pointers.data(), entry, output, spec.directory.c_str());
  ::close(output);
  if (pid_ < 0) throw std::runtime_error("fork failed");
}

Process::Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, -1)), status_(other.status_) {}

Process& Process::operator=(Process&& other) noexcept {
  if (this == &other) return *this;
  kill_and_reap();
  pid_ = std::exchange(other.pid_, -1);
  status_ = other.status_;
  return *this;
}

Process::~Process() { kill_and_reap(); }

void Process::kill_and_reap() {
  if (pid_ <= 0 || status_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

bool Process::running() { return pid_ > 0 && !wait(milliseconds{0}); }

void Process::signal(int number) const {
  if (pid_ > 0 && !status_) ::kill(pid_, number);
}

std::optional<int> Process::wait(std::chrono::milliseconds limit) {
  eventually(limit, [this] {
    if (status_) return true;
    int raw = 0;
    if (::waitpid(pid_, &raw, WNOHANG) != pid_) return false;
    constexpr int kSignalBase = 128;
    status_ = WIFEXITED(raw) ? WEXITSTATUS(raw) : kSignalBase + WTERMSIG(raw);
    return true;
  });
  return status_;
}

std::string run_to_end(Process::Spec spec) {
  const TempDir dir("run");
  ::chmod(dir.path().c_str(), 0777);
  spec.output = dir / "output";
  Process process(spec);
  const auto status = process.wait(seconds{30});
  const auto text = text_of(spec.output);
  if (status != 0) throw std::runtime_error(spec.argv.front() + " failed: " + text);
  return text;
}

PostgresServer::PostgresServer(Options options) : dir_("postgres"), user_(server_user("postgres")), port_(free_port()) {
  if (!user_.empty()) {
    const auto* entry = ::getpwnam(user_.c_str());
    if (::chown(dir_.path().c_str(), entry->pw_uid, entry->pw_gid) != 0) throw std::runtime_error("cannot chown");
  }
  create(options);
  start();
}

PostgresServer::~PostgresServer() { stop(); }

void PostgresServer::create(const Options& options) {
  const auto data = (dir_ / "data").string();
  if (options.primary == nullptr) {
    run_to_end({{postgres_program("initdb"), "-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C", "-A", "trust",
                 "--no-sync", "--no-instructions"},
                {},
                user_,
                dir_.path(),
                {}});
    std::ofstream(dir_ / "data" / "pg_hba.conf") << "local all all trust\n"
                                                    "host all postgres 127.0.0.1/32 trust\n"
                                                    "host replication postgres 127.0.0.1/32 trust\n"
                                                    "host all all 127.0.0.1/32 scram-sha-256\n";
  } else {
    run_to_end({{postgres_program("pg_basebackup"), "-h", "127.0.0.1", "-p", std::to_string(options.primary->port()), "-U",
                 "postgres", "-D", data, "-R", "-X", "stream", "--checkpoint=fast", "--no-sync"},
                {},
                user_,
                dir_.path(),
                {}});
  }
  std::ofstream settings(dir_ / "data" / "postgresql.conf", std::ios::app);
  settings << "\nlisten_addresses = '127.0.0.1'\nport = " << port_ << "\nunix_socket_directories = ''\nfsync = off\n"
           << "cluster_name = '" << options.name << "'\nmax_connections = 40\nshared_buffers = 16MB\n"
           << "logging_collector = off\nautovacuum_naptime = 1d\n";
  for (const auto& line : options.settings) settings << line << '\n';
}

void PostgresServer::start() {
  const auto data = (dir_ / "data").string();
  server_.emplace(Process::Spec{{postgres_program("postgres"), "-D", data}, {}, user_, dir_.path(), dir_ / "server.log"});
  const bool ready = eventually(kPatience, [&] {
    if (!server_->running()) throw std::runtime_error("postgres did not start: " + log());
    // Its eighth and last line tells the state (src/include/utils/pidfile.h).
    const auto pidfile = text_of(dir_ / "data" / "postmaster.pid");
    const bool state = pidfile.find("\nready") != std::string::npos || pidfile.find("\nstandby") != std::string::npos;
    return state && accepts(port_);
  });
  if (!ready) throw std::runtime_error("postgres is not ready: " + log());
}

void PostgresServer::stop() {
  if (!server_) return;
  server_->signal(SIGCONT);
  server_->signal(SIGINT);
  if (!server_->wait(seconds{5})) {
    server_->signal(SIGQUIT);
    server_->wait(seconds{5});
  }
  server_.reset();
}

std::string PostgresServer::sql(const std::string& statements, const std::string& database) const {
  auto text = run_to_end({{postgres_program("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1",
                           "-p", std::to_string(port_), "-U", "postgres", "-d", database, "-c", statements},
                          {},
                          "",
                          "/",
                          {}});
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

Process PostgresServer::session(const std::string& statements, const std::string& application_name,
                                const std::string& database) const {
  return Process({{postgres_program("psql"), "-X", "-q", "-h", "127.0.0.1", "-p", std::to_string(port_), "-U", "postgres",
                   "-d", database, "-c", statements},
                  {{"PGAPPNAME", application_name}},
                  "",
                  "/",
                  {}});
}

void PostgresServer::wait_for(const std::string& query, const std::string& expected) const {
  std::string last;
  if (!eventually(seconds{10}, [&] { return (last = sql(query)) == expected; }))
    throw std::runtime_error(query + " still gives '" + last + "', not '" + expected + "'");
}

std::string PostgresServer::log() const { return text_of(dir_ / "server.log"); }

RedisServer::RedisServer(Options options) : dir_("redis"), port_(free_port()), tls_(options.tls) {
  std::string conf = "bind 127.0.0.1\ndir " + dir_.path().string() + "\ndaemonize no\n";
  if (tls_) {
    run_to_end({{"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                 "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout",
                 (dir_ / "key.pem").string(), "-out", ca()},
                {},
                "",
                "/",
                {}});
    conf += "port 0\ntls-port " + std::to_string(port_) + "\ntls-cert-file " + ca() + "\ntls-key-file " +
            (dir_ / "key.pem").string() + "\ntls-ca-cert-file " + ca() + "\ntls-auth-clients no\n";
  } else {
    conf += "port " + std::to_string(port_) + "\n";
  }
  for (const auto& line : options.lines) conf += line + "\n";
  dir_.write("redis.conf", conf);
  start();
}

void RedisServer::start() {
  const auto conf = (dir_ / "redis.conf").string();
  server_.emplace(Process::Spec{{"redis-server", conf}, {}, "", dir_.path(), dir_ / "server.log"});
  const bool ready = eventually(kPatience, [&] {
    if (!server_->running()) throw std::runtime_error("redis-server did not start: " + text_of(dir_ / "server.log"));
    return accepts(port_);
  });
  if (!ready) throw std::runtime_error("redis-server is not ready: " + text_of(dir_ / "server.log"));
}

void RedisServer::stop() {
  if (!server_) return;
  server_->signal(SIGTERM);
  server_->wait(seconds{5});
  server_.reset();
}

std::string RedisServer::cli(const std::vector<std::string>& arguments) const {
  std::vector<std::string> argv{"redis-cli", "-h", "127.0.0.1", "-p", std::to_string(port_)};
  if (tls_) argv.insert(argv.end(), {"--tls", "--cacert", ca()});
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run_to_end({argv, {}, "", "/", {}});
}

}  // namespace ward::test
