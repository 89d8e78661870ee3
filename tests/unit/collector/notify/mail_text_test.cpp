#include "collector/notify/mail_text.hpp"

#include <gtest/gtest.h>

#include "common/base/duration.hpp"

namespace ward::collector {
namespace {

/// Lines without their CRLF; a lone CR or LF fails the test.
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::size_t at = 0;
  for (auto end = text.find("\r\n"); end != std::string::npos; at = end + 2, end = text.find("\r\n", at))
    out.push_back(text.substr(at, end - at));
  EXPECT_EQ(at, text.size()) << "the last line has no end";
  for (const auto& line : out) EXPECT_EQ(line.find_first_of("\r\n"), std::string::npos) << line;
  return out;
}

void expect_form(const std::string& header) {
  const auto lines = lines_of(header);
  for (std::size_t n = 0; n < lines.size(); ++n) {
    EXPECT_LE(lines[n].size(), 78U) << lines[n];
    EXPECT_TRUE(n == 0 || lines[n].starts_with(' ')) << "a header of its own: " << lines[n];
    EXPECT_NE(lines[n].find_first_not_of(" \t"), std::string::npos) << "a line of blanks is not allowed";
    for (const char c : lines[n]) EXPECT_TRUE(c >= 0x20 && c < 0x7F);
  }
}

TEST(MailHeader, LeavesPlainTextAsItIs) {
  EXPECT_EQ(mail_text_header("Subject", "[URGENT] pg-main is down"), "Subject: [URGENT] pg-main is down\r\n");
}

TEST(MailHeader, FoldsAtBlanks) {
  std::string text;
  for (int i = 0; i < 40; ++i) text += "word" + std::to_string(i) + "  ";
  const auto header = mail_text_header("Subject", text);
  expect_form(header);
  auto unfolded = header.substr(9);
  for (auto at = unfolded.find("\r\n"); at != std::string::npos; at = unfolded.find("\r\n")) unfolded.erase(at, 2);
  EXPECT_EQ(unfolded, text.substr(0, text.size() - 2));
}

TEST(MailHeader, EncodesWhatIsNotAscii) {
  EXPECT_EQ(mail_text_header("Subject",
                             "Stra\xc3\x9f"
                             "e = \"1\""),
            "Subject: =?utf-8?q?Stra=C3=9Fe_=3D_=221=22?=\r\n");
}

TEST(MailHeader, CanNeverBeTwo) {
  const std::string bad[] = {"a\r\nBcc: x@evil.example",
                             "a\nBcc: x",
                             "a\rBcc: x",
                             "\r\n\r\nbody",
                             "=?utf-8?q?fake?=",
                             std::string("nul\0x", 5),
                             "\xff\xfe",
                             std::string(500, 'x'),
                             std::string(500, ' ') + "x",
                             "x" + std::string(500, ' '),
                             ""};
  for (const auto& text : bad) {
    expect_form(mail_text_header("Subject", text));
    expect_form(mail_mailbox("From", text, "ward@clinic.example"));
  }
  std::string umlauts;
  for (int i = 0; i < 300; ++i) umlauts += "\xc3\xa4\xf0\x9f\x9a\xa8 ";
  expect_form(mail_text_header("Subject", umlauts));
  expect_form(mail_mailbox("From", umlauts, "ward@clinic.example"));
}

TEST(MailMailbox, QuotesTheName) {
  EXPECT_EQ(mail_mailbox("From", "Ward", "w@x.example"), "From: \"Ward\" <w@x.example>\r\n");
  EXPECT_EQ(mail_mailbox("From", "a \"b\" \\ <evil@x>", "w@x.example"),
            "From: \"a \\\"b\\\" \\\\ <evil@x>\" <w@x.example>\r\n");
  EXPECT_EQ(mail_mailbox("From", "", "w@x.example"), "From: w@x.example\r\n");
}

TEST(MailAddresses, FoldBetweenAddresses) {
  std::vector<std::string> many;
  for (int i = 0; i < 50; ++i) many.push_back("address" + std::to_string(i) + "@clinic.example");
  expect_form(mail_addresses("To", many));
  EXPECT_EQ(mail_addresses("To", {"a@x.example", "b@x.example"}), "To: a@x.example, b@x.example\r\n");
}

TEST(MailDate, IsOfRfc5322) {
  EXPECT_EQ(mail_date(parse_time("2026-11-22T10:42:45.999Z").value()), "Sun, 22 Nov 2026 10:42:45 +0000");
  EXPECT_EQ(mail_date(parse_time("2028-02-29T00:00:00.000Z").value()), "Tue, 29 Feb 2028 00:00:00 +0000");
}

TEST(QuotedPrintable, WritesShortLinesOfAscii) {
  EXPECT_EQ(quoted_printable("a\nb"), "a\r\nb\r\n");
  EXPECT_EQ(quoted_printable(""), "");
  EXPECT_EQ(quoted_printable("Stra\xc3\x9f"
                             "e = x"),
            "Stra=C3=9Fe =3D x\r\n");
  EXPECT_EQ(quoted_printable("blank \nend"), "blank=20\r\nend\r\n");
  EXPECT_EQ(quoted_printable(".\n..x\n"), "=2E\r\n=2E.x\r\n");
  EXPECT_EQ(quoted_printable("From here"), "From here\r\n");
  EXPECT_EQ(quoted_printable("a\rb"), "a=0Db\r\n");
}

TEST(QuotedPrintable, BreaksLongLinesAndGivesThemBack) {
  for (std::size_t length = 70; length < 160; ++length)
    for (const auto* fill : {"x", ".", "\xc3\xa4", " ", "="}) {
      std::string text;
      while (text.size() < length) text += fill;
      const auto encoded = quoted_printable(text);
      std::string decoded;
      for (const auto& line : lines_of(encoded)) {
        EXPECT_LE(line.size(), 76U);
        EXPECT_FALSE(line.starts_with('.'));
        EXPECT_FALSE(line.ends_with(' '));
        std::size_t at = 0;
        for (; at < line.size(); ++at) {
          if (line[at] != '=') {
            decoded += line[at];
          } else if (at + 2 < line.size()) {
            decoded += static_cast<char>(std::stoi(line.substr(at + 1, 2), nullptr, 16));
            at += 2;
          }
        }
        if (!line.ends_with('=')) decoded += '\n';
      }
      EXPECT_EQ(decoded, text + "\n") << length;
    }
}

TEST(MailAddress, IsPlainOrRefused) {
  for (const auto* good : {"a@b", "on.call+pager@clinic.example", "x_y@mail-1.clinic.example"})
    EXPECT_TRUE(is_mail_address(good)) << good;
  for (const auto* bad : {"", "a", "@b", "a@", "a b@c", "a@b c", "Ward <a@b>", "a@b\r\nRCPT TO:<x@y>", "a@b>", "a..b@c",
                          ".a@b", "a.@b", "a@b..c", "a@-b", "\"a\"@b", "a@[127.0.0.1]", "\xc3\xa4@b", "a,b@c", "a@b,c@d"})
    EXPECT_FALSE(is_mail_address(bad)) << bad;
  EXPECT_FALSE(is_mail_address(std::string(65, 'a') + "@b"));
}

}  // namespace
}  // namespace ward::collector
