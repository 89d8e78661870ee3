#include "agent/spool/tail_log.hpp"

#include <algorithm>
#include <limits>
#include <span>

#include "common/base/crc32c.hpp"
#include "common/wire/bytes.hpp"

namespace ward::agent {
namespace {

constexpr std::size_t kLongestName = 63;  // as check_name() allows

wire::Buffer encode(const TailLog::Run& run) {
  wire::Buffer body;
  wire::ByteWriter w(body);
  w.u64(run.first.get());
  w.u64(run.stream.boot);
  w.raw(run.stream.incarnation.bytes);
  w.text(run.stream.tenant.get());
  w.svarint(to_ms(run.t_min));
  w.svarint(to_ms(run.t_max));
  w.varint(run.counts.size());
  for (const auto count : run.counts) {
    w.u8(static_cast<std::uint8_t>(count & 0xff));
    w.u8(static_cast<std::uint8_t>(count >> 8));
  }
  body.resize(TailLog::kBlockBytes - 4);
  wire::Buffer block;
  wire::ByteWriter head(block);
  head.u32(crc32c(body));
  head.raw(body);
  return block;
}

bool decode(wire::ByteView block, TailLog::Run& run) {
  wire::ByteReader in(block);
  if (in.u32() != crc32c(block.subspan(4))) return false;
  run.first = Sequence{in.u64()};
  run.stream.boot = in.u64();
  const auto incarnation = in.raw(run.stream.incarnation.bytes.size());
  if (!in.ok()) return false;
  std::copy(incarnation.begin(), incarnation.end(), run.stream.incarnation.bytes.begin());
  const auto tenant = in.text();
  if (tenant.size() > kLongestName) return false;
  run.stream.tenant = TenantId{std::string(tenant)};
  run.t_min = from_ms(in.svarint());
  run.t_max = from_ms(in.svarint());
  const auto records = in.varint();
  if (!in.ok() || run.first.get() == 0 || records == 0 || records > TailLog::kRecordsPerBlock) return false;
  for (std::uint64_t i = 0; i < records; ++i) {
    const auto low = in.u8();
    run.counts.push_back(static_cast<std::uint16_t>(low | in.u8() << 8));
  }
  return in.ok();
}

}  // namespace

Result<TailLog> TailLog::open(const std::string& vfs, const std::string& path) {
  auto file = sqlite::File::open(vfs, path, sqlite::File::Mode::create);
  if (!file) return fail(file.error());
  TailLog log(std::move(*file));
  if (auto read = log.read_blocks(); !read) return fail(read.error());
  return log;
}

Status TailLog::read_blocks() {
  constexpr std::size_t kBytes = kBlocks * kBlockBytes;
  const auto size = file_.size();
  if (!size) return fail(size.error());
  wire::Buffer all(kBytes);
  const auto there = std::min<std::size_t>(*size, kBytes);
  if (there > 0)
    if (auto got = file_.read(std::span(all).first(there), 0); !got) return got;
  for (std::size_t i = 0; i < kBlocks; ++i) {
    Run run;
    if (!decode(wire::ByteView(all).subspan(i * kBlockBytes, kBlockBytes), run)) continue;
    runs_.push_back(std::move(run));
    places_.push_back(i);
    next_block_ = i + 1;
  }
  if (there == kBytes) return {};
  if (auto put = file_.write(std::span(all).subspan(there), there); !put) return put;
  return file_.sync();
}

Status TailLog::add(const Stream& stream, const Counted& record) {
  const auto count =
      static_cast<std::uint16_t>(std::min<std::size_t>(record.samples, std::numeric_limits<std::uint16_t>::max()));
  const auto last = std::find_if(runs_.rbegin(), runs_.rend(), [&](const Run& run) { return run.stream == stream; });
  auto at = static_cast<std::size_t>(runs_.rend() - last) - 1;  // a place only where there is a last one
  const bool goes_on = last != runs_.rend() && last->counts.size() < kRecordsPerBlock &&
                       last->first.get() + last->counts.size() == record.seq.get();
  if (goes_on) {
    last->counts.push_back(count);
    last->t_min = std::min(last->t_min, record.t_min);
    last->t_max = std::max(last->t_max, record.t_max);
  } else {
    if (next_block_ == kBlocks)
      return fail(Errc::full, "the spool's disk has been full for so long that not even counts of what waits can be kept",
                  "Free space on the spool's volume before the agent stops.");
    at = runs_.size();
    runs_.push_back({stream, record.seq, {count}, record.t_min, record.t_max});
    places_.push_back(next_block_++);
  }
  return file_.write(encode(runs_[at]), places_[at] * kBlockBytes);
}

Status TailLog::clear() {
  const wire::Buffer nothing(next_block_ * kBlockBytes);
  if (auto put = file_.write(nothing, 0); !put) return put;
  // Notes that came back after a power loss, long after their stream was acknowledged and gone, would be a loss that was
  // none.
  if (auto forced = file_.sync(); !forced) return forced;
  runs_.clear();
  places_.clear();
  next_block_ = 0;
  return {};
}

}  // namespace ward::agent
