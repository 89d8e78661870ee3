// email: plain text by SMTP, one thread an incident: the first message's Message-ID is made of the incident, all later ones
// answer it. A message keeps its Message-ID over every attempt, so servers and clients can tell a repetition.
// Source: RFC 5321 (replies), 5322 (message), 2047 (words beyond ASCII), 2045 (quoted-printable), 3834 (automatic mail).
// Emits: the subject "[URGENT] headline", the page as text, each line of the message ASCII and at most 78 characters.
// Errors: each address is a transaction of its own: 4xx is asked again (who has the message is remembered), 5xx gives the
// address up; refused by all, and a refused login, goes to the fallback.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "collector/notify/channel.hpp"
#include "collector/notify/http_target.hpp"
#include "collector/notify/mail_text.hpp"
#include "collector/notify/text.hpp"
#include "common/base/parse.hpp"

namespace ward::collector {
namespace {

using nlohmann::json;
using Kind = SendOutcome::Kind;

constexpr std::size_t kMaxAddresses = 50;
constexpr std::size_t kMaxPage = 16'000;
constexpr std::size_t kMaxSubject = 200;
/// Once somebody has the message, an address that is only put off holds up the next message no longer than this.
constexpr std::uint32_t kMostAttempts = 4;

struct Settings {
  http::Mail server;  ///< without addresses and message
  std::string from;
  std::string from_name;
  std::vector<std::string> to;
};

std::string mark(const Notice& notice) {
  std::string cls(to_string(notice.incident.cls));
  std::transform(cls.begin(), cls.end(), cls.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  switch (notice.kind) {
    case NoticeKind::fire: return cls;
    case NoticeKind::escalate: return cls + ", escalated";
    case NoticeKind::update: return cls + ", news";
    case NoticeKind::acknowledge: return "ACKNOWLEDGED";
    case NoticeKind::resolve: return notice.incident.merged_into.empty() ? "RESOLVED" : "MERGED";
  }
  return cls;
}

bool is_login_trouble(int status) { return status == 530 || status == 534 || status == 535 || status == 538; }

class Email final : public Channel {
 public:
  explicit Email(Settings settings) : settings_(std::move(settings)) {}

  [[nodiscard]] Step next(const Message& message, std::span<const Reply> replies) const override {
    const auto done = have_it(message);
    std::vector<std::string> left;
    for (const auto& address : settings_.to)
      if (!done.contains(address)) left.push_back(address);
    const bool over = !replies.empty() && (!replies.back() || is_login_trouble(replies.back()->status));
    if (!over && replies.size() < left.size()) {
      auto mail = settings_.server;
      mail.from = settings_.from;
      mail.to = {left[replies.size()]};
      mail.message = text_of(message);
      return mail;
    }
    return judged(message, done, left, replies);
  }

 private:
  [[nodiscard]] SendOutcome judged(const Message& message, std::set<std::string> done, const std::vector<std::string>& left,
                                   std::span<const Reply> replies) const {
    SendOutcome worst;
    const auto before = done.size();
    for (std::size_t n = 0; n < replies.size(); ++n) {
      const auto outcome = judge_mail(replies[n]);
      if (outcome.kind == Kind::delivered)
        done.insert(left[n]);
      else if (worst.kind != Kind::retry)
        worst = outcome;
    }
    if (done.size() == settings_.to.size()) return {};
    if (done.empty()) return worst;
    SendOutcome out;
    out.error =
        std::to_string(done.size()) + " of " + std::to_string(settings_.to.size()) + " addresses have it; " + worst.error;
    if (worst.kind == Kind::retry && message.attempt < kMostAttempts) {
      out.kind = Kind::retry;
      if (done.size() > before) out.remembered = json{{"key", message.key}, {"done", done}}.dump();
    }
    return out;
  }

  static SendOutcome judge_mail(const Reply& reply) {
    if (!reply) return judge_failure(reply.error());
    if (reply->status >= 200 && reply->status < 300) return {};
    const bool later = reply->status >= 400 && reply->status < 500;
    return {.kind = later ? Kind::retry : Kind::refused,
            .error = "the mail server answered SMTP " + std::to_string(reply->status)};
  }

  /// The addresses that got this very message in an earlier attempt.
  static std::set<std::string> have_it(const Message& message) {
    std::set<std::string> out;
    const auto kept = json::parse(message.remembered, nullptr, false);
    if (!kept.is_object() || !kept.contains("key") || kept["key"] != message.key || !kept.contains("done")) return out;
    for (const auto& address : kept["done"])
      if (address.is_string()) out.insert(address.get<std::string>());
    return out;
  }

  [[nodiscard]] std::string text_of(const Message& message) const {
    const auto& i = message.notice.incident;
    const auto domain = settings_.from.substr(settings_.from.find('@') + 1);
    const auto id_of = [&](const std::string& what) {
      return "<ward." + fingerprint(Labels{{"of", what}, {"receiver", message.receiver}}) + "@" + domain + ">";
    };
    const auto first = id_of(i.id);
    const bool begins = message.notice.kind == NoticeKind::fire && i.reopened == 0;
    std::string out;
    out += mail_header("Date", mail_date(message.at));
    out += mail_mailbox("From", settings_.from_name, settings_.from);
    out += mail_addresses("To", settings_.to);
    out += mail_text_header("Subject", "[" + mark(message.notice) + "] " + one_line(headline(i), kMaxSubject));
    out += mail_header("Message-ID", begins ? first : id_of(message.key));
    if (!begins) out += mail_header("In-Reply-To", first) + mail_header("References", first);
    out += mail_header("Auto-Submitted", "auto-generated");
    if (calls_for_action(message.notice.kind) && i.cls >= AlertClass::urgent) out += mail_header("Importance", "high");
    out += mail_text_header("X-Ward-Incident", one_line(i.id, kMaxSubject));
    out += mail_header("MIME-Version", "1.0");
    out += mail_header("Content-Type", "text/plain; charset=utf-8");
    out += mail_header("Content-Transfer-Encoding", "quoted-printable");
    return out + "\r\n" + quoted_printable(lines(message.page, kMaxPage));
  }

  Settings settings_;
};

void read_server(config::Section& from, const std::string& whose, http::Mail& out) {
  const auto server = from.text("server");
  const auto security = from.choice("security", {"starttls", "tls", "none"}, 0);
  out.security = security == 0   ? http::Mail::Security::starttls
                 : security == 1 ? http::Mail::Security::tls
                                 : http::Mail::Security::none;
  out.port = security == 0 ? 587 : security == 1 ? 465 : 25;
  const auto colon = server.rfind(':');
  const bool has_port = colon != std::string::npos && server.find(']', colon) == std::string::npos;
  out.host = server.substr(0, has_port ? colon : server.size());
  if (out.host.size() > 2 && out.host.front() == '[' && out.host.back() == ']')
    out.host = out.host.substr(1, out.host.size() - 2);
  const auto port = has_port ? to_u64(server.substr(colon + 1)) : Result<std::uint64_t>(out.port);
  if (!server.empty() && (!is_host_name(out.host) || !port || *port == 0 || *port > 65'535))
    from.problems().add(from.at("server"), "the mail server of " + whose + " is no HOST or HOST:PORT",
                        "Write it as smtp.clinic.example:587.");
  else if (port)
    out.port = static_cast<std::uint16_t>(*port);
  out.user = from.text("username", "");
  out.password = from.secret("password");
  if (out.user.empty() != out.password.empty() && from.has("username") != from.has("password"))
    from.problems().add(from.at(from.has("username") ? "username" : "password"),
                        whose + " has a username without a password, or the other way round", "Set both or neither.");
  const bool here = out.host == "localhost" || out.host == "127.0.0.1" || out.host == "::1";
  if (out.security == http::Mail::Security::none && !here)
    from.problems().add(from.at("security"), "the mail of " + whose + " would go out unencrypted",
                        "Use starttls or tls; 'none' is for a mail server on this machine.");
  out.ca_file = from.text("ca_file", "");
  out.helo = from.text("helo", "");
  if (!out.helo.empty() && !is_host_name(out.helo))
    from.problems().add(from.at("helo"), "the name in 'helo' of " + whose + " is no host name",
                        "Write this machine's full name, for example ward.clinic.example.");
}

std::shared_ptr<const Channel> read(config::Section& from, const std::string& whose) {
  Settings settings;
  read_server(from, whose, settings.server);
  const auto wrong = [&](std::string_view key, const std::string& what) {
    from.problems().add(from.at(key), "'" + what + "' of " + whose + " is no plain mail address",
                        "Write it as name@clinic.example, without a name before it.");
  };
  settings.from = from.text("from");
  if (!settings.from.empty() && !is_mail_address(settings.from)) wrong("from", one_line(settings.from, 80));
  settings.from_name = from.text("from_name", "Ward");
  settings.to = from.texts("to");
  for (const auto& address : settings.to)
    if (!is_mail_address(address)) wrong("to", one_line(address, 80));
  if (std::set<std::string>(settings.to.begin(), settings.to.end()).size() != settings.to.size())
    from.problems().add(from.at("to"), "an address of " + whose + " stands twice in 'to'", "Remove one.");
  if (settings.to.empty() || settings.to.size() > kMaxAddresses)
    from.problems().add(from.at("to"), whose + " needs 1 to 50 addresses in 'to'", "Add them, or name a mailing list.");
  from.close();
  return std::make_shared<Email>(std::move(settings));
}

}  // namespace

ChannelKind email_channel() { return {.name = "email", .help = "plain text by SMTP, one thread an incident", .read = read}; }

}  // namespace ward::collector
