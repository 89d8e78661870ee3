#include "tests/sim/paging/paging_world.hpp"

#include "common/base/duration.hpp"
#include "tests/sim/paging/collector_life.hpp"

namespace ward::sim::paging {
namespace {

constexpr milliseconds kStep{500};
// The hand-over of the schedule falls into the run.
const Time kBegin = parse_time("2026-11-24T08:54:00Z").value();

}  // namespace

PagingWorld::PagingWorld(const PagingSettings& settings)
    : settings_(settings),
      random_(settings.seed * 7919),
      clock_(kBegin),
      estate_(random_),
      receivers_(oracle_),
      disk_("sim-paging", settings.seed * 31 + 7),
      begin_(clock_.mono()) {
  sight_.broken = [this](std::size_t signal) { return estate_.on(signal); };
  for (const auto& name : receiver_names()) receivers_.set(name, Mood::well);
  oracle_.at(clock_.mono(), clock_.wall());
  start();
}

PagingWorld::~PagingWorld() = default;

bool PagingWorld::chance(double per_second) { return random_.unit() < per_second * 0.5; }

void PagingWorld::run() {
  const auto healed = begin_ + settings_.trouble;
  const auto mended = healed + settings_.calm;
  const auto end = mended + settings_.rest;
  bool trouble = true;
  bool broken = true;
  while (clock_.mono() < end) {
    if (clock_.mono() < healed) {
      cause_faults();
    } else if (std::exchange(trouble, false)) {
      heal();
    }
    if (clock_.mono() < mended) {
      if (chance(0.02)) estate_.tell(clock_.mono());
      if (clock_.mono() < mended - seconds{200}) people();
    } else if (std::exchange(broken, false)) {
      estate_.mend(clock_.mono());
    }
    pass();
  }
  oracle_.check_end(life_ ? life_->claims() : std::vector<Claim>{});
  if (!life_) oracle_.violation("the collector does not come up");
}

void PagingWorld::pass() {
  clock_.advance(kStep);
  const auto now = clock_.mono();
  oracle_.at(now, clock_.wall());
  estate_.pass(now);
  disk_.set_full(now < full_until_);
  sight_.blind = now < blind_until_;
  sight_.failing = now < failing_until_;
  std::vector<bool> broken;
  for (std::size_t i = 0; i < signals().size(); ++i) {
    const bool judged = signals()[i].alert != "RedisDown" || redis_ == Redis::watched;
    broken.push_back(estate_.on(i) && judged);
  }
  oracle_.see(broken);
  if (!life_ && now >= down_until_) start();
  const bool runs = life_ && now >= frozen_until_;
  if (runs) life_->turn();
  if (life_ && (life_->doom.dead || disk_.crashed())) bury();
  Weather weather;
  weather.up = runs && life_;
  weather.stores = weather.up && life_->stores() && !disk_.full();
  weather.evaluates = weather.up && !sight_.blind && !sight_.failing;
  weather.reaches = receivers_.all_well();
  oracle_.pass(kStep, weather, weather.up ? life_->claims() : std::vector<Claim>{});
}

void PagingWorld::start() {
  disk_.bury();
  auto begun = CollectorLife::begin({clock_, random_, disk_, receivers_, oracle_, sight_, rules_text(redis_, edition_)});
  if (!begun) {
    down_until_ = clock_.mono() + seconds{1};  // as a supervisor would: try again
    return;
  }
  life_ = std::move(*begun);
  ++lives_;
  // Agents come back after it, and what it has of their series is old.
  if (lives_ > 1 && random_.below(2) == 0) blind_until_ = clock_.mono() + some(1, 30);
}

void PagingWorld::bury() {
  disk_.kill_writers();
  life_.reset();
  oracle_.crashed();
  if (random_.below(2) == 0) disk_.power_loss();
  down_until_ = clock_.mono() + some(0, random_.below(4) == 0 ? 70 : 8);
}

void PagingWorld::cause_faults() {
  cause_moods();
  cause_clock();
  if (life_) cause_end();
  if (chance(0.006)) full_until_ = clock_.mono() + some(1, 25);
  if (chance(0.01)) disk_.fail_next_sync();
  if (chance(0.01)) failing_until_ = clock_.mono() + some(1, 15);
  if (chance(0.003)) frozen_until_ = clock_.mono() + some(5, 65);
  if (life_ && chance(0.02)) {
    if (random_.below(3) == 0) redis_ = redis_ == Redis::watched ? Redis::retired : Redis::watched;
    life_->reload(rules_text(redis_, ++edition_));
  }
}

void PagingWorld::cause_end() {
  if (chance(0.012)) disk_.crash_after(1 + random_.below(40));
  if (chance(0.02)) life_->doom.armed = static_cast<KillPoint>(1 + random_.below(kKillPoints - 1));
  if (chance(0.004)) life_->doom.dead = true;
}

void PagingWorld::cause_moods() {
  const bool long_outage = settings_.seed % 8 == 0;
  for (const auto& name : receiver_names()) {
    auto& until = moods_until_[name];
    if (clock_.mono() < until) continue;
    receivers_.set(name, Mood::well);
    if (!chance(0.008)) continue;
    receivers_.set(name, static_cast<Mood>(1 + random_.below(kMoods - 1)));
    until = clock_.mono() + (long_outage && random_.below(4) == 0 ? some(300, 1'800) : some(10, 150));
  }
}

void PagingWorld::cause_clock() {
  // In some runs only: a step blurs what is early and what is late.
  if (settings_.seed % 4 != 0 || !chance(0.005)) return;
  const auto by = some(1, random_.below(5) == 0 ? 3'600 : 120);
  clock_.set_wall(random_.below(2) == 0 ? clock_.wall() + by : clock_.wall() - by);
  oracle_.at(clock_.mono(), clock_.wall());
  oracle_.clock_stepped();
}

void PagingWorld::people() {
  if (!life_ || clock_.mono() < frozen_until_) return;
  collector::Command command;
  command.actor = "anna";
  const auto pages = oracle_.open_pages();
  if (!pages.empty() && chance(0.02)) {
    command.subject = pages[random_.below(pages.size())];
    const bool back = random_.below(5) == 0;
    command.kind = back ? collector::Command::Kind::unacknowledge : collector::Command::Kind::acknowledge;
    const auto tell = [this, back, id = command.subject](PagingOracle::Said said) {
      back ? oracle_.unacknowledged(id, said) : oracle_.acknowledged(id, said);
    };
    tell(PagingOracle::Said::asked);
    life_->ask(command, [tell](bool done) {
      if (done) tell(PagingOracle::Said::done);
    });
  }
  if (chance(0.008)) silence("s" + std::to_string(++asked_));
  const auto silences = oracle_.open_silences();
  if (silences.empty() || !chance(0.01)) return;
  command.subject = silences[random_.below(silences.size())];
  command.kind = collector::Command::Kind::expire_silence;
  oracle_.silence_ended(command.subject, PagingOracle::Said::asked);
  life_->ask(command, [this, id = command.subject](bool done) {
    if (done) oracle_.silence_ended(id, PagingOracle::Said::done);
  });
}

void PagingWorld::silence(const std::string& fresh_id) {
  collector::Command command;
  command.kind = collector::Command::Kind::put_silence;
  command.actor = "anna";
  command.fresh_id = fresh_id;
  auto& s = command.silence;
  const auto alert = signals()[random_.below(signals().size())].alert;
  s.matchers.push_back({.name = "alertname", .value = alert});
  s.starts_at = clock_.wall();
  s.ends_at = clock_.wall() + some(20, 200);
  s.created_by = "anna";
  s.comment = "planned work";
  oracle_.silenced(fresh_id, alert, s.ends_at, PagingOracle::Said::asked);
  life_->ask(command, [this, fresh_id, alert, until = s.ends_at](bool done) {
    if (done) oracle_.silenced(fresh_id, alert, until, PagingOracle::Said::done);
  });
}

void PagingWorld::heal() {
  disk_.crash_after(0);
  const auto now = clock_.mono();
  full_until_ = failing_until_ = frozen_until_ = blind_until_ = down_until_ = now;
  if (life_) life_->doom.armed = KillPoint::none;
  for (const auto& name : receiver_names()) receivers_.set(name, Mood::well);
  if (redis_ == Redis::retired) {
    redis_ = Redis::watched;
    if (life_) life_->reload(rules_text(redis_, ++edition_));
  }
}

}  // namespace ward::sim::paging
