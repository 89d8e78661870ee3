#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "common/net/tls.hpp"
#include "tests/support/certificates.hpp"

namespace ward::net {
namespace {

struct TlsContextFiles : testing::Test {
  test::TestCa ca;
  TlsFiles good = ca.issue(test::agent_certificate());

  std::string write(const std::string& name, const std::string& text) {
    const auto path = (ca.directory() / name).string();
    std::ofstream(path) << text;
    ::chmod(path.c_str(), 0600);
    return path;
  }
  /// The one line for these files; "" when they are accepted.
  static std::string refusal(const TlsFiles& files) {
    const auto context = make_client_context(files);
    return context ? "" : describe(context.error());
  }
};

TEST_F(TlsContextFiles, AcceptsAGoodSet) { EXPECT_EQ(refusal(good), ""); }

TEST_F(TlsContextFiles, NamesTheFileThatIsWrong) {
  struct Case {
    TlsFiles files;
    std::string says;
  };
  const auto other = ca.issue(test::agent_certificate());
  const auto junk = write("junk.pem", "-----BEGIN NOTHING-----\n");
  const auto empty = write("empty.pem", "");
  const auto large = write("large.pem", std::string((1 << 20) + 1, 'x'));
  const std::vector<Case> table{
      {{"", good.certificate, good.key}, "no CA file is set"},
      {{"/no/ca.pem", good.certificate, good.key}, "cannot read CA file '/no/ca.pem'"},
      {{empty, good.certificate, good.key}, "CA file '" + empty + "' holds no usable certificate"},
      {{junk, good.certificate, good.key}, "CA file '" + junk + "' holds no usable certificate"},
      {{good.ca, "", good.key}, "no certificate file is set"},
      {{good.ca, "/no/cert.pem", good.key}, "cannot read certificate file '/no/cert.pem'"},
      {{good.ca, junk, good.key}, "certificate file '" + junk + "' holds no usable certificate"},
      {{good.ca, large, good.key}, "larger than 1 MiB"},
      {{good.ca, good.certificate, ""}, "no key file is set"},
      {{good.ca, good.certificate, "/no/key.pem"}, "cannot read key file '/no/key.pem'"},
      {{good.ca, good.certificate, junk}, "key file '" + junk + "' holds no usable private key"},
      {{good.ca, good.certificate, other.key}, "does not belong to certificate"},
  };
  for (const auto& [files, says] : table) {
    EXPECT_NE(refusal(files).find(says), std::string::npos) << "wanted: " << says << "\ngot: " << refusal(files);
  }
}

TEST_F(TlsContextFiles, RefusesAKeyThatOthersCanRead) {
  for (const mode_t mode : {0604U, 0640U, 0660U, 0644U}) {
    ASSERT_EQ(::chmod(good.key.c_str(), mode), 0);
    EXPECT_NE(refusal(good).find("can be read by others. Run 'chmod 600"), std::string::npos) << std::oct << mode;
  }
}

TEST_F(TlsContextFiles, TellsWhenItsOwnCertificateEnds) {
  auto spec = test::agent_certificate();
  spec.ends_in = std::chrono::hours{48};
  const auto context = make_client_context(ca.issue(spec));
  ASSERT_TRUE(context);
  const auto left =
      own_certificate_end(*context) - std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
  EXPECT_GT(left, std::chrono::hours{47});
  EXPECT_LE(left, std::chrono::hours{48});
}

}  // namespace
}  // namespace ward::net
