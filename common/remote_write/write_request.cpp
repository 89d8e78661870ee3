#include "common/remote_write/write_request.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <protozero/pbf_reader.hpp>
#include <tuple>
#include <unordered_set>

#include "common/base/utf8.hpp"
#include "common/model/labels.hpp"

namespace ward::remote_write {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;

// A field is asked for by number and wire type together: the library trusts its caller with the latter.
constexpr std::uint32_t field(std::uint32_t number, pbf_wire_type type) { return protozero::tag_and_type(number, type); }
constexpr auto kBytes = pbf_wire_type::length_delimited;
constexpr auto kVarint = pbf_wire_type::varint;
constexpr auto kFixed64 = pbf_wire_type::fixed64;

/// As wire::kMaxTime: differences of two times never overflow.
constexpr std::int64_t kMaxTime = std::int64_t{1} << 53;

constexpr char kLabelsTag = field(1, kBytes);

std::string_view view(const protozero::data_view& v) { return {v.data(), v.size()}; }
pbf_reader reader(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

/// A cut text stays UTF-8.
std::string_view cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return text.substr(0, most);
}

MetricType type_of(std::int32_t number) {
  switch (number) {
    case 1: return MetricType::counter;
    case 2: return MetricType::gauge;
    case 3: return MetricType::histogram;
    case 5: return MetricType::summary;
    case 6: return MetricType::info;
    default: return MetricType::unknown;
  }
}

/// 2.0 tells metadata by series; the series of a histogram or summary have longer names than its family.
std::string_view family_of(std::string_view metric, MetricType type) {
  if (type != MetricType::histogram && type != MetricType::summary) return metric;
  for (const std::string_view end : {"_bucket", "_sum", "_count"})
    if (metric.size() > end.size() && metric.ends_with(end)) return metric.substr(0, metric.size() - end.size());
  return metric;
}

class Decoder {
 public:
  Decoder(const Limits& limits, KnownSeries* known) : limits_(limits), known_(known) {}

  void read_v1(std::string_view bytes) {
    const auto about = bytes.size() / kUsualSeriesBytes;
    out_.samples.reserve(std::min(about, limits_.samples));
    out_.series.reserve(std::min(about, limits_.series));
    auto in = reader(bytes);
    while (!overflow_ && in.next()) {
      switch (in.tag_and_type()) {
        case field(1, kBytes): put_by(view(in.get_view())); break;
        case field(3, kBytes): read_metadata_v1(in.get_message()); break;
        default: in.skip();
      }
    }
    read_put_by();
  }

  void read_v2(std::string_view bytes) {
    // The table comes first by custom only.
    for (pbf_reader in(bytes.data(), bytes.size()); !overflow_ && in.next();) {
      if (in.tag_and_type() == field(4, kBytes)) {
        const auto text = view(in.get_view());
        symbols_.push_back({text, is_utf8(text)});
        if (symbols_.size() > limits_.symbols) overflow("symbols", limits_.symbols);
      } else {
        in.skip();
      }
    }
    if (!symbols_.empty() && !symbols_.front().text.empty()) malformed_ = "its first symbol is not the empty string";
    for (pbf_reader in(bytes.data(), bytes.size()); !overflow_ && !malformed_ && in.next();) {
      if (in.tag_and_type() == field(5, kBytes))
        read_series_v2(in.get_message());
      else
        in.skip();
    }
  }

  Result<WriteRequest> take() {
    if (overflow_) return fail(*overflow_);
    if (malformed_) return malformed(*malformed_);
    return std::move(out_);
  }
  static tl::unexpected<Error> malformed(std::string_view why) {
    return fail(Errc::invalid, "the body is not the protobuf message that its content type names: " + std::string(why),
                "Check which remote write version the sender is set to");
  }

 private:
  struct Symbol {
    std::string_view text;
    bool good = true;
  };

  void begin_series() {
    problem_.reset();
    series_ = Series{};
    series_.first_label = static_cast<std::uint32_t>(out_.labels.size());
    series_.first_sample = static_cast<std::uint32_t>(out_.samples.size());
    early_samples_ = 0;
    if (++count_ > limits_.series) overflow("series", limits_.series);
  }

  void add_label(std::string_view name, std::string_view value) {
    if (out_.labels.size() - series_.first_label == kMaxLabels)
      problem(Refusal::too_many_labels);
    else
      out_.labels.push_back({name, value});
  }

  void read_label_v1(pbf_reader in) {
    LabelView label;
    while (in.next()) {
      switch (in.tag_and_type()) {
        case field(1, kBytes): label.name = view(in.get_view()); break;
        case field(2, kBytes): label.value = view(in.get_view()); break;
        default: in.skip();
      }
    }
    if (!is_utf8(label.name) || !is_utf8(label.value)) problem(Refusal::not_utf8);
    add_label(label.name, label.value);
  }

  void read_sample(pbf_reader in) {
    double value = 0;
    std::int64_t time = 0;
    while (in.next()) {
      switch (in.tag_and_type()) {
        case field(1, kFixed64): value = in.get_double(); break;
        case field(2, kVarint): time = in.get_int64(); break;
        default: in.skip();
      }
    }
    if (++samples_ > limits_.samples) return overflow("samples", limits_.samples);
    if (time > kMaxTime || time < -kMaxTime)
      ++early_samples_;
    else
      out_.samples.push_back({from_ms(time), value});
  }

  /// Series are looked up some at a time: for who knows them that is one lock.
  void put_by(std::string_view series) {
    if (known_ == nullptr) return read_series_v1(reader(series));
    waiting_[waits_] = series;
    label_bytes_[waits_] = labels_of(series);
    if (++waits_ == kAtOnce) read_put_by();
  }

  void read_put_by() {
    if (waits_ == 0) return;
    known_->find(std::span(label_bytes_).first(waits_), std::span(numbers_).first(waits_));
    for (std::size_t i = 0; i < waits_ && !overflow_; ++i)
      if (numbers_[i] == Series::kUnknown || !read_known(numbers_[i], waiting_[i].substr(label_bytes_[i].size())))
        read_series_v1(reader(waiting_[i]));
    waits_ = 0;
  }

  /// The fields `labels` with which a TimeSeries begins.
  static std::string_view labels_of(std::string_view series) {
    const char* at = series.data();
    const char* const end = at + series.size();
    while (at != end && *at == kLabelsTag) {
      const char* value = at + 1;
      const auto size = protozero::decode_varint(&value, end);
      if (size > static_cast<std::uint64_t>(end - value)) break;
      at = value + size;
    }
    return series.substr(0, static_cast<std::size_t>(at - series.data()));
  }

  /// A series without its labels. False, and nothing happened: it is not that simple.
  bool read_known(std::uint32_t number, std::string_view rest) {
    const auto before = std::tuple{count_, samples_, out_.exemplars, out_.histograms};
    bool simple = true;
    begin_series();
    for (auto in = reader(rest); simple && !overflow_ && in.next();) {
      switch (in.tag_and_type()) {
        case field(1, kBytes): simple = false; break;  // labels behind others
        case field(2, kBytes): read_sample(in.get_message()); break;
        case field(3, kBytes): ++out_.exemplars, in.skip(); break;
        case field(4, kBytes): ++out_.histograms, in.skip(); break;
        default: in.skip();
      }
    }
    if (!simple || early_samples_ > 0) {
      out_.samples.resize(series_.first_sample);
      std::tie(count_, samples_, out_.exemplars, out_.histograms) = before;
      return false;
    }
    series_.known = number;
    series_.samples = static_cast<std::uint32_t>(out_.samples.size() - series_.first_sample);
    out_.series.push_back(series_);
    return true;
  }

  void read_series_v1(pbf_reader in) {
    begin_series();
    while (!overflow_ && in.next()) {
      switch (in.tag_and_type()) {
        case field(1, kBytes): read_label_v1(in.get_message()); break;
        case field(2, kBytes): read_sample(in.get_message()); break;
        case field(3, kBytes): ++out_.exemplars, in.skip(); break;
        case field(4, kBytes): ++out_.histograms, in.skip(); break;
        default: in.skip();
      }
    }
    end_series();
  }

  void read_metadata_v1(pbf_reader in) {
    Metadata told;
    while (in.next()) {
      switch (in.tag_and_type()) {
        case field(1, kVarint): told.type = type_of(in.get_enum()); break;
        case field(2, kBytes): told.metric = view(in.get_view()); break;
        case field(4, kBytes): told.help = view(in.get_view()); break;
        case field(5, kBytes): told.unit = view(in.get_view()); break;
        default: in.skip();
      }
    }
    if (is_utf8(told.metric) && is_utf8(told.help) && is_utf8(told.unit)) describe(told);
  }

  void describe(Metadata told) {
    if (told.metric.empty() || (told.type == MetricType::unknown && told.help.empty() && told.unit.empty())) return;
    if (out_.metadata.size() == limits_.series || !described_.insert(told.metric).second) return;
    told.help = cut(told.help, kMaxHelp);
    told.unit = cut(told.unit, kMaxUnit);
    out_.metadata.push_back(told);
  }

  /// The text behind a reference; empty and a problem of the series when there is none.
  std::string_view symbol(std::uint32_t reference) {
    if (reference >= symbols_.size()) {
      problem(Refusal::bad_reference);
      return {};
    }
    if (!symbols_[reference].good) problem(Refusal::not_utf8);
    return symbols_[reference].text;
  }

  void add_reference(std::uint32_t reference) {
    if (!name_reference_) {
      name_reference_ = reference;
      return;
    }
    add_label(symbol(*name_reference_), symbol(reference));
    name_reference_.reset();
  }

  void read_series_v2(pbf_reader in) {
    begin_series();
    name_reference_.reset();
    std::optional<std::int32_t> type;
    std::uint32_t help = 0, unit = 0;
    while (!overflow_ && in.next()) {
      switch (in.tag_and_type()) {
        case field(1, kBytes):
          for (const auto reference : in.get_packed_uint32()) add_reference(reference);
          break;
        case field(1, kVarint): add_reference(in.get_uint32()); break;
        case field(2, kBytes): read_sample(in.get_message()); break;
        case field(3, kBytes): ++out_.histograms, in.skip(); break;
        case field(4, kBytes): ++out_.exemplars, in.skip(); break;
        case field(5, kBytes):
          for (auto meta = in.get_message(); meta.next();) {
            switch (meta.tag_and_type()) {
              case field(1, kVarint): type = meta.get_enum(); break;
              case field(3, kVarint): help = meta.get_uint32(); break;
              case field(4, kVarint): unit = meta.get_uint32(); break;
              default: meta.skip();
            }
          }
          break;
        default: in.skip();
      }
    }
    if (name_reference_) problem(Refusal::bad_reference);
    // Nothing is stored of a wrong description, and nothing is lost: it is told again.
    const auto text = [&](std::uint32_t at) { return at < symbols_.size() && symbols_[at].good ? symbols_[at].text : ""; };
    if (end_series())
      describe({family_of(name_of_last(), type_of(type.value_or(0))), type_of(type.value_or(0)), text(help), text(unit)});
  }

  [[nodiscard]] std::string_view name_of(std::size_t first_label) const {
    for (std::size_t i = first_label; i < out_.labels.size(); ++i)
      if (out_.labels[i].name == kNameLabel) return out_.labels[i].value;
    return {};
  }
  [[nodiscard]] std::string_view name_of_last() const { return name_of(out_.series.back().first_label); }

  /// Takes the series or what there is of it back; true when it is good.
  bool end_series() {
    if (overflow_) return false;
    const auto samples = out_.samples.size() - series_.first_sample;
    if (!problem_) check_labels();
    if (problem_) {
      refuse(*problem_, 1, samples + early_samples_);
      out_.labels.resize(series_.first_label);
      out_.samples.resize(series_.first_sample);
      return false;
    }
    if (early_samples_ > 0) refuse(Refusal::bad_time, 0, early_samples_);
    series_.labels = static_cast<std::uint32_t>(out_.labels.size() - series_.first_label);
    series_.samples = static_cast<std::uint32_t>(samples);
    out_.series.push_back(series_);
    return true;
  }

  void check_labels() {
    std::size_t text = 0;
    bool named = false;
    const auto labels = std::span(out_.labels).subspan(series_.first_label);
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (labels[i].name.empty()) return problem(Refusal::empty_label);
      if (i > 0 && labels[i - 1].name == labels[i].name) return problem(Refusal::duplicate_label);
      if (i > 0 && labels[i - 1].name > labels[i].name) return problem(Refusal::unsorted_labels);
      named = named || (labels[i].name == kNameLabel && !labels[i].value.empty());
      text += labels[i].name.size() + labels[i].value.size();
    }
    if (!named) return problem(Refusal::no_name);
    if (text > kMaxLabelText) return problem(Refusal::long_labels);
    // Senders shall not write them, and some do (OpenTelemetry's exporter, Vector, federation). To Prometheus such a label
    // is absent, here too.
    const auto begin = out_.labels.begin() + series_.first_label;
    out_.labels.erase(std::remove_if(begin, out_.labels.end(), [](const LabelView& l) { return l.value.empty(); }),
                      out_.labels.end());
  }

  void problem(Refusal refusal) {
    if (!problem_) problem_ = refusal;
  }

  void refuse(Refusal refusal, std::uint64_t series, std::uint64_t samples) {
    auto& counts = out_.refused[refusal];
    counts.series += series;
    counts.samples += samples;
    if (!out_.first_refused.empty()) return;
    const auto name = name_of(series_.first_label);
    out_.first_refused = "series " + std::to_string(count_) + " of the request";
    if (!name.empty() && name.size() <= kMaxShownName && is_utf8(name)) out_.first_refused += " (" + std::string(name) + ")";
    out_.first_refused += ": " + std::string(words_of(refusal));
  }

  static std::string_view words_of(Refusal refusal) {
    switch (refusal) {
      case Refusal::no_name: return "it has no label __name__";
      case Refusal::empty_label: return "a label has an empty name";
      case Refusal::duplicate_label: return "a label name comes twice";
      case Refusal::unsorted_labels: return "its labels are not sorted by name";
      case Refusal::not_utf8: return "a label is not valid UTF-8";
      case Refusal::too_many_labels: return "it has more than 64 labels";
      case Refusal::long_labels: return "its labels have more than 15 KiB of text";
      case Refusal::bad_reference: return "its labels refer to a symbol that is not there";
      case Refusal::bad_time: return "a sample's time is no time in milliseconds";
    }
    return {};
  }

  void overflow(std::string_view what, std::size_t limit) {
    overflow_ = Error{Errc::overloaded, "the request has more than " + std::to_string(limit) + " " + std::string(what),
                      "Send fewer samples in a request"};
  }

  static constexpr std::size_t kMaxShownName = 200;
  static constexpr std::size_t kUsualSeriesBytes = 200;
  static constexpr std::size_t kAtOnce = 64;
  const Limits& limits_;
  KnownSeries* known_;
  std::array<std::string_view, kAtOnce> waiting_, label_bytes_;
  std::array<std::uint32_t, kAtOnce> numbers_{};
  std::size_t waits_ = 0;
  WriteRequest out_;
  std::vector<Symbol> symbols_;
  std::unordered_set<std::string_view> described_;
  std::optional<Error> overflow_;
  std::optional<std::string_view> malformed_;
  // Of the series being read.
  Series series_;
  std::optional<Refusal> problem_;
  std::optional<std::uint32_t> name_reference_;  // waits for that of its value
  std::uint64_t early_samples_ = 0;              // outside of time
  std::size_t count_ = 0, samples_ = 0;          // of the request so far
};

}  // namespace

std::string_view to_string(Refusal refusal) {
  switch (refusal) {
    case Refusal::no_name: return "no_name";
    case Refusal::empty_label: return "empty_label";
    case Refusal::duplicate_label: return "duplicate_label";
    case Refusal::unsorted_labels: return "unsorted_labels";
    case Refusal::not_utf8: return "not_utf8";
    case Refusal::too_many_labels: return "too_many_labels";
    case Refusal::long_labels: return "long_labels";
    case Refusal::bad_reference: return "bad_reference";
    case Refusal::bad_time: return "bad_time";
  }
  return "unknown";
}

Result<WriteRequest> decode(Message message, std::string_view bytes, const Limits& limits, KnownSeries* known) {
  Decoder decoder(limits, known);
  try {
    switch (message) {
      case Message::v1: decoder.read_v1(bytes); break;
      case Message::v2: decoder.read_v2(bytes); break;
    }
  } catch (const protozero::exception& e) {
    return Decoder::malformed(e.what());
  }
  return decoder.take();
}

}  // namespace ward::remote_write
