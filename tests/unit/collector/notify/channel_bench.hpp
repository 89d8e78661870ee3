#pragma once
#include <string>
#include <variant>
#include <vector>

#include "collector/notify/receiver.hpp"
#include "tests/unit/collector/notify/sample_incident.hpp"

namespace ward::collector::test {

/// The receiver of one line of YAML; throws with the problems when it has any.
Receiver receiver_of(const std::string& yaml);
/// The problems of one, "" when it is good.
std::string problems_of(const std::string& yaml);

/// A message as the sender makes it: sent three seconds after the notice was made.
Message message(Notice notice);
/// Labels and annotations that try to be more than text: quotes, tags, mentions, markup, line breaks, templates, a text
/// that turns the direction of writing, bytes that are no UTF-8.
Notice hostile_notice(NoticeKind kind = NoticeKind::fire);
/// sample_notice() ended at 10:54:45.
Notice ended(Notice notice = sample_notice(NoticeKind::resolve));

/// The first request of a channel; throws when it wants none.
http::Request request_of(const std::string& receiver_yaml, const Message& message);
/// The request after these replies.
http::Request request_of(const Channel& channel, const Message& message, const std::vector<Reply>& replies);
/// The same for a channel of mail.
http::Mail mail_of(const Channel& channel, const Message& message, const std::vector<Reply>& replies);
/// What the channel makes of these replies; throws when it wants another request.
SendOutcome outcome_of(const Channel& channel, const Message& message, const std::vector<Reply>& replies);

Reply answered(int status, std::string body = "", http::Headers headers = {});
Reply failed(http::FailureKind kind);
std::string header(const http::Request& request, const std::string& name);

/// The file below tests/data/notify. With WARD_WRITE_GOLDEN set in the environment it is written from `actual` first.
std::string golden(const std::string& file, const std::string& actual);

}  // namespace ward::collector::test
