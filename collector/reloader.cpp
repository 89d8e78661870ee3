#include "collector/reloader.hpp"

#include <memory>
#include <sys/stat.h>
#include <utility>

#include "common/async/blocking_to_end.hpp"
#include "common/async/within.hpp"

namespace ward::collector {
namespace {

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

Reloader::Reloader(Context context) : context_(std::move(context)), signature_(signature_of(context_.config.rule_patterns)) {
  count(true);
}

void Reloader::count(bool taken) {
  auto& metrics = context_.metrics;
  metrics.gauge("ward_config_last_reload_successful", "1 unless the last reload of rules was refused.").set(taken ? 1 : 0);
  if (taken)
    metrics.gauge("ward_config_last_reload_success_timestamp_seconds", "When rules were taken last.")
        .set(static_cast<double>(to_ms(context_.clock.wall())) / 1'000);
}

Result<std::string> Reloader::reload(const std::string& actor, const std::string& reason) {
  const auto config = load_collector_config(context_.path);
  const auto tls = config ? context_.make_tls(*config) : Result<net::TlsContext>{};
  // Receivers and owners of collector.yaml are those of the start: senders and outbox are made of them.
  auto options = rulebook_options(config ? *config : context_.config);
  options.routing = context_.config.routing;
  options.receivers = rulebook_options(context_.config).receivers;
  signature_ = signature_of(config ? config->rule_patterns : context_.config.rule_patterns);
  auto rules = config ? load_rulebook(config->rule_patterns, context_.compiler, options) : RulebookLoad{};
  refused_ = !config || !tls || !rules.book;
  count(!refused_);
  if (refused_) {
    auto error = !config ? config.error() : !tls ? tls.error() : rules.to_error();
    if (std::exchange(refusal_, error.what) != error.what)
      context_.log.error("The new configuration is refused; the old one stays",
                         {{"asked_by", actor}, {"error", error.what}, {"fix", error.fix}});
    error.code = Errc::invalid;
    return fail(std::move(error));
  }
  refusal_.clear();
  tell_warnings(rules, context_.log);
  context_.server.use_context(*tls);
  context_.pipeline.use_book(rules.book, rules.coverage);
  context_.levels.use_book(rules.book);
  const auto groups = rules.book->rules->groups.size();
  context_.pipeline.audit({.at = context_.clock.wall(),
                           .actor = actor,
                           .action = "reload",
                           .subject = "rules",
                           .detail = std::to_string(groups) + " groups, " + reason});
  context_.log.info("New rules and certificates are in force", {{"asked_by", actor}, {"rule_groups", groups}});
  return "New rules are in force: " + std::to_string(groups) + " groups, " + std::to_string(rules.warnings.size()) +
         " warnings.";
}

async::Task<void> Reloader::watch() {
  // A file that is being written is left alone until it has been the same for one round.
  std::string seen = signature_;
  while (true) {
    co_await async::sleep_for(context_.config.rules_poll);
    auto now_there = std::make_shared<std::string>();
    const auto* patterns = &context_.config.rule_patterns;
    std::function<Status()> job = [now_there, patterns]() -> Status {
      *now_there = signature_of(*patterns);
      return {};
    };
    auto looking = async::run_blocking_to_end(context_.pool, std::move(job));
    (void)co_await std::move(looking);
    const bool quiet = std::exchange(seen, *now_there) == *now_there;
    // What was refused may have been mended in another file, such as a runbook.
    if (quiet && (*now_there != signature_ || refused_)) (void)reload("rule files", "they have changed");
  }
}

}  // namespace ward::collector
