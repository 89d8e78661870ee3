// Templates of labels and annotations, rendered over one alert whose label text looks like a template itself.
#include "collector/alerting/template.hpp"

#include "tests/fuzz/target.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ward;
  using namespace ward::collector;
  const auto parsed = Template::parse("Fuzz", ward::fuzz::text({data, size}));
  if (!parsed) {
    WARD_ASSERT(parsed.error().what.starts_with("template: "));
    return 0;
  }
  TemplateData alert;
  alert.labels = Labels{{"__name__", "up"}, {"instance", "{{ .Value }}"}, {"job", "pg"}};
  alert.value = -1.5e9;
  alert.external_labels = Labels{{"site", "north"}};
  alert.external_url = "https://ward.example";
  alert.query = [](const std::string& query) -> Result<Vector> {
    if (query.empty()) return fail(Errc::invalid, "empty", "Write one.");
    return Vector{{Labels{{"__name__", query}, {"x", "1"}}, 1}, {Labels{{"x", "2"}}, 2}};
  };
  const auto rendered = parsed->render(alert);
  WARD_ASSERT(!rendered || rendered->size() <= 64 << 10);
  return 0;
}
