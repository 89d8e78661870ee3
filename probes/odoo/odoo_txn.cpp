/// A synthetic read through the whole of Odoo: HTTP, worker, registry, ORM, PostgreSQL. What a user's click needs.
/// Source: POST /json/2/<model>/<search_read|search_count> with a bearer key (Odoo 19 and later; External JSON-2 API).
///         Write-free: no session, no log row. GET /web/version once when the route seems to be missing.
/// Emits:  odoo_txn_up (0/1; absent when Ward's own configuration is at fault or the version lacks the route),
///         odoo_txn_duration_seconds, odoo_txn_status_code, odoo_txn_database_usable (0/1: a database was selected),
///         odoo_txn_supported (0/1), odoo_txn_error_info{name} (the exception's class).
/// Errors: auth (401: the key), permission (403), not_found (model or method), probe_refused (422, the arguments),
///         unsupported (before 19), http_status, body_mismatch, and the HTTP client's reasons. Of an error body only `name`
///         is kept: message, arguments and debug may hold patient data.
#include "probes/odoo/odoo_txn.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "probes/odoo/http_reply.hpp"

namespace ward::probes {
namespace {

using namespace odoo;

constexpr std::array<MetricMeta, 6> kMetrics{{
    {"odoo_txn_up", MetricType::gauge, "", "1 when the synthetic read succeeded, 0 when Odoo failed it."},
    {"odoo_txn_duration_seconds", MetricType::gauge, "seconds", "Duration of the synthetic read, also of a failed one."},
    {"odoo_txn_status_code", MetricType::gauge, "", "HTTP status of the synthetic read."},
    {"odoo_txn_database_usable", MetricType::gauge, "", "1 when Odoo could use the database, 0 when it had none."},
    {"odoo_txn_supported", MetricType::gauge, "", "1 when this version of Odoo has the json/2 route."},
    {"odoo_txn_error_info", MetricType::gauge, "", "Class of the exception that Odoo answered with."},
}};

void put(Readings& out, std::string_view metric, Labels labels, double value) {
  out.push_back(Reading{std::string(metric), std::move(labels), value});
}

std::string_view name_of(TxnMethod method) {
  switch (method) {
    case TxnMethod::search_read: return "search_read";
    case TxnMethod::search_count: return "search_count";
  }
  return "search_read";
}

std::string body_of(const OdooTxnOptions& options) {
  nlohmann::json body{{"domain", nlohmann::json::array()}};
  if (options.method == TxnMethod::search_read) {
    body["fields"] = options.fields;
    body["limit"] = 1;
  }
  return body.dump();
}

/// What a status and content type mean (facts: odoo 2.1). `down`: Odoo's fault, odoo_txn_up 0; `unknown`: Ward's.
struct Verdict {
  enum class State : std::uint8_t { up, down, unknown, no_database };
  State state = State::down;
  FailureReason reason = FailureReason::http_status;
  std::string fix;
};

Verdict judge(const http::Response& response) {
  using State = Verdict::State;
  const bool json = is_json(response);
  switch (response.status) {
    case 200:
      if (json && is_result(response.body)) return {State::up, {}, {}};
      return {State::down, FailureReason::body_mismatch, "Point 'url' at Odoo, or mend the proxy in front of it."};
    case 401:
      return {State::unknown, FailureReason::auth, "Make a new API key for Ward's user and put it into the file of 'key'."};
    case 403:
      return {State::unknown, FailureReason::permission, "Give Ward's user the right to read the model, or set 'model'."};
    case 404:
      if (!json) return {State::no_database, FailureReason::http_status, "Look at PostgreSQL and check 'database'."};
      return {State::unknown, FailureReason::not_found, "Set 'model' to one that is installed."};
    case 422: return {State::unknown, FailureReason::probe_refused, "Set 'fields' to fields that the model has."};
    default: return {State::down, FailureReason::http_status, "Look into Odoo's log and the proxy's."};
  }
}

class OdooTxn final : public Probe {
 public:
  explicit OdooTxn(OdooTxnOptions options)
      : options_(std::move(options)),
        path_("/json/2/" + options_.model + "/" + std::string(name_of(options_.method))),
        body_(body_of(options_)) {}

  async::Task<ProbeOutput> collect(Host& host) override;
  [[nodiscard]] Readings on_deadline() const override { return {{"odoo_txn_up", {}, 0}}; }

 private:
  [[nodiscard]] http::Request request() const;
  async::Task<bool> has_json2(Host& host);
  async::Task<void> report_no_database(Host& host, Verdict verdict, ProbeOutput& output);
  void fail_with(ProbeOutput& output, const Verdict& verdict, std::string_view what) const;

  const OdooTxnOptions options_;
  const std::string path_;
  const std::string body_;
  bool json2_seen_ = false;  // this server has the route: an HTML 404 now means its database
};

http::Request OdooTxn::request() const {
  http::Request request;
  request.method = "POST";
  request.url = options_.url + path_;
  request.headers = {{"Authorization", "bearer " + options_.key.reveal()}, {"Content-Type", "application/json"}};
  if (!options_.database.empty()) request.headers.emplace_back("X-Odoo-Database", options_.database);
  request.body = body_;
  request.timeout = options_.timeout;
  request.connect_timeout = options_.timeout;
  return request;
}

void OdooTxn::fail_with(ProbeOutput& output, const Verdict& verdict, std::string_view what) const {
  Error error{Errc::unavailable, options_.url + path_ + ": " + std::string(what), verdict.fix};
  output.failure = ProbeFailure{verdict.reason, std::move(error)};
}

/// /web/version came with 19, like /json/2, and needs no database.
async::Task<bool> OdooTxn::has_json2(Host& host) {
  http::Request request;
  request.url = options_.url + "/web/version";
  request.timeout = options_.timeout;
  const auto answer = co_await host.http().send(std::move(request));
  co_return answer && answer->status == 200 && parse_version(answer->body).has_value();
}

async::Task<void> OdooTxn::report_no_database(Host& host, Verdict verdict, ProbeOutput& output) {
  if (!json2_seen_) json2_seen_ = co_await has_json2(host);
  put(output.readings, "odoo_txn_supported", {}, json2_seen_ ? 1 : 0);
  if (!json2_seen_) {
    verdict.reason = FailureReason::unsupported;
    verdict.fix = "Remove this probe for an Odoo before 19, or point 'url' at Odoo.";
    fail_with(output, verdict, "answered 404 and there is no /web/version: this server has no json/2");
    co_return;
  }
  put(output.readings, "odoo_txn_up", {}, 0);
  put(output.readings, "odoo_txn_database_usable", {}, 0);
  fail_with(output, verdict, "answered 404 without a database: PostgreSQL is out of reach or the name is wrong");
}

async::Task<ProbeOutput> OdooTxn::collect(Host& host) {
  ProbeOutput output;
  auto& out = output.readings;
  const auto start = host.clock().mono();
  auto question = request();
  const auto answer = co_await host.http().send(std::move(question));
  put(out, "odoo_txn_duration_seconds", {}, to_seconds(host.clock().mono() - start));
  if (!answer) {
    put(out, "odoo_txn_up", {}, 0);
    output.failure = ProbeFailure{reason_of(answer.error().kind), answer.error().error};
    co_return output;
  }
  put(out, "odoo_txn_status_code", {}, answer->status);
  auto verdict = judge(*answer);
  if (verdict.state == Verdict::State::no_database) {
    co_await report_no_database(host, std::move(verdict), output);
    co_return output;
  }
  if (is_json(*answer)) {
    json2_seen_ = true;
    put(out, "odoo_txn_supported", {}, 1);
    if (answer->status < 500) put(out, "odoo_txn_database_usable", {}, 1);  // a 500 may be the database's
  }
  if (verdict.state == Verdict::State::up) {
    put(out, "odoo_txn_up", {}, 1);
    co_return output;
  }
  const auto name = is_json(*answer) ? parse_error_name(answer->body) : std::string{};
  if (!name.empty()) put(out, "odoo_txn_error_info", {{"name", name}}, 1);
  if (verdict.state == Verdict::State::down) put(out, "odoo_txn_up", {}, 0);
  fail_with(output, verdict, "answered " + std::to_string(answer->status) + (name.empty() ? "" : " (" + name + ")"));
  co_return output;
}

/// Models and fields go into a path and a body: Odoo's own alphabet only.
bool is_identifier(std::string_view text) {
  return !text.empty() && text.size() <= 100 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
  });
}

bool check_names(config::Section& target, const OdooTxnOptions& options) {
  bool good = true;
  const auto check = [&](std::string_view key, const std::string& name) {
    if (is_identifier(name)) return;
    target.problems().add(target.at(key), "'" + name + "' is no name of Odoo",
                          "Use lower-case letters, digits, '_' and '.'.");
    good = false;
  };
  check("model", options.model);
  for (const auto& field : options.fields) check("fields", field);
  return good;
}

std::unique_ptr<Probe> make(config::Section& target) {
  OdooTxnOptions options;
  options.url = read_base_url(target);
  options.database = target.text("database", "");
  options.model = target.text("model", options.model);
  options.method = static_cast<TxnMethod>(target.choice("method", {"search_read", "search_count"}, 0));
  if (target.has("fields")) options.fields = target.texts("fields");
  options.key = target.secret("key");
  options.timeout = target.duration("timeout", options.timeout, milliseconds{100});
  const bool insecure = target.flag("insecure", false);
  bool good = check_names(target, options) && !options.url.empty();
  if (options.key.empty()) {
    target.problems().add(target.at(), "'key' is missing or empty",
                          "Make an API key for a user with base.group_user only and set 'key: {file: PATH}'.");
    good = false;
  }
  if (!options.url.empty() && !insecure && !keeps_secrets(options.url)) {
    target.problems().add(target.at("url"), "the key would cross the network in clear",
                          "Use https, or set 'insecure: true' where the network itself is encrypted.");
    good = false;
  }
  if (!good) return nullptr;
  return make_odoo_txn(std::move(options));
}

}  // namespace

std::unique_ptr<Probe> make_odoo_txn(OdooTxnOptions options) { return std::make_unique<OdooTxn>(std::move(options)); }

ProbeKind odoo_txn_probe() {
  ProbeKind kind;
  kind.name = "odoo_txn";
  kind.job = "odoo";
  kind.interval = std::chrono::seconds{60};
  kind.deadline = std::chrono::seconds{25};
  kind.data_class = DataClass::page;
  kind.metrics = kMetrics;
  kind.make = make;
  return kind;
}

}  // namespace ward::probes
