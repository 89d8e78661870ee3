#include "tests/integration/notify/post_office.hpp"

#include <boost/asio/co_spawn.hpp>
#include <chrono>
#include <stdexcept>

#include "collector/event/json.hpp"

namespace ward::collector::test {

using namespace std::chrono_literals;

PostOffice::~PostOffice() { end(); }

void PostOffice::open(std::vector<std::string> receivers) {
  receivers_ = std::move(receivers);
  begin();
}

void PostOffice::restart() {
  end();
  begin();
}

void PostOffice::begin() {
  auto store = SqliteStateStore::open({.path = dir_ / "state.db", .vfs = ""});
  if (!store) throw std::runtime_error(describe(store.error()));
  store_ = std::make_unique<SqliteStateStore>(std::move(*store));
  std::vector<Receiver> receivers;
  for (const auto& yaml : receivers_) receivers.push_back(receiver_of(yaml));
  Outbox::Options options;
  if (receivers.size() > 1) options.fallbacks[receivers[0].name] = receivers[1].name;
  for (const auto& receiver : receivers)
    if (receiver.channel->refresh().count() > 0) options.refresh[receiver.name] = receiver.channel->refresh();
  options.first_wait = 50ms;
  if (adjust) adjust(options);
  outbox_ = std::make_unique<Outbox>(std::move(options), random_);
  outbox_->accept(store_->load(Time{}).value().deliveries);
  client_ = http::make_curl_client(io_.get_executor());
  SenderOptions sending;
  sending.page.external_url = "https://ward.example";
  sending.page.runbook_base = "https://wiki.example/";
  sending.refused = [this](const Refusal& r) { refusals.push_back(r.receiver + ": " + r.why); };
  sending.partly = [this](const Refusal& r) { partly.push_back(r.receiver + ": " + r.why); };
  sender_ = std::make_unique<Sender>(
      io_.get_executor(), *client_, *clock_, *outbox_, std::move(receivers),
      [this](StateChange change) { return commit(std::move(change)); }, std::move(sending));
  sender_->start();
}

void PostOffice::end() {
  if (!sender_) return;
  bool stopped = false;
  async::asio::co_spawn(io_, sender_->stop(), [&](const std::exception_ptr&) { stopped = true; });
  until([&] { return stopped; });
  sender_.reset();
  client_.reset();
  outbox_.reset();
  store_.reset();
}

async::Task<Status> PostOffice::commit(StateChange change) { co_return store_->commit(change); }

void PostOffice::post(const Notice& notice) {
  const auto name = receiver_of(receivers_.front()).name;
  const std::vector<Delivery> deliveries{{.key = "key-" + std::to_string(++posted_),
                                          .incident = notice.incident.id,
                                          .kind = notice.kind,
                                          .receiver = name,
                                          .body = to_json(notice),
                                          .created_at = clock_->wall()}};
  StateChange change;
  change.incidents = {
      {.incident = notice.incident, .transitions = {}, .flapping = false, .quiet_since = {}, .root_quiet_since = {}}};
  change.deliveries = outbox_->plan(deliveries, clock_->wall());
  if (auto done = store_->commit(change); !done) throw std::runtime_error(describe(done.error()));
  outbox_->accept(change.deliveries);
  sender_->wake();
}

bool PostOffice::until(const std::function<bool()>& done) {
  const auto limit = std::chrono::steady_clock::now() + 120s;
  while (!done()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    if (io_.stopped()) io_.restart();
    io_.run_one_for(50ms);
  }
  return true;
}

bool PostOffice::until_idle() {
  const auto settled = [&] {
    for (const auto& row : stored())
      if (row.state == DeliveryState::pending) return false;
    return outbox_->pending() == 0;
  };
  return until(settled);
}

std::vector<DeliveryRow> PostOffice::stored() { return store_->load(Time{}).value().deliveries; }

}  // namespace ward::collector::test
