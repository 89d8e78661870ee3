#include "common/http/gzip.hpp"

#include <gtest/gtest.h>
#include <random>
#include <stdexcept>
#include <zlib.h>

namespace ward::http {
namespace {

std::string unpacked(const std::string& packed) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) throw std::runtime_error("inflate does not start");
  std::string out(1 << 20, '\0');
  std::string in = packed;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = inflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return code == Z_STREAM_END ? out : "not whole";
}

TEST(Gzip, ComesBackAsItWas) {
  std::mt19937 random(1);
  std::string noise(300'000, '\0');
  for (auto& c : noise) c = static_cast<char>(random());
  for (const std::string& text : {std::string(), std::string("{}"), std::string(200'000, 'a'), noise})
    EXPECT_EQ(unpacked(gzip(text)), text) << text.size();
  EXPECT_LT(gzip(std::string(200'000, 'a')).size(), 2'000U);
}

struct Accept {
  const char* header;
  bool gzip;
};
class AcceptEncoding : public testing::TestWithParam<Accept> {};

TEST_P(AcceptEncoding, IsReadAsTheStandardSays) { EXPECT_EQ(accepts_gzip(GetParam().header), GetParam().gzip); }

INSTANTIATE_TEST_SUITE_P(All, AcceptEncoding,
                         testing::Values(Accept{"", false}, Accept{"gzip", true}, Accept{"deflate, gzip;q=0.5", true},
                                         Accept{"GZIP", true}, Accept{"x-gzip", true}, Accept{"gzip;q=0", false},
                                         Accept{"gzip; q=0.000", false}, Accept{"gzip; q=0.001", true}, Accept{"*", true},
                                         Accept{"*;q=0", false}, Accept{"*, gzip;q=0", false},
                                         Accept{"gzip;q=1, *;q=0", true}, Accept{"identity", false},
                                         Accept{"gzipped", false}, Accept{",,;", false}),
                         [](const auto& one) { return "Case" + std::to_string(one.index); });

}  // namespace
}  // namespace ward::http
