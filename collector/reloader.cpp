#include "collector/reloader.hpp"

#include <memory>
#include <optional>
#include <sys/stat.h>
#include <utility>

#include "common/async/blocking_to_end.hpp"
#include "common/async/within.hpp"

namespace ward::collector {
namespace {

constexpr std::chrono::minutes kRetryRefused{5};
constexpr std::chrono::seconds kWaitForOther{60};
constexpr milliseconds kLookAgain{100};

/// Changes when a rule file is written, added, taken away, or reached by another link (as a ConfigMap is replaced).
std::string signature_of(const std::vector<std::string>& patterns) {
  std::string out;
  for (const auto& path : rule_paths(patterns)) {
    struct stat file {};
    out += path;
    if (::stat(path.c_str(), &file) == 0)
      for (const auto part :
           {static_cast<std::int64_t>(file.st_ino), static_cast<std::int64_t>(file.st_size),
            static_cast<std::int64_t>(file.st_mtim.tv_sec), static_cast<std::int64_t>(file.st_mtim.tv_nsec)})
        out += ' ' + std::to_string(part);
    out += '\n';
  }
  return out;
}

}  // namespace

void tell_warnings(const RulebookLoad& load, telemetry::Logger& log) {
  for (const auto& warning : load.warnings)
    log.warn("The rules are in force, but not all may be as meant", {{"warning", to_string(warning)}});
}

/// What one reload has read.
struct Reloader::Read {
  std::vector<std::string> patterns;
  std::string signature;
  std::optional<net::TlsContext> tls;
  RulebookLoad rules;
};

Reloader::Reloader(Context context)
    : context_(std::move(context)),
      patterns_(context_.config.rule_patterns),
      signature_(signature_of(patterns_)),
      tried_(context_.clock.mono()) {
  count(true);
}

void Reloader::count(bool taken) {
  auto& metrics = context_.metrics;
  metrics.gauge("ward_config_last_reload_successful", "1 unless the last reload of rules was refused.").set(taken ? 1 : 0);
  if (taken)
    metrics.gauge("ward_config_last_reload_success_timestamp_seconds", "When rules were taken last.")
        .set(static_cast<double>(to_ms(context_.clock.wall())) / 1'000);
}

Status Reloader::read(const Context& context, Read& into) {
  const auto config = load_collector_config(context.path);
  if (!config) return fail(config.error());
  into.patterns = config->rule_patterns;
  into.signature = signature_of(into.patterns);
  auto tls = context.make_tls(*config);
  if (!tls) return fail(tls.error());
  into.tls = std::move(*tls);
  // Receivers and owners of collector.yaml are those of the start: senders and outbox are made of them.
  auto options = rulebook_options(*config);
  options.routing = context.config.routing;
  options.receivers = rulebook_options(context.config).receivers;
  into.rules = load_rulebook(into.patterns, context.compiler, options);
  if (!into.rules.book) return fail(into.rules.to_error());
  return {};
}

async::Task<Result<std::string>> Reloader::reload(std::string actor, std::string reason) {
  // One under way may have read before the edit that this one is asked for.
  const auto patience = context_.clock.mono() + kWaitForOther;
  while (busy_ && context_.clock.mono() < patience) co_await async::sleep_for(kLookAgain);
  if (busy_) co_return fail(Errc::overloaded, "another reload is under way", "Ask again in a moment.");
  busy_ = true;
  tried_ = context_.clock.mono();
  auto fresh = std::make_shared<Read>();
  fresh->patterns = patterns_;
  fresh->signature = signature_;
  const auto* context = &context_;
  std::function<Status()> job = [fresh, context] { return read(*context, *fresh); };
  auto reading = async::run_blocking_to_end(context_.pool, std::move(job));
  const auto done = co_await std::move(reading);
  busy_ = false;
  patterns_ = fresh->patterns;
  signature_ = fresh->signature;
  refused_ = !done;
  count(!refused_);
  if (!done) {
    auto error = done.error();
    if (std::exchange(refusal_, error.what) != error.what)
      context_.log.error("The new configuration is refused; the old one stays",
                         {{"asked_by", actor}, {"error", error.what}, {"fix", error.fix}});
    error.code = Errc::invalid;
    co_return fail(std::move(error));
  }
  refusal_.clear();
  const auto& rules = fresh->rules;
  tell_warnings(rules, context_.log);
  context_.server.use_context(std::move(*fresh->tls));
  context_.pipeline.use_book(rules.book, rules.coverage);
  context_.levels.use_book(rules.book);
  if (context_.texts != nullptr) *context_.texts = rules.texts;
  const auto groups = rules.book->rules->groups.size();
  context_.pipeline.audit({.at = context_.clock.wall(),
                           .actor = actor,
                           .action = "reload",
                           .subject = "rules",
                           .detail = std::to_string(groups) + " groups, " + reason});
  context_.log.info("New rules and certificates are in force", {{"asked_by", actor}, {"rule_groups", groups}});
  co_return "New rules are in force: " + std::to_string(groups) + " groups, " + std::to_string(rules.warnings.size()) +
      " warnings.";
}

async::Task<void> Reloader::watch() {
  // A file that is being written is left alone until it has been the same for one round.
  std::string seen = signature_;
  while (true) {
    co_await async::sleep_for(context_.config.rules_poll);
    auto now_there = std::make_shared<std::string>();
    std::function<Status()> job = [now_there, patterns = patterns_]() -> Status {
      *now_there = signature_of(patterns);
      return {};
    };
    auto looking = async::run_blocking_to_end(context_.pool, std::move(job));
    (void)co_await std::move(looking);
    const bool quiet = std::exchange(seen, *now_there) == *now_there;
    // What was refused may have been mended in another file, such as a runbook.
    const bool again = refused_ && context_.clock.mono() - tried_ >= kRetryRefused;
    if (!quiet || busy_ || (*now_there == signature_ && !again)) continue;
    auto reloading = reload("rule files", "they have changed");
    (void)co_await std::move(reloading);
  }
}

}  // namespace ward::collector
