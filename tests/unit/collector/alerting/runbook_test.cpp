#include "collector/alerting/runbook.hpp"

#include <gmock/gmock.h>

namespace ward::collector {
namespace {

using testing::ElementsAre;

TEST(Runbook, SlugsHeadingsAsGitHubDoes) {
  EXPECT_EQ(anchor_slug("Primary is down"), "primary-is-down");
  EXPECT_EQ(anchor_slug("Fail over! (by hand)"), "fail-over-by-hand");
  EXPECT_EQ(anchor_slug("pg_up == 0"), "pg_up--0");
  EXPECT_EQ(anchor_slug("Größe"), "größe");
}

TEST(Runbook, NumbersHeadingsThatRepeat) { EXPECT_THAT(anchors_of("# A\n## B\n## B\n"), ElementsAre("a", "b", "b-1")); }

TEST(Runbook, IgnoresWhatLooksLikeAHeadingInsideACodeFence) {
  EXPECT_THAT(anchors_of("# A\n```sh\n# not a heading\n```\n#nor this\n## C"), ElementsAre("a", "c"));
}

TEST(Runbook, TakesNamedAnchors) { EXPECT_THAT(anchors_of("<a id=\"here\"></a>\ntext"), ElementsAre("here")); }

}  // namespace
}  // namespace ward::collector
