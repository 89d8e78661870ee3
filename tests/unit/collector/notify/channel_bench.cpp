#include "tests/unit/collector/notify/channel_bench.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace ward::collector::test {
namespace {

struct Read {
  std::vector<Receiver> receivers;
  std::string problems;
};

Read read(const std::string& yaml) {
  const auto documents = config::parse_yaml("receivers:\n- " + yaml + "\n", "collector.yaml").value();
  config::Problems problems;
  config::Section section(documents.at(0), "", problems);
  Read out{.receivers = read_receivers(section.children("receivers")), .problems = ""};
  if (!problems.empty()) out.problems = problems.to_text();
  return out;
}

}  // namespace

Receiver receiver_of(const std::string& yaml) {
  auto got = read(yaml);
  if (!got.problems.empty()) throw std::runtime_error(got.problems);
  return std::move(got.receivers.at(0));
}

std::string problems_of(const std::string& yaml) { return read(yaml).problems; }

Message message(Notice notice) {
  Message m;
  m.options.external_url = "https://ward.example";
  m.options.runbook_base = "https://wiki.example/";
  m.receiver = "pd-db";
  m.key = "01M9Z4QGK2M4NB-" + std::string(to_string(notice.kind)) + "-00c0ffee00c0ffee";
  m.at = clock_at(notice.kind == NoticeKind::resolve ? "10:54:45" : "10:42:45");
  m.now = m.at + std::chrono::seconds{3};
  m.page = page_text(notice, m.at, m.options);
  m.notice = std::move(notice);
  return m;
}

Notice hostile_notice(NoticeKind kind) {
  auto notice = sample_notice(kind);
  auto& i = notice.incident;
  auto& root = i.alerts[0];
  root.labels.set("instance", "a\"b'c\\d`e\r\nBcc: all@evil.example\r\n\r\n.\r\nQUIT");
  root.labels.set("relation", "<!channel> <@U012> <https://evil.example|click> &amp; *b* _i_ ~s~ ```code```");
  root.labels.set("bytes", "\xff\xfe caf\xc3");
  root.annotations =
      Labels{{"summary", "<script>alert(1)</script> & \"quoted\" 'text' {{ 7*7 }} ${jndi:x}\r\nX-Injected: yes"},
             {"description",
              "*bold* _it_ ~no~ `code` [link](https://evil.example) <!channel> <at>all</at> # head\n- list\n> quote"},
             {"impact",
              "\xe2\x80\xae"
              "gnp.exe turned, Stra\xc3\x9f"
              "e, \xe2\x80\xa8 separator"},
             {"runbook_url", "https://good.example@evil.example/|>\"x"},
             {"decision_tree", "tree\",\"injected\":\"yes"}};
  i.alerts[1].labels.set("tenant", "clinic\"}],\"x\":[{\"a\":\"");
  i.root_service = "pg-main\r\nTo: x";
  return notice;
}

Notice ended(Notice notice) {
  notice.kind = NoticeKind::resolve;
  notice.incident.phase = IncidentPhase::resolved;
  notice.incident.resolved_at = clock_at("10:54:45");
  return notice;
}

http::Request request_of(const std::string& receiver_yaml, const Message& message) {
  return request_of(*receiver_of(receiver_yaml).channel, message, {});
}

http::Request request_of(const Channel& channel, const Message& message, const std::vector<Reply>& replies) {
  auto step = channel.next(message, replies);
  if (auto* request = std::get_if<http::Request>(&step)) return std::move(*request);
  throw std::runtime_error("the channel wants no request");
}

http::Mail mail_of(const Channel& channel, const Message& message, const std::vector<Reply>& replies) {
  auto step = channel.next(message, replies);
  if (auto* mail = std::get_if<http::Mail>(&step)) return std::move(*mail);
  throw std::runtime_error("the channel wants to send no mail");
}

SendOutcome outcome_of(const Channel& channel, const Message& message, const std::vector<Reply>& replies) {
  auto step = channel.next(message, replies);
  if (auto* outcome = std::get_if<SendOutcome>(&step)) return std::move(*outcome);
  throw std::runtime_error("the channel wants another request");
}

Reply answered(int status, std::string body, http::Headers headers) {
  http::Response r;
  r.status = status;
  r.body = std::move(body);
  r.headers = std::move(headers);
  return r;
}

Reply failed(http::FailureKind kind) {
  http::Failure f;
  f.kind = kind;
  f.error = {Errc::unavailable, "alerts.example:443 cannot be reached", ""};
  return tl::unexpected(f);
}

std::string header(const http::Request& request, const std::string& name) {
  for (const auto& [key, value] : request.headers)
    if (key == name) return value;
  return "";
}

std::string golden(const std::string& file, const std::string& actual) {
  const auto path = std::filesystem::path(WARD_SOURCE_DIR "/tests/data/notify") / file;
  if (std::getenv("WARD_WRITE_GOLDEN") != nullptr) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << actual << (actual.ends_with('\n') ? "" : "\n");
  }
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace ward::collector::test
