#pragma once
#include <gtest/gtest.h>
#include <initializer_list>
#include <string_view>

#include "probes/host/collectors.hpp"

namespace ward::test {

/// Each text must be refused as invalid, with something the user can do.
template <class Parse>
void expect_refused(Parse parse, std::initializer_list<std::string_view> texts) {
  for (const auto text : texts) {
    Readings out;
    const auto got = parse(text, out);
    ASSERT_FALSE(got) << "accepted: '" << text << "'";
    EXPECT_EQ(got.error().code, Errc::invalid) << text;
    EXPECT_NE(got.error().fix, "") << text;
  }
}

}  // namespace ward::test
