#include "collector/turn.hpp"

#include <algorithm>
#include <utility>

#include "collector/api/endpoint.hpp"
#include "common/async/within.hpp"

namespace ward::collector {
namespace {

constexpr std::chrono::milliseconds kLook{100};
constexpr std::chrono::milliseconds kHandIn{1'000};
constexpr std::chrono::milliseconds kLongestPause{60'000};

}  // namespace

async::Task<void> TurnKeeper::watch() {
  auto& leadership = *context_.turn.leadership;
  auto known = leadership.view();
  auto& metrics = context_.metrics;
  metrics.gauge("ward_leader", "1 on the collector that evaluates and pages, 0 on one that stands by.")
      .set(context_.turn.leads ? 1 : 0);
  auto& reachable = metrics.gauge("ward_shared_state_up", "1 while the shared state answers.");
  if (!context_.turn.leads) context_.log.info("This collector stands by", {{"leader", known.leader}});
  if (!known.error.empty()) context_.log.warn("The shared state does not answer", {{"error", known.error}});
  for (;;) {
    leadership.pulse();
    const auto now = leadership.view();
    reachable.set(now.error.empty() ? 1 : 0);
    tell(known, now);
    if ((now.role == Role::leading) != context_.turn.leads) {
      context_.over();
      co_return;
    }
    known = now;
    co_await async::sleep_for(kLook);
  }
}

void TurnKeeper::tell(const Leadership::View& before, const Leadership::View& now) const {
  auto& log = context_.log;
  const bool leads = context_.turn.leads;
  if (now.error != before.error && !now.error.empty())
    log.warn(leads ? "The shared state does not answer; this collector pages on" : "The shared state does not answer",
             {{"error", now.error}});
  if (now.error.empty() && !before.error.empty()) log.info("The shared state answers again");
  if ((now.role == Role::leading) != leads)
    log.warn(leads ? "Another collector leads now; this one stands by" : "This collector leads now",
             {{"leader", now.leader}});
  else if (now.leader != before.leader)
    log.info("Another collector leads", {{"leader", now.leader}});
}

Status TurnKeeper::give_image() {
  const auto image = context_.state.image();
  return image ? context_.turn.leadership->keep(*image) : fail(image.error());
}

async::Task<void> TurnKeeper::hand_in() {
  // Commits wait behind an image under way, so what is refused is not tried again at once.
  auto pause = kHandIn;
  std::string refused;
  for (;;) {
    if (context_.turn.leadership->wants_image()) {
      std::function<Status()> job = [this] { return give_image(); };
      auto giving = context_.writer.alone(std::move(job));
      const Status given = co_await std::move(giving);
      pause = given ? kHandIn : std::min(pause * 2, kLongestPause);
      if (!given && std::exchange(refused, given.error().what) != given.error().what)
        context_.log.warn("The shared state did not take the state file; it is tried again",
                          {{"error", given.error().what}, {"fix", given.error().fix}});
      if (given) refused.clear();
    }
    co_await async::sleep_for(pause);
  }
}

bool TurnKeeper::sends_away(const http::ServerRequest& request) const {
  static constexpr std::string_view kAnywhere[] = {"/api/ward/v1/status", "/api/ward/v1/agents", "/api/ward/v1/slos"};
  const std::string_view path = request.path;
  if (context_.turn.leads) return false;
  if (path.starts_with("/api/v2/") || path == "/api/v1/alerts" || path == "/api/v1/rules") return true;
  if (!path.starts_with("/api/ward/v1/")) return false;
  return std::none_of(std::begin(kAnywhere), std::end(kAnywhere), [&](std::string_view each) { return path == each; });
}

async::Task<http::ServerResponse> TurnKeeper::elsewhere() const {
  const auto view = context_.turn.leadership->view();
  const auto who = view.leader.empty() ? std::string("nobody is known to lead") : "'" + view.leader + "' leads";
  auto response = api::problem(503, "This collector stands by",
                               who + (view.address.empty() ? ". Ask the other collector." : ". Ask it: " + view.address));
  response.headers.emplace_back("retry-after", "5");
  co_return response;
}

}  // namespace ward::collector
