#include "collector/alerting/rule.hpp"

#include <algorithm>

namespace ward::collector {
namespace {

constexpr std::string_view kTenant = "tenant";

}  // namespace

const TenantException* Rule::exception_for(const Labels& instance) const {
  if (exceptions.empty()) return nullptr;
  const auto tenant = instance.get(kTenant);
  const auto it = std::find_if(exceptions.begin(), exceptions.end(), [&](const auto& e) { return e.tenant == tenant; });
  return it == exceptions.end() ? nullptr : &*it;
}

milliseconds Rule::hold_for(const Labels& instance) const {
  const auto* exception = exception_for(instance);
  return exception != nullptr && exception->hold ? *exception->hold : hold;
}

Result<Vector> Rule::evaluate(Time at) const {
  auto result = expression->evaluate(at);
  if (!result || exceptions.empty()) return result;
  std::erase_if(*result, [this](const VectorSample& sample) {
    const auto* exception = exception_for(sample.labels);
    return exception != nullptr && (!exception->enabled || exception->expression);
  });
  for (const auto& exception : exceptions) {
    if (!exception.enabled || !exception.expression) continue;
    auto own = exception.expression->evaluate(at);
    if (!own) return own;
    for (auto& sample : *own)
      if (sample.labels.get(kTenant) == exception.tenant) result->push_back(std::move(sample));
  }
  return result;
}

}  // namespace ward::collector
