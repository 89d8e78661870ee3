#include "common/http/gzip.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <stdexcept>
#include <zlib.h>

namespace ward::http {
namespace {

constexpr int kGzipWindow = 15 + 16;  // zlib: 16 more asks for gzip's head in place of its own
constexpr int kMemory = 8;

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is(std::string_view text, std::string_view word) {
  return std::equal(text.begin(), text.end(), word.begin(), word.end(),
                    [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
}

/// A quality of nothing but zeros: "0", "0.0", "0.000".
bool is_nothing(std::string_view quality) {
  return !quality.empty() && quality.find_first_not_of("0.") == std::string_view::npos;
}

}  // namespace

bool accepts_gzip(std::string_view header) {
  std::optional<bool> named;
  bool any = false;
  while (!header.empty()) {
    const auto comma = header.find(',');
    auto one = header.substr(0, comma);
    header = comma == std::string_view::npos ? std::string_view{} : header.substr(comma + 1);
    const auto semicolon = one.find(';');
    const auto coding = trim(one.substr(0, semicolon));
    auto weight = semicolon == std::string_view::npos ? std::string_view{} : trim(one.substr(semicolon + 1));
    const bool taken = !((weight.starts_with("q=") || weight.starts_with("Q=")) && is_nothing(trim(weight.substr(2))));
    if (is(coding, "gzip") || is(coding, "x-gzip")) named = taken;
    if (coding == "*") any = taken;
  }
  return named.value_or(any);
}

std::string gzip(std::string_view text) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, kMemory, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("zlib refuses to start");
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));  // zlib's interface; it only reads
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (code != Z_STREAM_END) throw std::runtime_error("zlib gives up");
  return out;
}

}  // namespace ward::http
