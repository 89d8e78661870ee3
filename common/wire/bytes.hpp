#pragma once
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ward::wire {

using Buffer = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

[[nodiscard]] constexpr std::uint64_t zigzag(std::int64_t v) {
  return (static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63);
}
[[nodiscard]] constexpr std::int64_t unzigzag(std::uint64_t v) {
  return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1);
}
[[nodiscard]] constexpr std::size_t varint_size(std::uint64_t v) {
  return (static_cast<std::size_t>(std::bit_width(v | 1)) + 6) / 7;
}

/// Appends to a buffer: little-endian fixed numbers, LEB128 varints, length-prefixed texts.
class ByteWriter {
 public:
  explicit ByteWriter(Buffer& out) : out_(out) {}
  void u8(std::uint8_t v) { out_.push_back(v); }
  void u32(std::uint32_t v) { fixed(v); }
  void u64(std::uint64_t v) { fixed(v); }
  void varint(std::uint64_t v) {
    for (; v >= 0x80; v >>= 7) out_.push_back(static_cast<std::uint8_t>(v | 0x80));
    out_.push_back(static_cast<std::uint8_t>(v));
  }
  void svarint(std::int64_t v) { varint(zigzag(v)); }
  void raw(ByteView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  void bytes(ByteView view) {
    varint(view.size());
    raw(view);
  }
  void text(std::string_view s) { bytes({reinterpret_cast<const std::uint8_t*>(s.data()), s.size()}); }

 private:
  template <class T>
  void fixed(T v) {
    std::uint8_t at[sizeof v];
    std::memcpy(at, &v, sizeof v);  // little-endian machines only; checked below
    raw(at);
  }
  Buffer& out_;
};
static_assert(std::endian::native == std::endian::little, "the wire format is little-endian");

/// Reads what ByteWriter wrote. Never reads past the end: the first failure sticks, later reads give zeros, and ok()
/// tells. Check ok() before believing a count.
class ByteReader {
 public:
  explicit ByteReader(ByteView in) : in_(in) {}
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return in_.empty(); }
  [[nodiscard]] std::size_t left() const { return in_.size(); }
  void fail() {
    ok_ = false;
    in_ = {};
  }

  std::uint8_t u8() {
    if (in_.empty()) return fail(), std::uint8_t{0};
    const auto v = in_.front();
    in_ = in_.subspan(1);
    return v;
  }
  std::uint32_t u32() { return fixed<std::uint32_t>(); }
  std::uint64_t u64() { return fixed<std::uint64_t>(); }
  std::uint64_t varint() {
    std::uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (in_.empty()) break;
      const auto byte = in_.front();
      in_ = in_.subspan(1);
      if (shift == 63 && byte > 1) break;
      v |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return v;
    }
    fail();
    return 0;
  }
  std::int64_t svarint() { return unzigzag(varint()); }
  ByteView raw(std::size_t n) {
    if (n > in_.size()) return fail(), ByteView{};
    const auto view = in_.first(n);
    in_ = in_.subspan(n);
    return view;
  }
  ByteView bytes() { return raw(varint()); }
  std::string_view text() {
    const auto view = bytes();
    return {reinterpret_cast<const char*>(view.data()), view.size()};
  }

 private:
  template <class T>
  T fixed() {
    T v{};
    const auto view = raw(sizeof v);
    if (ok_) std::memcpy(&v, view.data(), sizeof v);
    return v;
  }
  ByteView in_;
  bool ok_ = true;
};

}  // namespace ward::wire
