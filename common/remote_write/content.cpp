#include "common/remote_write/content.hpp"

#include <algorithm>
#include <snappy.h>

namespace ward::remote_write {
namespace {

constexpr std::string_view kMediaType = "application/x-protobuf";
constexpr std::string_view kV1 = "prometheus.WriteRequest";
constexpr std::string_view kV2 = "io.prometheus.write.v2.Request";

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

bool same(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

/// Cuts `text` behind the first ';' and returns what stood before it.
std::string_view next_part(std::string_view& text) {
  const auto end = text.find(';');
  const auto part = trim(text.substr(0, end));
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return part;
}

tl::unexpected<Error> unsupported(std::string what) {
  return fail(
      Errc::invalid, std::move(what),
      "Send application/x-protobuf (remote write 1.0), or application/x-protobuf;proto=io.prometheus.write.v2.Request "
      "(2.0), with Content-Encoding: snappy");
}

}  // namespace

Result<Message> message_of(std::string_view content_type, std::string_view content_encoding) {
  const auto encoding = trim(content_encoding);
  if (!encoding.empty() && !same(encoding, "snappy")) return unsupported("the content encoding is not snappy");
  auto rest = trim(content_type);
  if (rest.empty()) return Message::v1;
  if (!same(next_part(rest), kMediaType)) return unsupported("the content type is not application/x-protobuf");
  auto message = Message::v1;
  while (!rest.empty()) {
    const auto parameter = next_part(rest);
    const auto equals = parameter.find('=');
    if (equals == std::string_view::npos || !same(trim(parameter.substr(0, equals)), "proto")) continue;
    auto proto = trim(parameter.substr(equals + 1));
    if (proto.size() >= 2 && proto.front() == '"' && proto.back() == '"') proto = proto.substr(1, proto.size() - 2);
    if (proto != kV1 && proto != kV2) return unsupported("the content type names a protobuf message that is not known here");
    message = proto == kV2 ? Message::v2 : Message::v1;
  }
  return message;
}

std::string_view content_type(Message message) {
  switch (message) {
    case Message::v1: return "application/x-protobuf";
    case Message::v2: return "application/x-protobuf;proto=io.prometheus.write.v2.Request";
  }
  return {};
}

std::string_view version_header(Message message) {
  switch (message) {
    case Message::v1: return "0.1.0";
    case Message::v2: return "2.0.0";
  }
  return {};
}

std::size_t claimed_size(std::string_view body) {
  std::size_t size = 0;
  return snappy::GetUncompressedLength(body.data(), body.size(), &size) ? size : 0;
}

Result<std::string> unpack(std::string_view body, std::size_t limit) {
  std::size_t size = 0;
  const auto broken = [] {
    return fail(Errc::invalid, "the body is not in Snappy's block format", "Compress it so; the framed format is another");
  };
  if (!snappy::GetUncompressedLength(body.data(), body.size(), &size)) return broken();
  if (size > limit)
    return fail(
        Errc::overloaded,
        "the body unpacks to " + std::to_string(size) + " bytes, more than the " + std::to_string(limit) + " that are taken",
        "Send fewer samples in a request, or raise remote_write_receiver.max_unpacked");
  std::string out(size, '\0');
  if (!snappy::RawUncompress(body.data(), body.size(), out.data())) return broken();
  return out;
}

std::string pack(std::string_view bytes) {
  std::string out;
  snappy::Compress(bytes.data(), bytes.size(), &out);
  return out;
}

}  // namespace ward::remote_write
