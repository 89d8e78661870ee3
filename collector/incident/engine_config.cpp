#include "collector/incident/engine.hpp"

namespace ward::collector {

EngineOptions read_engine_options(config::Section& section) {
  EngineOptions o;
  auto settle = section.child("settle");
  o.settle.actionable = settle.duration("actionable", o.settle.actionable);
  o.settle.urgent = settle.duration("urgent", o.settle.urgent);
  o.settle.executive = settle.duration("executive", o.settle.executive);
  settle.close();
  auto flap = section.child("flap");
  o.flap.enter = flap.whole("enter", o.flap.enter, 2, 1000);
  o.flap.in = flap.duration("in", o.flap.in);
  o.flap.stable = flap.duration("stable", o.flap.stable);
  flap.close();
  o.reparent = section.duration("reparent", o.reparent);
  o.settle_resolve = section.duration("settle_resolve", o.settle_resolve);
  auto release = section.child("release");
  o.release.evaluations = release.whole("evaluations", o.release.evaluations, 1, 100);
  o.release.least = release.duration("least", o.release.least);
  o.release.max = release.duration("max", o.release.max);
  release.close();
  auto common = section.child("common");
  o.common.alerts = common.whole("alerts", o.common.alerts, 2, 100'000);
  o.common.services = common.whole("services", o.common.services, 1, 100'000);
  o.common.within = common.duration("within", o.common.within);
  common.close();
  o.slack = section.duration("slack", o.slack);
  section.close();
  return o;
}

}  // namespace ward::collector
