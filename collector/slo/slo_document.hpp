#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collector/slo/alert_policy_document.hpp"
#include "collector/slo/indicator_document.hpp"
#include "collector/slo/slo.hpp"
#include "common/config/node.hpp"

namespace ward::collector::slo {

struct SloOptions {
  milliseconds scrape_interval{std::chrono::seconds{15}};  ///< of SLOs that do not tell theirs
};

/// Reads the SLO documents of all rule files: OpenSLO v1 (SLO, SLI, Service, AlertPolicy, AlertCondition; DataSource and
/// AlertNotificationTarget are accepted and not used) and ward/v1 BurnPolicy. Ward's additions are annotations `ward.io/...`
/// (docs/slo.md). Strict: unknown keys, wrong kinds and impossible values are problems at their place, all of them at
/// once. Give it every document first, then finish(): documents may name others in any order.
class SloDocuments {
 public:
  explicit SloDocuments(SloOptions options = {});

  /// Whether a document of this kind is for this reader.
  static bool owns(std::string_view api_version, std::string_view kind);
  void read(const config::Node& document, config::Problems& problems);
  /// Joins what was read. A set with problems must not be used. `warnings`: what loads and is probably not meant.
  SloSet finish(config::Problems& problems, config::Problems& warnings);

 private:
  struct Objective {
    config::Position at;
    std::string name;
    double target = 0;
    std::optional<Comparison> op;
    double value = 0;
    double slice_target = 1;
    minutes slice{1};
    IndicatorUse indicator;
    double weight = 0;
  };
  struct Draft {
    SloSpec spec;
    config::Position at;
    IndicatorUse indicator;
    std::vector<Objective> objectives;
    std::vector<std::string> policy_names;
    std::vector<config::Position> policy_places;
    std::vector<BurnPolicySpec> policies;
    std::vector<std::string> composite;
    std::optional<SliSource> up;
    milliseconds scrape_interval{0};
  };

  void read_slo(config::Section& document, const std::string& name, config::Section& annotations);
  void read_period(config::Section& spec, Draft& draft);
  void read_objective(config::Section& from, Draft& draft);
  void read_policies(config::Section& spec, Draft& draft);
  bool is_new(const std::string& kind, const std::string& name, const config::Position& at, config::Problems& problems);
  void join(Draft& draft, SloSet& into, config::Problems& problems, config::Problems& warnings);
  void join_path(const Draft& draft, SloSpec spec, SloSet& into, config::Problems& problems);
  bool join_indicator(const IndicatorUse& use, const Draft& draft, SloSpec& spec, config::Problems& problems);
  void join_burn(const Draft& draft, SloSpec& spec, config::Problems& problems, config::Problems& warnings);
  void check_paths(SloSet& set, config::Problems& problems);

  SloOptions options_;
  std::map<std::pair<std::string, std::string>, config::Position> names_;  // by kind and name
  std::map<std::string, Indicator> indicators_;
  std::map<std::string, BurnPolicySpec> policies_;
  std::map<std::string, BurnCondition> conditions_;
  std::map<std::string, config::Position> places_;  // of SLOs
  std::vector<std::string> services_;
  std::vector<Draft> drafts_;
};

}  // namespace ward::collector::slo
