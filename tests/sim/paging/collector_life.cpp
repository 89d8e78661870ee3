#include "tests/sim/paging/collector_life.hpp"

#include <boost/asio/co_spawn.hpp>
#include <stdexcept>

#include "collector/alerting/alert_rows.hpp"
#include "collector/alerting/promql_expression.hpp"
#include "collector/event/json.hpp"
#include "collector/routing/operations.hpp"
#include "tests/sim/paging/estate.hpp"

namespace ward::sim::paging {
namespace {

using namespace collector;
using std::chrono::minutes;

constexpr const char* kOperations = R"(
owners:
  database: {receiver: dba, fallback: platform}
  application: {receiver: app, fallback: database}
  platform: {receiver: rota, fallback: database}
fallback_receiver: boss
acknowledge_within: 2m
schedules:
  rota: {time_zone: UTC, layers: [{rotation: [ops1, ops2], start: 2026-11-23, handover: "09:00", every: 1d}]}
escalations:
  database: {steps: [{after: 0m, to: dba}, {after: 90s, unless: acked, to: boss}], repeat: 3m}
)";

RoutingTable make_table() {
  const auto documents = config::parse_yaml(kOperations, "operations.yaml").value();
  config::Problems problems;
  config::Section section(documents.at(0), "", problems);
  RoutingTable out;
  (void)read_operations(section, {}, out);
  section.close();
  if (!problems.empty()) throw std::logic_error(problems.to_text());
  return out;
}

ServiceMap make_map() {
  const auto hard = [](std::string to, std::vector<std::string> on) {
    Dependency d;
    d.to = std::move(to);
    d.on = std::move(on);
    return d;
  };
  std::vector<Service> services(6);
  services[0] = {.name = "web", .owner = "application", .depends_on = {hard("odoo", {"tenant"})}, .scope = {}};
  services[1] = {.name = "odoo", .owner = "application", .depends_on = {hard("pg-main", {"tenant"})}, .scope = {}};
  services[2] = {.name = "pg-main", .owner = "database", .depends_on = {hard("node", {})}, .scope = {}};
  services[3] = {.name = "node", .owner = "platform", .depends_on = {}, .scope = {}};
  services[4] = {.name = "redis", .owner = "platform", .depends_on = {}, .scope = {}};
  services[5] = {.name = "backup", .owner = "platform", .depends_on = {}, .scope = {}};
  std::vector<Workflow> workflows{
      {.name = "billing", .criticality = "patient-safety", .path = {"web"}, .executive_after = minutes{2}}};
  return ServiceMap::make(std::move(services), std::move(workflows)).value();
}

/// Short times, so that a run sees incidents end, flap and come back.
EngineOptions make_correlation() {
  EngineOptions out;
  out.settle = {.actionable = seconds{10}, .urgent = seconds{2}, .executive = seconds{0}};
  out.settle_resolve = milliseconds{0};
  out.flap = {.enter = 4, .in = minutes{10}, .stable = minutes{1}};
  out.reparent = minutes{3};
  out.release = {.evaluations = 2, .least = seconds{20}, .max = seconds{90}};
  return out;
}

/// `sig_X`: the signals of the alert X that are broken.
class SignalExpression final : public Expression {
 public:
  SignalExpression(std::string alert, const Sight& sight)
      : alert_(std::move(alert)), metrics_{"sig_" + alert_}, sight_(sight) {}
  [[nodiscard]] Result<Vector> evaluate(Time) const override {
    if (sight_.failing) return fail(Errc::unavailable, "the query was broken off", "Wait.");
    Vector out;
    for (std::size_t i = 0; i < signals().size() && !sight_.blind; ++i) {
      const auto& signal = signals()[i];
      if (signal.alert != alert_ || !sight_.broken(i)) continue;
      Labels labels;
      if (!signal.tenant.empty()) labels.set("tenant", signal.tenant);
      out.push_back({std::move(labels), 1});
    }
    return out;
  }
  [[nodiscard]] const std::vector<std::string>& metrics() const override { return metrics_; }

 private:
  std::string alert_;
  std::vector<std::string> metrics_;
  const Sight& sight_;
};

class SignalCompiler final : public ExpressionCompiler {
 public:
  explicit SignalCompiler(const Sight& sight) : sight_(sight) {}
  [[nodiscard]] Result<std::shared_ptr<const Expression>> compile(std::string_view text) const override {
    return std::make_shared<const SignalExpression>(std::string(text.substr(4)), sight_);
  }

 private:
  const Sight& sight_;
};

std::string signal_of(const Labels& labels) {
  return std::string(labels.get("alertname")) + "/" + std::string(labels.get("tenant"));
}

Row row_of(const DeliveryRow& from) {
  const auto notice = notice_from_json(from.delivery.body).value();
  const auto& i = notice.incident;
  RowState state = RowState::given_up;
  if (from.state == DeliveryState::pending) state = RowState::pending;
  if (from.state == DeliveryState::delivered) state = RowState::delivered;
  return {.key = from.delivery.key,
          .incident = i.id,
          .receiver = from.delivery.receiver,
          .kind = static_cast<Kind>(from.delivery.kind),
          .cls = static_cast<int>(i.cls),
          .owner = i.owner,
          .root = i.alerts.empty() ? "" : signal_of(i.alerts.front().labels),
          .reopened = i.reopened,
          .why = notice.why,
          .at = from.delivery.created_at,
          .state = state};
}

}  // namespace

/// The product's store on the simulated disk, ended where the process is.
class CollectorLife::Store final : public StateStore {
 public:
  Store(SqliteStateStore inner, Disk& disk, PagingOracle& oracle) : inner_(std::move(inner)), disk_(disk), oracle_(oracle) {}

  void bind(Doom& doom) { doom_ = &doom; }

  Status commit(const StateChange& change) override {
    const auto gone = [] { return fail(Errc::unavailable, "the process has ended", ""); };
    const bool results = !change.delivery_updates.empty();
    const bool steps = std::any_of(change.deliveries.begin(), change.deliveries.end(),
                                   [](const DeliveryRow& row) { return row.delivery.kind == NoticeKind::escalate; });
    if (doom_->strikes(KillPoint::before_commit) || (steps && doom_->strikes(KillPoint::step_uncommitted)) ||
        (results && doom_->strikes(KillPoint::reply_received)))
      return gone();
    auto done = inner_.commit(change);
    if (disk_.crashed()) {
      doom_->dead = true;
      return gone();
    }
    if (!done) return done;
    for (const auto& row : change.deliveries) oracle_.committed(row_of(row));
    for (const auto& row : change.delivery_updates) oracle_.row_state(row.delivery.key, row_of(row).state);
    oracle_.commit_done();
    if (!change.deliveries.empty()) (void)doom_->strikes(KillPoint::after_commit);
    if (results) (void)doom_->strikes(KillPoint::result_recorded);
    return done;
  }
  Result<LoadedState> load(Time resolved_after) override { return inner_.load(resolved_after); }

 private:
  SqliteStateStore inner_;
  Disk& disk_;
  PagingOracle& oracle_;
  Doom* doom_ = nullptr;
};

/// The way to the receivers.
class CollectorLife::Phones final : public http::Client {
 public:
  Phones(CollectorLife& life) : life_(life) {}

  async::Task<Reply> send(http::Request request) override {
    const auto key = request.headers.front().second;
    const auto receiver = request.url;
    auto& setting = life_.setting_;
    constexpr MonoTime kNever = MonoTime::max();
    if (life_.doom.dead) co_await life_.waits_.until(kNever);
    setting.oracle.sending(key, receiver);
    const auto answer = setting.receivers.ask(receiver, setting.random);
    const bool half = setting.random.below(2) == 0;
    if (half && life_.doom.strikes(KillPoint::mid_send)) co_await life_.waits_.until(kNever);
    const bool success = answer.status >= 200 && answer.status < 300;
    if (answer.taken && !success) setting.oracle.unsure(key);
    if (answer.taken) setting.receivers.take(key, receiver);
    if (life_.doom.strikes(KillPoint::mid_send)) co_await life_.waits_.until(kNever);
    co_await life_.waits_.until(setting.clock.mono() + answer.after);
    if (life_.doom.dead) co_await life_.waits_.until(kNever);
    if (answer.status == 0) {
      http::Failure failure;
      failure.kind = answer.after > seconds{9} ? http::FailureKind::timeout : http::FailureKind::connect_refused;
      failure.error = {Errc::unavailable, "the receiver does not answer", ""};
      co_return tl::unexpected(std::move(failure));
    }
    http::Response response;
    response.status = answer.status;
    if (answer.retry_after > 0) response.headers.emplace_back("retry-after", std::to_string(answer.retry_after));
    co_return response;
  }

 private:
  CollectorLife& life_;
};

class CollectorLife::Quiet final : public telemetry::LogSink {
 public:
  void write(std::string_view) override {}
};

Result<std::unique_ptr<CollectorLife>> CollectorLife::begin(Setting setting) {
  sqlite::OpenOptions options;
  options.path = "state.db";
  options.vfs = setting.disk.vfs();
  options.checkpoint_pages = 64;
  auto opened = SqliteStateStore::open(options);
  if (!opened) return fail(opened.error());
  auto loaded = opened->load(setting.clock.wall() - std::chrono::hours{1});
  if (!loaded) return fail(loaded.error());
  if (loaded->unreadable > 0) setting.oracle.violation("P8: stored rows cannot be read");
  std::vector<Row> rows;
  for (const auto& row : loaded->deliveries) rows.push_back(row_of(row));
  setting.oracle.restarted(rows);
  auto store = std::make_unique<Store>(std::move(*opened), setting.disk, setting.oracle);
  return std::unique_ptr<CollectorLife>(new CollectorLife(std::move(setting), std::move(store), std::move(*loaded)));
}

// As collector/application.cpp wires and restores them.
CollectorLife::CollectorLife(Setting setting, std::unique_ptr<Store> store, LoadedState loaded)
    : setting_(std::move(setting)),
      quiet_(std::make_unique<Quiet>()),
      log_({.level = telemetry::LogLevel::error}, setting_.clock, *quiet_),
      compiler_(std::make_unique<SignalCompiler>(setting_.sight)),
      head_(HeadOptions{.max_sample_age = milliseconds{0}}),
      sink_(head_, catalogue_, metrics_),
      store_(std::move(store)),
      rules_(make_rule_context(*compiler_, Labels{}, ""), setting_.clock, sink_),
      incidents_(ServiceMap{}, make_correlation(), loaded.incidents),
      router_(make_table(), {loaded.notified, loaded.escalations, loaded.silences},
              [this](const std::string& service, const std::string& on) { return incidents_.map().needs(service, on); }),
      outbox_({}, setting_.random),
      writer_(io_.get_executor(), pool_, *store_),
      phones_(std::make_unique<Phones>(*this)) {
  store_->bind(doom);
  const auto now = setting_.clock.wall();
  const auto first = book(setting_.rules);
  (void)rules_.reload(first->rules, now);
  incidents_.use(first->services, first->correlation);
  router_.use(first->routing);
  outbox_.use_fallbacks(first->routing.fallbacks(), first->routing.fallback_receiver);
  std::vector<AlertState> states;
  for (const auto& row : loaded.alerts)
    if (auto state = from_row(row)) states.push_back(std::move(*state));
  auto ruleless = rules_.restore(states, now);
  outbox_.accept(loaded.deliveries);
  SenderOptions options;
  options.commit_retry = milliseconds{0};  // the wait is in save()
  sender_ = std::make_unique<Sender>(
      io_.get_executor(), *phones_, setting_.clock, outbox_, make_receivers(),
      [this](StateChange change) { return save(std::move(change)); }, options);
  pipeline_ = std::make_unique<Pipeline>(Pipeline::Context{
      io_.get_executor(), setting_.clock, log_, metrics_, pool_, sink_, rules_, incidents_, router_, outbox_, writer_,
      [this] { sender_->wake(); }, std::move(loaded.alerts), std::move(ruleless), RuleCoverage::whole, nullptr, first});
  sender_->start();
  settle();
}

async::Task<Status> CollectorLife::save(StateChange change) {
  auto writing = writer_.commit(std::move(change));
  auto done = co_await std::move(writing);
  if (!done) {
    ++refused_;
    co_await waits_.until(setting_.clock.mono() + seconds{1});
  }
  co_return done;
}

CollectorLife::~CollectorLife() {
  doom.dead = true;
  const auto end = [this](async::Task<void> task) {
    async::asio::co_spawn(io_, std::move(task), [](const std::exception_ptr&) {});
    for (int i = 0; i < 3; ++i) {
      waits_.pass(MonoTime::max() - seconds{1});
      settle();
    }
  };
  end(pipeline_->stop());
  end(sender_->stop());
}

void CollectorLife::settle() {
  io_.restart();
  io_.poll();
}

std::shared_ptr<const Rulebook> CollectorLife::book(const std::string& rules) const {
  const std::vector<RuleText> files{{"estate.yaml", rules}};
  auto loaded = parse_rules(files, *compiler_, {}, [](const std::string&) -> Result<std::string> { return "# A\n"; });
  if (!loaded.rules) throw std::logic_error(loaded.to_error().what);
  auto out = std::make_shared<Rulebook>();
  out->rules = loaded.rules;
  static const ServiceMap kMap = make_map();
  static const RoutingTable kTable = make_table();
  out->services = kMap;
  out->correlation = make_correlation();
  out->routing = kTable;
  return out;
}

void CollectorLife::reload(const std::string& rules) { pipeline_->use_book(book(rules)); }

void CollectorLife::ask(Command command, std::function<void(bool)> told) {
  ++asked_;
  async::asio::co_spawn(io_, pipeline_->perform(std::move(command)),
                        [this, told = std::move(told)](const std::exception_ptr&, const Result<std::string>& answer) {
                          if (asked_ > 0) --asked_;
                          if (!doom.dead) told(answer.has_value());
                        });
  settle();
}

// As Pipeline::loop(), which sleeps by the real clock.
bool CollectorLife::is_due() const {
  const auto now = setting_.clock.wall();
  const auto due = std::min({rules_.next_wake(now), incidents_.next_wake(), router_.next_wake()});
  return due <= now || asked_ > 0 || setting_.clock.mono() - stepped_at_ >= seconds{1};
}

void CollectorLife::turn() {
  waits_.pass(setting_.clock.mono());
  sender_->wake();
  settle();
  if (!doom.dead && is_due()) step();
  sender_->wake();
  settle();
  if (!doom.dead) beat();
}

void CollectorLife::step() {
  stepped_at_ = setting_.clock.mono();
  bool ended = false;
  async::asio::co_spawn(io_, pipeline_->step(), [&](const std::exception_ptr& error) {
    ended = true;
    if (error) setting_.oracle.violation("a step ended in an exception");
  });
  settle();
  if (!ended) setting_.oracle.violation("a step hangs");
}

void CollectorLife::beat() {
  const auto now = setting_.clock.mono();
  if (now - beat_at_ < heart_.options().interval) return;
  beat_at_ = now;
  heart_.progress(Heartbeat::Stage::evaluation, pipeline_->last_progress());
  heart_.progress(Heartbeat::Stage::ingest, now);
  heart_.progress(Heartbeat::Stage::outbox, sender_->last_round());
  Heartbeat::Figures figures;
  figures.last_tick = pipeline_->last_tick();
  if (const auto oldest = outbox_.oldest_pending()) figures.outbox_oldest_age = setting_.clock.wall() - *oldest;
  if (heart_.beat(now, figures)) setting_.oracle.beat();
}

std::vector<Claim> CollectorLife::claims() const {
  std::vector<Claim> out;
  for (const auto& i : incidents_.open()) {
    Claim claim;
    claim.id = i.id;
    claim.cls = static_cast<int>(i.cls);
    claim.owner = i.owner;
    claim.reopened = i.reopened;
    if (!i.alerts.empty()) claim.root = signal_of(i.alerts.front().labels);
    for (const auto& alert : i.alerts) {
      claim.members.insert(signal_of(alert.labels));
      if (alert.phase == AlertPhase::firing) claim.firing.insert(signal_of(alert.labels));
    }
    out.push_back(std::move(claim));
  }
  return out;
}

}  // namespace ward::sim::paging
