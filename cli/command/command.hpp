#pragma once
#include <string>

#include "cli/collector.hpp"
#include "cli/outside.hpp"
#include "common/base/result.hpp"

namespace CLI {
class App;
}

/// One function and one .cpp file a command: it adds the command to `app` and, when the command line chose it, runs it
/// and leaves the outcome. `outside` and `outcome` outlive the parsing.
namespace ward::cli::command {

void add_pki(CLI::App& app, const Outside& outside, Status& outcome);
void add_status(CLI::App& app, const Outside& outside, Status& outcome);
void add_query(CLI::App& app, const Outside& outside, Status& outcome);
void add_alerts(CLI::App& app, const Outside& outside, Status& outcome);
void add_check(CLI::App& app, const Outside& outside, Status& outcome);
void add_series(CLI::App& app, const Outside& outside, Status& outcome);
void add_rules(CLI::App& app, const Outside& outside, Status& outcome);
void add_tsdb(CLI::App& app, const Outside& outside, Status& outcome);
void add_backtest(CLI::App& app, const Outside& outside, Status& outcome);
/// `exit_code`: 1 when a test fails, for that is an answer and no failure of the command.
void add_test(CLI::App& app, const Outside& outside, Status& outcome, int& exit_code);
void add_ack(CLI::App& app, const Outside& outside, Status& outcome);
void add_silence(CLI::App& app, const Outside& outside, Status& outcome);
void add_audit(CLI::App& app, const Outside& outside, Status& outcome);
void add_explain(CLI::App& app, const Outside& outside, Status& outcome);
void add_report(CLI::App& app, const Outside& outside, Status& outcome);
void add_slo(CLI::App& app, const Outside& outside, Status& outcome);
/// With `verdict`.
void add_incidents(CLI::App& app, const Outside& outside, Status& outcome);
void add_import(CLI::App& app, const Outside& outside, Status& outcome);
void add_export(CLI::App& app, const Outside& outside, Status& outcome);

/// --collector, --token-file, --ca-file and --json. Defined in query.cpp.
void add_collector_options(CLI::App& command, CollectorOptions& options);

/// What people see of an answer; Errc::corrupt when it does not look as the API says.
Result<std::string> show_query(const std::string& body);
Result<std::string> show_series(const std::string& body);
Result<std::string> show_alerts(const std::string& body, Time now);
Result<std::string> show_story(const std::string& body);
/// "" when the answer holds none.
Result<std::string> show_slos(const std::string& body, bool in_detail);
Result<std::string> show_status(const std::string& status_body, const std::string& agents_body);

}  // namespace ward::cli::command
