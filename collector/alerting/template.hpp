#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "collector/alerting/expression.hpp"
#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/model/labels.hpp"

namespace ward::collector {

namespace templates {
struct Node;
}

/// What a rule's template may see of one alert.
struct TemplateData {
  Labels labels;           ///< of the series, __name__ included
  double value = 0;        ///< of the expression
  Labels external_labels;  ///< of this collector
  std::string external_url;
  std::function<Result<Vector>(const std::string& query)> query;  ///< empty: `query` refuses
};

/// A label or annotation template in the subset of Go's text/template that Prometheus rules use. Label text is data: it is
/// never parsed again. Immutable, cheap to copy.
class Template {
 public:
  /// `alert` names the template in errors. Errors as Prometheus words them:
  /// `template: __alert_X:1: undefined variable "$label"`.
  static Result<Template> parse(std::string_view alert, std::string_view text);

  /// Text that is never expanded.
  static Template plain(std::string_view text);

  /// Text over 64 KiB is refused, so that a `range` over a large query cannot fill memory.
  [[nodiscard]] Result<std::string> render(const TemplateData& data) const;
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  Template(std::string name, std::string text, std::shared_ptr<const std::vector<templates::Node>> nodes);
  std::string name_;
  std::string text_;
  std::shared_ptr<const std::vector<templates::Node>> nodes_;  ///< null: plain text
};

}  // namespace ward::collector
