#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/support/fake_host.hpp"
#include "tests/support/probe_config.hpp"

namespace ward::test {
namespace {

/// A key file of the caller's own.
class KeyFile {
 public:
  KeyFile() {
    const int fd = ::mkstemp(path_);
    ::close(fd);
    std::ofstream(path_) << "0123456789abcdef\n";
  }
  KeyFile(const KeyFile&) = delete;
  KeyFile& operator=(const KeyFile&) = delete;
  ~KeyFile() { std::remove(path_); }
  [[nodiscard]] std::string yaml() const { return "key: {file: " + std::string(path_) + "}\n"; }

 private:
  char path_[32] = "/tmp/ward-odoo-key-XXXXXX";
};

TEST(OdooConfig, NeedsNothingForTheWorkers) {
  const auto made = configure("odoo_workers", "");
  EXPECT_TRUE(made.probe);
  EXPECT_EQ(made.problems, "");
}

TEST(OdooConfig, RefusesPortsThatAreNone) {
  EXPECT_NE(configure("odoo_workers", "port: 0\n").problems, "");
  EXPECT_NE(configure("odoo_workers", "port: 65536\n").problems, "");
  EXPECT_EQ(configure("odoo_workers", "port: 18069\ngevent_port: 0\nlimit_memory_soft: 2GiB\n").problems, "");
}

TEST(OdooConfig, TakesPlainUrlsOnly) {
  for (const auto* url : {"http://127.0.0.1:8069", "https://odoo.example/", "http://[::1]:8069"})
    EXPECT_TRUE(configure("odoo_http", "url: '" + std::string(url) + "'\n").probe) << url;
  for (const auto* url :
       {"odoo:8069", "http://", "http://user:secret@odoo", "http://odoo/?db=x", "http://odoo#x", "ftp://odoo"}) {
    const auto made = configure("odoo_http", "url: '" + std::string(url) + "'\n");
    EXPECT_FALSE(made.probe) << url;
    EXPECT_NE(made.problems, "") << url;
    EXPECT_EQ(made.problems.find("secret"), std::string::npos) << made.problems;
  }
}

TEST(OdooConfig, KeepsTheKeyOffTheNetwork) {
  const KeyFile key;
  EXPECT_TRUE(configure("odoo_txn", "url: http://127.0.0.1:8069\n" + key.yaml()).probe);
  EXPECT_TRUE(configure("odoo_txn", "url: https://odoo.example\n" + key.yaml()).probe);
  EXPECT_FALSE(configure("odoo_txn", "url: http://odoo:8069\n" + key.yaml()).probe);
  EXPECT_TRUE(configure("odoo_txn", "url: http://odoo:8069\ninsecure: true\n" + key.yaml()).probe);
}

TEST(OdooConfig, RefusesATransactionWithoutKeyOrWithForeignNames) {
  const KeyFile key;
  const std::string url = "url: http://127.0.0.1:8069\n";
  EXPECT_FALSE(configure("odoo_txn", url).probe);
  for (const auto* bad : {"model: 'res.partner/unlink?'", "model: ''", "fields: [id, 'name; x']", "method: unlink"})
    EXPECT_NE(configure("odoo_txn", url + key.yaml() + bad + "\n").problems, "") << bad;
  EXPECT_TRUE(configure("odoo_txn", url + key.yaml() + "model: res.lang\nmethod: search_count\n").probe);
}

}  // namespace
}  // namespace ward::test
