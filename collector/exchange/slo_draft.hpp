#pragma once
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "collector/exchange/note.hpp"
#include "collector/exchange/ratio_query.hpp"
#include "collector/exchange/yaml.hpp"
#include "common/base/time.hpp"

namespace ward::collector::exchange {

/// A service level of another tool on its way into an openslo/v1 document.
struct SloDraft {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  config::Position at;
  std::string name;
  std::string service;
  std::string description;
  std::string target_percent;  ///< as written, "99.9"
  std::string period = "30d";
  RatioIndicator indicator;  ///< unless `gauge` is set
  std::string gauge;         ///< a selector that is good at 1
  std::string policy;        ///< of burn alerts; "" for none
  Pairs labels;              ///< kept for people; alerts do not get them
  Pairs annotations;         ///< ward.io/...
  [[nodiscard]] bool has_annotation(const std::string& key) const;
};

/// A pair of windows on its way into a BurnPolicy.
struct BurnDraft {
  std::string budget{};  ///< "2%", or
  double factor = 0;
  milliseconds long_window{0};
  milliseconds short_window{0};
  bool page = false;
  milliseconds after{0};
};

Yaml slo_document(const SloDraft& draft);
Yaml burn_policy_document(const std::string& name, const std::vector<BurnDraft>& windows);
/// A number above 0 and below 100.
bool is_target_percent(const std::string& text);

/// Labels of the other tool's alerts: an owner that Ward knows becomes its owner, the rest stays in the document.
void take_labels(SloDraft& draft, const SloDraft::Pairs& labels, const config::Position& at, Notes& notes);
/// Annotations of the other tool's alerts: summary, description and runbook have a place, the rest is told. What stands
/// there already stays.
void take_annotations(SloDraft& draft, const SloDraft::Pairs& annotations, const config::Position& at, Notes& notes);
/// Grouping by labels that Ward's own series and alerts have is told and left out.
void take_grouping(SloDraft& draft, const std::vector<std::string>& labels, const config::Position& at, Notes& notes);
/// No two SLOs of a file set have one name; false when it was taken, which is told.
bool is_new_name(std::set<std::string>& taken, const SloDraft& draft, Notes& notes);

}  // namespace ward::collector::exchange
