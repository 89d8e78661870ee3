// Attributes of network devices.
// Source: /sys/class/net/<device>/* (Documentation/ABI/testing/sysfs-class-net). Reading one file costs microseconds and
// `speed` asks the driver, so each run asks only whether the link changed: some nodes have hundreds of devices.
#include <array>
#include <charconv>
#include <optional>

#include "common/base/parse.hpp"
#include "probes/host/collectors.hpp"

namespace ward::probes::node {
namespace {

constexpr std::chrono::minutes kSettingsAge{5};

struct Attribute {
  std::string_view file, metric;
};
/// Read when operstate or the count of carrier changes moved, and every kSettingsAge.
constexpr std::array<Attribute, 16> kSettings{{{"addr_assign_type", "node_network_address_assign_type"},
                                               {"dev_id", "node_network_device_id"},
                                               {"dormant", "node_network_dormant"},
                                               {"flags", "node_network_flags"},
                                               {"ifindex", "node_network_iface_id"},
                                               {"iflink", "node_network_iface_link"},
                                               {"link_mode", "node_network_iface_link_mode"},
                                               {"mtu", "node_network_mtu_bytes"},
                                               {"name_assign_type", "node_network_name_assign_type"},
                                               {"netdev_group", "node_network_net_dev_group"},
                                               {"type", "node_network_protocol_type"},
                                               {"tx_queue_len", "node_network_transmit_queue_length"},
                                               {"carrier", "node_network_carrier"},
                                               {"carrier_up_count", "node_network_carrier_up_changes_total"},
                                               {"carrier_down_count", "node_network_carrier_down_changes_total"},
                                               {"speed", "node_network_speed_bytes"}}};
constexpr double kBytesPerMegabit = 1'000'000.0 / 8;

/// Decimal or "0x..."; nullopt for what a device does not have: reading `carrier` of a device that is down is EINVAL.
std::optional<double> read_number(Host& host, const std::string& path) {
  const auto text = host.read_file(path);
  if (!text) return std::nullopt;
  const auto word = trim(*text);
  if (word.starts_with("0x")) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(word.data() + 2, word.data() + word.size(), value, 16);
    if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
    return static_cast<double>(value);
  }
  const auto value = to_i64(word);
  if (!value) return std::nullopt;
  return static_cast<double>(*value);
}

std::string read_word(Host& host, const std::string& path) {
  const auto text = host.read_file(path);
  return text ? std::string(trim(*text)) : std::string{};
}

}  // namespace

struct NetClass::Device {
  Labels device;
  std::optional<double> changes;
  std::array<std::optional<double>, kSettings.size()> settings;
  std::string operstate;
  Labels info;
  MonoTime read_at{};
  bool listed = false;
};

namespace {

void read_settings(Host& host, const std::string& directory, std::string_view name,
                   std::array<std::optional<double>, kSettings.size()>& settings, Labels& info) {
  for (std::size_t i = 0; i < kSettings.size(); ++i)
    settings[i] = read_number(host, directory + std::string(kSettings[i].file));
  auto& speed = settings.back();
  // -1 is "unknown", of virtual devices and links that are down; node_exporter shows a meaningless -125000 for it.
  if (speed && *speed < 0) speed.reset();
  if (speed) *speed *= kBytesPerMegabit;
  info = label("device", name);
  for (const std::string_view file : {"address", "broadcast", "duplex", "ifalias"})
    info.set(file, read_word(host, directory + std::string(file)));
}

}  // namespace

NetClass::NetClass() = default;
NetClass::~NetClass() = default;

Status NetClass::collect(Host& host, const DeviceFilter& filter, Readings& out) {
  const auto names = host.list_dir("/sys/class/net");
  if (!names) return fail(names.error());
  const auto now = host.clock().mono();
  for (auto& [name, device] : devices_) device->listed = false;
  for (const auto& name : *names) {
    if (name == "bonding_masters" || filter.excludes(name)) continue;  // a file of the bonding driver
    const auto [entry, fresh] = devices_.try_emplace(name);
    if (fresh) entry->second = std::make_unique<Device>();
    auto& device = *entry->second;
    device.listed = true;
    const auto directory = "/sys/class/net/" + name + "/";
    const auto changes = read_number(host, directory + "carrier_changes");
    auto operstate = read_word(host, directory + "operstate");
    if (fresh || changes != device.changes || operstate != device.operstate || now - device.read_at > kSettingsAge) {
      device.device = label("device", name);
      read_settings(host, directory, name, device.settings, device.info);
      device.info.set("operstate", operstate);
      device.read_at = now;
    }
    device.changes = changes;
    device.operstate = std::move(operstate);
    put(out, "node_network_up", device.device, device.operstate == "up" ? 1 : 0);
    put(out, "node_network_info", device.info, 1);
    if (changes) put(out, "node_network_carrier_changes_total", device.device, *changes);
    for (std::size_t i = 0; i < kSettings.size(); ++i)
      if (device.settings[i]) put(out, kSettings[i].metric, device.device, *device.settings[i]);
  }
  std::erase_if(devices_, [](const auto& entry) { return !entry.second->listed; });
  return {};
}

}  // namespace ward::probes::node
