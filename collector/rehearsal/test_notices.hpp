#pragma once
#include "collector/rehearsal/test_file.hpp"

namespace ward::collector {

/// `{alertname: X, labels: {...}, annotations: {...}, pending: 0s, firing: 1m, resolved: 9m, again: [{firing, resolved}]}`:
/// Ward's own `input_alerts`.
TestAlert read_test_alert(config::Section& from);
/// `{at: 5m, total: 1, resolves: 0, open: 1, exp: [{to, root, class, owner, kind, absorbs, tenants, scope}]}`.
NotificationCase read_notification_case(config::Section& from);

}  // namespace ward::collector
