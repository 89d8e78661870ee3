#include "tests/e2e/ledger.hpp"

#include <set>
#include <stdexcept>

#include "common/sqlite/database.hpp"
#include "common/wire/record.hpp"
#include "tests/support/processes.hpp"

namespace ward::test {
namespace {

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(describe(result.error()));
  return std::move(*result);
}

class Copy {
 public:
  Copy(const std::filesystem::path& data_dir, const std::string& name) : db_(open(dir_, data_dir, name)) {}

  template <class Row>
  void each(const std::string& sql, const Row& row) {
    auto statement = must(db_.prepare(sql));
    while (must(statement.step())) row(statement);
  }

 private:
  static sqlite::Database open(const TempDir& to, const std::filesystem::path& data_dir, const std::string& name) {
    for (const char* part : {"", "-wal"})
      if (std::filesystem::exists(data_dir / (name + part)))
        std::filesystem::copy_file(data_dir / (name + part), to / (name + part));
    sqlite::OpenOptions options;
    options.path = (to / name).string();
    return must(sqlite::Database::open(options));
  }
  TempDir dir_{"ledger"};
  sqlite::Database db_;
};

struct Range {
  std::int64_t from, to;
  auto operator<=>(const Range&) const = default;
};

std::string words(const Range& range) { return std::to_string(range.from) + ".." + std::to_string(range.to); }

/// Every sequence from 1 to durable has to be in one range and in no other.
void check_cover(const std::multiset<Range>& ranges, JournalStream& stream) {
  std::int64_t next = 1;
  for (const auto& range : ranges) {
    if (range.from > next) stream.faults.push_back("nothing is stored for " + words({next, range.from - 1}));
    if (range.from < next) stream.faults.push_back(words(range) + " is stored twice");
    next = std::max(next, range.to + 1);
  }
  if (next != stream.durable + 1)
    stream.faults.push_back("durable is " + std::to_string(stream.durable) + " and the last row ends at " +
                            std::to_string(next - 1));
}

}  // namespace

std::map<StreamName, JournalStream> read_journal(const std::filesystem::path& data_dir) {
  Copy copy(data_dir, "journal.db");
  std::map<StreamName, JournalStream> out;
  std::map<std::int64_t, StreamName> names;
  std::map<std::int64_t, std::multiset<Range>> ranges;
  copy.each("SELECT id,tenant,hex(incarnation),durable,stored,refused,lost FROM stream", [&](sqlite::Statement& row) {
    JournalStream stream;
    stream.durable = row.integer(3);
    stream.stored = row.integer(4);
    stream.refused = row.integer(5);
    stream.lost = row.integer(6);
    const auto& name = names[row.integer(0)] = StreamName(row.text(1), row.text(2));
    out.emplace(name, std::move(stream));
    ranges[row.integer(0)];
  });
  wire::RecordCodec codec;
  copy.each("SELECT stream,seq,t_min,t_max,payload FROM journal", [&](sqlite::Statement& row) {
    auto& stream = out.at(names.at(row.integer(0)));
    ranges[row.integer(0)].insert({row.integer(1), row.integer(1)});
    wire::Record record;
    record.t_min = from_ms(row.integer(2));
    record.t_max = from_ms(row.integer(3));
    if (!codec.decode(row.blob(4), record))
      stream.faults.push_back("the payload of " + std::to_string(row.integer(1)) + " is damaged");
    stream.samples_in_payloads += static_cast<std::int64_t>(record.samples.size());
  });
  copy.each("SELECT DISTINCT stream,seq FROM event", [&](sqlite::Statement& row) {
    ranges[row.integer(0)].insert({row.integer(1), row.integer(1)});
  });
  copy.each("SELECT stream,from_seq,to_seq,samples FROM gap", [&](sqlite::Statement& row) {
    ranges[row.integer(0)].insert({row.integer(1), row.integer(2)});
    out.at(names.at(row.integer(0))).samples_in_gaps += row.integer(3);
  });
  for (const auto& [id, covered] : ranges) check_cover(covered, out.at(names.at(id)));
  return out;
}

std::map<StreamName, SpoolStream> read_spool(const std::filesystem::path& data_dir) {
  Copy copy(data_dir, "spool.db");
  std::map<StreamName, SpoolStream> out;
  copy.each(
      "SELECT tenant,hex(incarnation),next,sampled,(SELECT coalesce(max(durable),0) FROM cursor WHERE "
      "cursor.stream=stream.id) "
      "FROM stream",
      [&](sqlite::Statement& row) {
        out[StreamName(row.text(0), row.text(1))] = {row.integer(2), row.integer(3), row.integer(4)};
      });
  return out;
}

std::vector<std::string> audit(const std::map<StreamName, JournalStream>& journal,
                               const std::map<StreamName, SpoolStream>& seen,
                               const std::map<StreamName, SpoolStream>& last) {
  std::vector<std::string> out;
  const auto say = [&](const StreamName& name, const std::string& what) {
    out.push_back("stream " + name.first + "/" + name.second.substr(0, 8) + ": " + what);
  };
  const auto compare = [&](const StreamName& name, std::int64_t left, const std::string& relation, std::int64_t right) {
    say(name, std::to_string(left) + relation + std::to_string(right));
  };
  for (const auto& [name, stream] : journal) {
    for (const auto& fault : stream.faults) say(name, fault);
    if (stream.samples_in_payloads != stream.stored)
      compare(name, stream.samples_in_payloads, " samples lie in the journal, its stream counts ", stream.stored);
    if (stream.samples_in_gaps != stream.lost)
      compare(name, stream.samples_in_gaps, " samples lie in gaps, its stream counts ", stream.lost);
  }
  const auto found = [&](const StreamName& name) {
    const auto at = journal.find(name);
    return at == journal.end() ? JournalStream{} : at->second;
  };
  for (const auto& [name, spool] : seen) {
    const auto stream = found(name);
    if (stream.durable < spool.acknowledged)
      compare(name, spool.acknowledged, " was acknowledged, the journal ends at ", stream.durable);
    if (stream.durable < spool.next - 1) compare(name, spool.next - 1, " was spooled, the journal ends at ", stream.durable);
    // A killed agent may have sent what it had not yet written down: more than it knew of is right, less is a loss.
    if (stream.accounted() < spool.sampled)
      compare(name, spool.sampled, " samples were spooled, accounted for are ", stream.accounted());
  }
  for (const auto& [name, spool] : last) {
    const auto stream = found(name);
    if (stream.durable != spool.next - 1)
      compare(name, spool.next - 1, " was taken last, the journal ends at ", stream.durable);
    if (stream.accounted() != spool.sampled)
      compare(name, spool.sampled, " samples were taken, accounted for are ", stream.accounted());
  }
  return out;
}

}  // namespace ward::test
