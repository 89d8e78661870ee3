#pragma once
#include <functional>
#include <string>
#include <vector>

#include "collector/config.hpp"
#include "collector/ingest/stream_server.hpp"
#include "collector/pipeline.hpp"
#include "collector/rulebook/rulebook.hpp"
#include "collector/service_levels.hpp"

namespace ward::collector {

/// Warnings of rules that are in force.
void tell_warnings(const RulebookLoad& load, telemetry::Logger& log);

/// New rules and certificates while the collector runs: when somebody asks (SIGHUP, the API) and when a rule file has
/// changed. All of them or none; what is refused is said and the old ones stay. Thread: the io thread; everything it is
/// given outlives it.
class Reloader {
 public:
  struct Context {
    const Clock& clock;
    telemetry::Logger& log;
    telemetry::Registry& metrics;
    async::BlockingPool& pool;
    std::string path;               ///< of collector.yaml
    const CollectorConfig& config;  ///< that of the start: receivers and owners stay those
    const ExpressionCompiler& compiler;
    StreamServer& server;
    Pipeline& pipeline;
    ServiceLevels& levels;
    std::function<Result<net::TlsContext>(const CollectorConfig&)> make_tls;
    std::vector<RuleText>* texts = nullptr;  ///< gets the rule files that are in force; null: nobody wants them
  };
  explicit Reloader(Context context);

  /// Reads off the io thread; a sentence about what is in force now. `actor` and `reason` stand in the audit and in the log.
  /// Waits for another one that is under way. Errors: invalid, with every problem; overloaded when that takes too long.
  async::Task<Result<std::string>> reload(std::string actor, std::string reason);
  /// Looks at the rule files every `rules_poll` of the configuration, for ever.
  async::Task<void> watch();

 private:
  struct Read;
  static Status read(const Context& context, Read& into);
  void count(bool taken);

  Context context_;
  std::vector<std::string> patterns_;  ///< those in force, or refused last
  std::string signature_;              ///< of the rule files at the last reload
  bool busy_ = false;
  bool refused_ = false;  ///< the last reload was
  std::string refusal_;   ///< what was said of it
  MonoTime tried_{};
};

}  // namespace ward::collector
