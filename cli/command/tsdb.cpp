// wardctl tsdb stats|verify|dump: what the collector keeps on disk, read without it, and beside it while it runs.
#include <CLI/App.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <ostream>
#include <set>

#include "cli/command/command.hpp"
#include "cli/stored_days.hpp"
#include "cli/table.hpp"
#include "collector/promql/number.hpp"
#include "collector/promql/parser.hpp"
#include "collector/store/sqlite/day_file.hpp"
#include "collector/tsdb/chunk.hpp"
#include "collector/tsdb/queryable.hpp"
#include "common/base/duration.hpp"

namespace ward::cli::command {
namespace {

namespace fs = std::filesystem;
using collector::BlockChunk;
using collector::DayFile;

/// Everything that stands in the file: what counts is the journal's to say.
constexpr auto kAll = std::numeric_limits<std::int64_t>::max();
std::string human(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text.data();
}

std::uint64_t size_of(const fs::path& file) {
  std::uint64_t out = 0;
  for (const char* part : {"", "-wal"}) {
    std::error_code error;
    const auto size = fs::file_size(file.string() + part, error);
    if (!error) out += size;
  }
  return out;
}

struct Counts {
  std::uint64_t bytes = 0;
  std::uint64_t series = 0;
  std::uint64_t blocks = 0;
  std::uint64_t chunks = 0;
  std::uint64_t samples = 0;
  std::set<std::string> tenants;
};

std::vector<std::string> row_of(const std::string& name, const Counts& counts) {
  std::array<char, 32> each{};
  const auto per_sample =
      counts.samples == 0 ? 0.0 : static_cast<double>(counts.bytes) / static_cast<double>(counts.samples);
  std::snprintf(each.data(), each.size(), "%.2f", per_sample);
  return {name,
          human(counts.bytes),
          std::to_string(counts.tenants.size()),
          std::to_string(counts.series),
          std::to_string(counts.blocks),
          std::to_string(counts.chunks),
          std::to_string(counts.samples),
          each.data()};
}

Status stats(const std::string& where, const Outside& outside) {
  const auto files = day_files(where);
  if (!files) return fail(files.error());
  Table table{{"DAY", "SIZE", "TENANTS", "SERIES", "BLOCKS", "CHUNKS", "SAMPLES", "BYTES/SAMPLE"}};
  Counts total;
  for (const auto& path : *files) {
    auto file = DayFile::open(path.string(), "", DayFile::Access::read);
    const auto entries = file ? file->entries(kAll) : Result<std::vector<DayFile::Entry>>{fail(file.error())};
    if (!entries) return fail(entries.error());
    Counts counts;
    counts.bytes = size_of(path);
    for (const auto& [block, batch] : *entries) {
      ++counts.blocks;
      counts.chunks += block.chunks;
      counts.samples += block.samples;
      counts.tenants.insert(block.tenant);
    }
    std::uint64_t damaged = 0;
    if (auto read = file->each_series([&](auto, const Labels&) { ++counts.series; }, damaged); !read) return read;
    table.add(row_of(path.stem().string(), counts));
    total.bytes += counts.bytes;
    total.series = std::max(total.series, counts.series);
    total.blocks += counts.blocks;
    total.chunks += counts.chunks;
    total.samples += counts.samples;
    total.tenants.merge(counts.tenants);
  }
  if (files->size() > 1) table.add(row_of("all", total));
  outside.out << table.to_text();
  return {};
}

/// What is wrong with a file, one line each; empty: nothing.
std::vector<std::string> verify_file(const fs::path& path, std::uint64_t& samples) {
  std::vector<std::string> out;
  const auto say = [&out](const Error& error) { out.push_back(error.what); };
  auto file = DayFile::open(path.string(), "", DayFile::Access::read);
  if (!file) return {file.error().what};
  if (const auto whole = file->integrity(); !whole)
    say(whole.error());
  else if (!whole->empty())
    out.push_back("SQLite says: " + *whole);
  std::set<std::uint32_t> known;
  std::uint64_t damaged = 0;
  if (auto read = file->each_series([&](auto id, const Labels&) { known.insert(id + 1); }, damaged); !read)
    say(read.error());
  if (damaged > 0) out.push_back(std::to_string(damaged) + " series cannot be read");
  const auto entries = file->entries(kAll);
  if (!entries) return say(entries.error()), out;
  for (const auto& [block, batch] : *entries) {
    const auto where = "block " + std::to_string(block.id) + " of tenant '" + block.tenant + "'";
    const auto data = file->data(block);
    if (!data || !*data) {
      out.push_back(where + ": " + (data ? "its checksum is wrong" : data.error().what));
      continue;
    }
    std::uint64_t seen = 0;
    std::uint64_t nameless = 0;
    std::uint64_t broken = 0;
    const bool whole = collector::read_block(**data, block.first, [&](const BlockChunk& chunk) {
      const auto decoded = collector::decode_chunk(chunk.bytes);
      const bool good =
          decoded && !decoded->empty() && decoded->front().t == chunk.t_min && decoded->back().t == chunk.t_max;
      broken += good ? 0 : 1;
      seen += decoded ? decoded->size() : 0;
      nameless += known.contains(chunk.series.get()) ? 0 : 1;
    });
    samples += seen;
    if (!whole || broken > 0 || seen != block.samples)
      out.push_back(where + ": " + std::to_string(broken) + " chunks do not decode, " + std::to_string(seen) + " of " +
                    std::to_string(block.samples) + " samples are there");
    if (nameless > 0)
      out.push_back(where + ": " + std::to_string(nameless) + " chunks are of series whose labels are missing");
  }
  return out;
}

Status verify(const std::string& where, const Outside& outside) {
  const auto files = day_files(where);
  if (!files) return fail(files.error());
  std::size_t bad = 0;
  for (const auto& path : *files) {
    std::uint64_t samples = 0;
    const auto wrong = verify_file(path, samples);
    outside.out << path.filename().string() << ": " << (wrong.empty() ? "whole" : "DAMAGED") << ", " << samples
                << " samples read\n";
    for (const auto& line : wrong) outside.out << "  " << line << '\n';
    bad += wrong.empty() ? 0 : 1;
  }
  if (bad == 0) return {};
  return fail(Errc::corrupt, std::to_string(bad) + " of " + std::to_string(files->size()) + " stored days are damaged",
              "Put them back from a backup while the collector is stopped; without one it reads what is whole.");
}

struct DumpOptions {
  std::string where;
  std::string match;
  std::string from;
  std::string to;
};

Result<std::vector<collector::Matcher>> matchers_of(const std::string& selector) {
  if (selector.empty()) return std::vector<collector::Matcher>{};
  return promql::parse_selector(selector);
}

Result<Time> time_of(const std::string& flag, const std::string& text, Time fallback) {
  if (text.empty()) return fallback;
  const auto time = parse_time(text);
  if (!time)
    return fail(Errc::invalid, flag + " is '" + text + "', which is no time",
                "Write 2026-11-23T10:00:00Z or seconds since 1970.");
  return *time;
}

bool matches(const std::vector<collector::Matcher>& matchers, const Labels& labels) {
  return std::all_of(matchers.begin(), matchers.end(), [&](const auto& m) { return m.matches(labels.get(m.name())); });
}

Status dump_file(const fs::path& path, const std::vector<collector::Matcher>& matchers, Time from, Time to,
                 const Outside& outside) {
  auto file = DayFile::open(path.string(), "", DayFile::Access::read);
  if (!file) return fail(file.error());
  std::map<std::uint32_t, std::string> wanted;
  std::uint64_t damaged = 0;
  auto read = file->each_series(
      [&](auto id, const Labels& labels) {
        if (matches(matchers, labels)) wanted.emplace(id + 1, to_string(labels));
      },
      damaged);
  if (!read) return read;
  const auto entries = file->entries(kAll);
  if (!entries) return fail(entries.error());
  for (const auto& [block, batch] : *entries) {
    if (block.t_max < from || block.t_min > to) continue;
    const auto data = file->data(block);
    if (!data) return fail(data.error());
    if (!*data) continue;  // verify tells
    collector::read_block(**data, block.first, [&](const BlockChunk& chunk) {
      const auto name = wanted.find(chunk.series.get());
      if (name == wanted.end()) return;
      const auto samples = collector::decode_chunk(chunk.bytes);
      if (!samples) return;
      for (const auto& sample : *samples)
        if (sample.t >= from && sample.t <= to)
          outside.out << name->second << ' ' << promql::format_number(sample.v) << ' ' << to_ms(sample.t) << '\n';
    });
  }
  return {};
}

Status dump(const DumpOptions& options, const Outside& outside) {
  const auto files = day_files(options.where);
  if (!files) return fail(files.error());
  const auto matchers = matchers_of(options.match);
  if (!matchers) return fail(matchers.error());
  const auto from = time_of("--from", options.from, Time::min());
  if (!from) return fail(from.error());
  const auto to = time_of("--to", options.to, Time::max());
  if (!to) return fail(to.error());
  for (const auto& path : *files)
    if (auto dumped = dump_file(path, *matchers, *from, *to, outside); !dumped) return dumped;
  return {};
}

}  // namespace

void add_tsdb(CLI::App& app, const Outside& outside, Status& outcome) {
  auto* tsdb = app.add_subcommand("tsdb", "Look into the samples a collector keeps on disk; it may run meanwhile");
  tsdb->require_subcommand(1);
  const auto options = std::make_shared<DumpOptions>();
  const auto add = [&](const char* name, const char* what) {
    auto* command = tsdb->add_subcommand(name, what);
    command->add_option("where", options->where, "The collector's data_dir, its folder days, or one file")
        ->required()
        ->type_name("PATH");
    return command;
  };
  add("stats", "Size, tenants, series, chunks and samples of each day")->callback([=, &outside, &outcome] {
    outcome = stats(options->where, outside);
  });
  add("verify", "Read everything and say what is damaged")->callback([=, &outside, &outcome] {
    outcome = verify(options->where, outside);
  });
  auto* dumping = add("dump", "Print samples, a line each: series, value, time in ms");
  dumping->add_option("--match", options->match, "Only series of this selector")->type_name("SELECTOR");
  dumping->add_option("--from", options->from, "Not before, 2026-11-23T10:00:00Z or seconds since 1970")->type_name("TIME");
  dumping->add_option("--to", options->to, "Not after")->type_name("TIME");
  dumping->callback([=, &outside, &outcome] { outcome = dump(*options, outside); });
}

}  // namespace ward::cli::command
