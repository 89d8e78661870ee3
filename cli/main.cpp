#include <csignal>
#include <cstdlib>
#include <iostream>

#include "cli/wardctl.hpp"

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // `wardctl query ... | head` is no crash
  const auto clock = ward::real_clock();
  const ward::cli::Outside outside{std::cout, std::cerr, *clock,
                                   [](const std::string& name) {
                                     const char* value = std::getenv(name.c_str());
                                     return std::string(value == nullptr ? "" : value);
                                   },
                                   &ward::http::make_curl_client};
  return ward::cli::run({argv + (argc > 0 ? 1 : 0), argv + argc}, outside);
}
