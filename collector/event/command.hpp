#pragma once
#include <cstdint>
#include <string>

#include "collector/event/incident.hpp"
#include "collector/event/silence.hpp"

namespace ward::collector {

/// What a person asks of routing, by the API or the command line.
struct Command {
  enum class Kind : std::uint8_t { acknowledge, unacknowledge, put_silence, expire_silence, give_verdict };
  Kind kind = Kind::acknowledge;
  std::string actor{};    ///< who that is, as far as the collector knows: the token's name, or where the request came from
  std::string by{};       ///< who they say they are; "" = the actor
  std::string subject{};  ///< id of the incident or silence
  std::string note{};
  AlertSilence silence{};                    ///< put_silence: with an id it is changed
  std::string fresh_id{};                    ///< put_silence: for a new one
  VerdictKind verdict = VerdictKind::acted;  ///< give_verdict; the incident is one that is stored
  friend bool operator==(const Command&, const Command&) = default;
};

}  // namespace ward::collector
