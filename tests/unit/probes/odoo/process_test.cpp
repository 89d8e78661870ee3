#include "probes/odoo/process.hpp"

#include <array>
#include <gtest/gtest.h>

#include "probes/odoo/master.hpp"
#include "tests/support/fake_host.hpp"

namespace ward::test {
namespace {

using namespace probes::odoo;
using namespace std::string_view_literals;

std::string recording(std::string_view name) {
  return std::string(WARD_SOURCE_DIR) + "/tests/data/proc/" + std::string(name) + ".txt";
}

TEST(ProcessStat, CountsFieldsFromTheLastParenthesis) {
  for (const auto* name : {"(odoo)", "(odoo: WorkerHTT)", "(a) S 7 (b)", "()"}) {
    const auto got =
        parse_process_stat("101 " + std::string(name) +
                           " S 100 100 100 0 -1 4194560 52000 0 12 0 310 95 0 0 30 10 2 0 200601 270532608 33000 0");
    ASSERT_TRUE(got) << name;
    EXPECT_EQ(*got,
              (ProcessStat{.parent = 100, .nice = 10, .threads = 2, .start_ticks = 200601, .virtual_bytes = 270532608}));
  }
}

TEST(ProcessStat, RefusesMalformedText) {
  for (const auto* text :
       {"", "101", "101 (odoo", "101 (odoo) S", "101 (odoo) S x 1 1 0 -1 1 1 0 1 0 1 1 0 0 20 0 1 0 5 6 7",
        "101 (odoo) S 1 1 1 0 -1 1 1 0 1 0 1 1 0 0 20 0 1 0 5"}) {
    const auto got = parse_process_stat(text);
    ASSERT_FALSE(got) << "accepted: '" << text << "'";
    EXPECT_EQ(got.error().code, Errc::corrupt);
  }
}

TEST(Cmdline, DropsThePaddingOfRetitledProcesses) {
  EXPECT_EQ(split_cmdline("odoo: WorkerHTTP 101 \0\0\0\0"sv), (std::vector<std::string_view>{"odoo: WorkerHTTP 101"}));
  EXPECT_EQ(split_cmdline("python3\0odoo\0gevent\0"sv), (std::vector<std::string_view>{"python3", "odoo", "gevent"}));
  EXPECT_TRUE(split_cmdline("").empty());
}

TEST(Limits, ReadsTheSoftAddressSpace) {
  EXPECT_EQ(
      parse_address_space_limit("Max cpu time  95  unlimited  seconds\nMax address space  2684354560  unlimited  bytes\n"),
      2684354560U);
  for (const auto* text :
       {"", "Max address space  unlimited  unlimited  bytes\n", "Max cpu time 95\n", "Max address space\n"})
    EXPECT_EQ(parse_address_space_limit(text), std::nullopt) << text;
}

TEST(ServerCommand, KnowsOdooFromItsNeighbours) {
  for (const auto command : {"/usr/bin/python3\0/usr/bin/odoo\0-c\0odoo.conf\0"sv, "odoo: WorkerHTTP 7 \0\0"sv,
                             "python3.11\0/opt/odoo/odoo-bin\0"sv, "/usr/bin/odoo\0"sv})
    EXPECT_TRUE(is_server_command(command, "odoo")) << command;
  for (const auto command : {"postgres: odoo clinic idle\0"sv, "vim\0odoo.conf\0"sv, "python3\0manage.py\0"sv, ""sv, "\0"sv})
    EXPECT_FALSE(is_server_command(command, "odoo")) << command;
  EXPECT_TRUE(is_server_command("python3\0odoo\0-c\0clinic.conf\0"sv, "-c clinic.conf"));
}

TEST(FindMaster, TakesTheOwnerOfTheListeningSocketWhoseParentIsNot) {
  FakeHost host;
  host.load(recording("odoo19-idle"));
  const auto got = find_master(host, {});
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(got->pid, 100U);
  EXPECT_EQ(got->start_ticks, 200000U);
  EXPECT_EQ(got->listen_inodes, (std::vector<std::uint64_t>{5000}));
}

TEST(FindMaster, WorksWithoutTheRightToReadDescriptors) {
  FakeHost host;
  host.load(recording("odoo19-idle"));
  for (const auto* pid : {"100", "101", "102", "103", "104"})
    host.break_path("/proc/" + std::string(pid) + "/fd", {Errc::denied, "Permission denied", ""});
  const auto got = find_master(host, {});
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(got->pid, 100U);
}

TEST(FindMaster, SaysWhenNobodyListens) {
  FakeHost host;
  host.load(recording("odoo19-master-gone"));
  const auto got = find_master(host, {});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Errc::not_found);
}

/// A second server in a network namespace of its own, on the same port.
void add_second_server(FakeHost& host) {
  host.set("/proc/200/stat", "200 (odoo) S 1 200 200 0 -1 0 0 0 0 0 1 1 0 0 20 0 1 0 300000 1000 1 0")
      .set("/proc/200/cmdline", std::string("/usr/bin/python3\0/usr/bin/odoo\0"sv))
      .set("/proc/200/cgroup", "0::/kubepods/pod-b\n")
      .set("/proc/200/net/tcp",
           "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
           "   0: 00000000:1F85 00000000:0000 0A 00000000:00000000 00:00000000 00000000   105        0 8000 1 0 100 0 0 10 "
           "0\n")
      .link("/proc/200/ns/net", "net:[4026532999]")
      .link("/proc/200/fd/3", "socket:[8000]");
}

TEST(FindMaster, RefusesToGuessBetweenTwoServers) {
  FakeHost host;
  add_second_server(host.load(recording("odoo19-idle")));
  const auto got = find_master(host, {});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Errc::invalid);
}

TEST(FindMaster, FindsTheOneOfAPod) {
  FakeHost host;
  add_second_server(host.load(recording("odoo19-idle")));
  const auto got = find_master(host, {.cgroup = "pod-b"});
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(got->pid, 200U);
}

TEST(ChildrenOf, AsksEveryProcessOnAKernelWithoutTheList) {
  FakeHost host;
  host.load(recording("odoo19-idle"));
  const auto listed = children_of(host, 100);
  host.erase("/proc/100/task");
  EXPECT_EQ(children_of(host, 100), listed);
  EXPECT_EQ(listed, (std::vector<std::uint32_t>{101, 102, 103, 104}));
}

}  // namespace
}  // namespace ward::test
