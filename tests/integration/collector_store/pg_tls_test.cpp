#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/integration/collector_store/shared_database.hpp"

namespace ward::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// A server that speaks TLS under a certificate of its own for 127.0.0.1.
class PgTlsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto data = database_.server().directory() / "data";
    make_certificate(data / "server.key", data / "server.crt");
    std::ignore = database_.server().sql("ALTER SYSTEM SET ssl = on");
    std::ignore = database_.server().sql("SELECT pg_reload_conf()");
    database_.server().wait_for("SHOW ssl", "on");
    ca_ = secrets_.write("ca.pem", "");
    std::filesystem::copy_file(data / "server.crt", ca_, std::filesystem::copy_options::overwrite_existing);
  }
  void make_certificate(const std::filesystem::path& key, const std::filesystem::path& certificate) const {
    run_to_end(
        {{"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
          "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key.string(), "-out", certificate.string()},
         {},
         "",
         "/",
         {}});
    struct stat owner {};
    ASSERT_EQ(::stat(key.parent_path().c_str(), &owner), 0);
    ::chmod(key.c_str(), 0600);
    ASSERT_EQ(::chown(key.c_str(), owner.st_uid, owner.st_gid), 0);
  }
  PgSharedStateOptions options() const {
    auto options = database_.options("a");
    options.connection += " sslmode=verify-full sslrootcert=" + ca_;
    return options;
  }
  SharedDatabase database_;
  TempDir secrets_{"secrets"};
  std::string ca_;
};

/// TLS has records of its own and answers while one still sends: another way through the waiting.
TEST_F(PgTlsTest, ALargeImageGoesBothWays) {
  PgSharedState a(options());
  ASSERT_TRUE(a.claim(hours{1}, true));
  EXPECT_EQ(database_.sql("SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND "
                          "application_name = 'ward-collector'"),
            "1");
  ByteVector image(std::size_t{20} * 1024 * 1024);
  for (std::size_t i = 0; i < image.size(); ++i) image[i] = static_cast<std::uint8_t>(i * 31 >> 3U);
  const auto kept = a.keep(1, 3, image);
  ASSERT_TRUE(kept) << describe(kept.error());
  EXPECT_TRUE(a.append(1, 4, bytes_of("four")));
  const auto copy = a.fetch();
  ASSERT_TRUE(copy) << describe(copy.error());
  EXPECT_TRUE(copy->image == image);
  EXPECT_EQ(copy->number, 4);
}

TEST_F(PgTlsTest, ABackendThatFallsSilentIsUnavailable) {
  auto impatient = options();
  impatient.timeout = seconds{2};
  PgSharedState a(impatient);
  in_time([&] { return a.claim(hours{1}, false); });
  const Stopped stopped(database_.backends());
  const auto answer = a.claim(hours{1}, false);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::unavailable);
  EXPECT_THAT(describe(answer.error()), HasSubstr("did not answer within 2s"));
}

TEST_F(PgTlsTest, AServerThatAnotherAuthorityVouchesForIsRefused) {
  make_certificate(secrets_ / "other.key", secrets_ / "other.pem");
  auto wrong = database_.options("a");
  wrong.connection += " sslmode=verify-full sslrootcert=" + (secrets_ / "other.pem").string();
  PgSharedState a(wrong);
  const auto answer = a.claim(hours{1}, false);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::invalid);
  EXPECT_THAT(describe(answer.error()), AllOf(HasSubstr("certificate that is not trusted"), Not(HasSubstr("Quillfeather"))));
}

}  // namespace
}  // namespace ward::test
