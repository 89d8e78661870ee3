#include "common/wire/series.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/base/assert.hpp"
#include "common/wire/record.hpp"

namespace ward::wire {
namespace {

// What a change does to the label at its place; the low two bits of a change.
enum Kind : std::uint8_t {
  kValue = 0,   // another value
  kAdded = 1,   // a label the entry before did not have stands here
  kAbsent = 2,  // the label of the entry before is not in this one
};
constexpr std::uint64_t kKindBits = 2;
// Every label of the entry before goes and as many come.
constexpr std::uint64_t kMaxChanges = 2 * kMaxLabels;

std::size_t shared_prefix(std::string_view a, std::string_view b) {
  const auto end =
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(std::min(a.size(), b.size())), b.begin());
  return static_cast<std::size_t>(end.first - a.begin());
}

class Writer {
 public:
  explicit Writer(ByteWriter& out) : out_(out) {}

  void entry(const SeriesEntry& entry) {
    out_.svarint(static_cast<std::int64_t>(entry.id) - expected_id_);
    expected_id_ = static_cast<std::int64_t>(entry.id) + 1;
    scratch_.clear();
    changes_ = 0;
    list(entry.labels);
    out_.varint(changes_);
    out_.raw(scratch_);
    before_ = &entry.labels;
  }

 private:
  void list(const Labels& labels) {
    ByteWriter w(scratch_);
    auto old = before_->begin();
    std::uint64_t skipped = 0;
    const auto change = [&](Kind kind) {
      w.varint(skipped << kKindBits | kind);
      skipped = 0;
      ++changes_;
    };
    for (const auto& [name, value] : labels) {
      for (; old != before_->end() && old->first < name; ++old) change(kAbsent);
      if (old == before_->end() || old->first != name) {
        change(kAdded);
        text(w, name);
        text(w, value);
        continue;
      }
      if (old->second == value) {
        ++skipped;
      } else {
        change(kValue);
        text(w, value, &old->second);
      }
      ++old;
    }
    for (; old != before_->end(); ++old) change(kAbsent);
  }

  // Odd: the number of a text of this frame. Even: the length of a new one, or of what is behind its shared beginning.
  void text(ByteWriter& w, std::string_view text, const std::string* replaced = nullptr) {
    const auto [known, is_new] = numbers_.emplace(text, numbers_.size());
    if (!is_new) return w.varint(known->second << 1 | 1);
    const auto shared = replaced != nullptr ? shared_prefix(text, *replaced) : 0;
    const auto rest = text.substr(shared);
    w.varint(rest.size() << 1);
    if (replaced != nullptr) w.varint(shared);
    w.raw({reinterpret_cast<const std::uint8_t*>(rest.data()), rest.size()});
  }

  ByteWriter& out_;
  Buffer scratch_;
  std::uint64_t changes_ = 0;
  std::int64_t expected_id_ = 0;
  const Labels none_;
  const Labels* before_ = &none_;
  std::unordered_map<std::string_view, std::uint64_t> numbers_;  // of texts in the entries, which outlive this
};

class Reader {
 public:
  explicit Reader(ByteReader& in) : in_(in) {}

  SeriesEntry entry() {
    SeriesEntry out;
    std::int64_t id = 0;
    if (__builtin_add_overflow(expected_id_, in_.svarint(), &id) || id < 0 || id > std::int64_t{~std::uint32_t{0}})
      in_.fail();
    if (!in_.ok()) return out;
    out.id = static_cast<std::uint32_t>(id);
    expected_id_ = id + 1;
    list();
    if (in_.ok()) out.labels = Labels{before_};
    return out;
  }

 private:
  void list() {
    const auto changes = in_.varint();
    if (changes > kMaxChanges) in_.fail();
    std::vector<Label> labels;
    std::size_t at = 0;
    for (std::uint64_t i = 0; in_.ok() && i < changes; ++i) {
      const auto change = in_.varint();
      const auto skipped = change >> kKindBits;
      if (skipped > before_.size() - at) return in_.fail();
      for (const auto end = at + static_cast<std::size_t>(skipped); at < end; ++at) labels.push_back(before_[at]);
      if (!apply(change & ((1U << kKindBits) - 1), at, labels)) return in_.fail();
    }
    labels.insert(labels.end(), before_.begin() + static_cast<std::ptrdiff_t>(at), before_.end());
    if (!in_.ok() || !is_orderly(labels)) return in_.fail();
    before_ = std::move(labels);
  }

  bool apply(std::uint64_t kind, std::size_t& at, std::vector<Label>& labels) {
    if (kind == kAdded) {
      auto name = text();
      auto value = text();
      labels.emplace_back(std::move(name), std::move(value));
      return true;
    }
    if (kind > kAbsent || at == before_.size()) return false;
    if (kind == kValue) labels.emplace_back(before_[at].first, text(&before_[at].second));
    ++at;
    return true;
  }

  std::string text(const std::string* replaced = nullptr) {
    const auto form = in_.varint();
    const auto number = static_cast<std::size_t>(form >> 1);
    if ((form & 1) != 0 && number < texts_.size()) return texts_[number];
    const auto shared = replaced != nullptr ? in_.varint() : 0;
    const bool possible = (form & 1) == 0 && number <= kMaxLabelValue && (shared == 0 || shared <= replaced->size());
    const auto rest = in_.raw(possible ? number : 0);
    if (!possible) in_.fail();
    if (!in_.ok()) return {};
    auto& text = texts_.emplace_back(shared == 0 ? std::string{} : replaced->substr(0, static_cast<std::size_t>(shared)));
    text.append(rest.begin(), rest.end());
    return text;
  }

  bool is_orderly(const std::vector<Label>& labels) {
    if (labels.size() > kMaxLabels) return false;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const auto& [name, value] = labels[i];
      if (name.empty() || value.empty() || name.size() > kMaxLabelName || value.size() > kMaxLabelValue) return false;
      if (i > 0 && labels[i - 1].first >= name) return false;
      text_ += name.size() + value.size();
    }
    return text_ <= kMaxSeriesText;
  }

  ByteReader& in_;
  std::int64_t expected_id_ = 0;
  std::vector<Label> before_;
  std::vector<std::string> texts_;
  std::size_t text_ = 0;
};

}  // namespace

std::size_t text_size(const Labels& labels) {
  std::size_t out = 0;
  for (const auto& [name, value] : labels) out += name.size() + value.size();
  return out;
}

void write_series(ByteWriter& out, const std::vector<SeriesEntry>& entries) {
  WARD_ASSERT(entries.size() <= kMaxSeriesEntries);
  out.varint(entries.size());
  Writer writer(out);
  for (const auto& entry : entries) writer.entry(entry);
}

std::vector<SeriesEntry> read_series(ByteReader& in) {
  std::vector<SeriesEntry> entries;
  const auto count = in.varint();
  if (count > kMaxSeriesEntries) in.fail();
  Reader reader(in);
  for (std::uint64_t i = 0; in.ok() && i < count; ++i) {
    auto entry = reader.entry();
    if (in.ok()) entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace ward::wire
