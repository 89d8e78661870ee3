#include "tests/support/fake_host.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>

#include "common/base/parse.hpp"

namespace ward::test {
namespace {

std::string below(std::string_view directory) {
  std::string prefix{directory};
  if (prefix.empty() || prefix.back() != '/') prefix += '/';
  return prefix;
}

tl::unexpected<Error> absent(std::string_view path) {
  return fail(Errc::not_found, std::string(path) + ": no such file or directory", "");
}

std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\\';
    if (next == '0' || next == 'n') {
      out += next == '0' ? '\0' : '\n';
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

template <class Map>
void erase_tree(Map& map, std::string_view path) {
  const auto prefix = below(path);
  std::erase_if(map, [&](const auto& entry) { return entry.first == path || entry.first.starts_with(prefix); });
}

}  // namespace

FakeHost::FakeHost(Entries files) {
  for (const auto& [path, text] : files) set(path, text);
}

FakeHost& FakeHost::set(std::string path, std::string text) {
  files_[std::move(path)] = std::move(text);
  return *this;
}

FakeHost& FakeHost::link(std::string path, std::string target) {
  links_[std::move(path)] = std::move(target);
  return *this;
}

FakeHost& FakeHost::mount(std::string mount_point, Result<probes::FsStats> answer) {
  mounts_.insert_or_assign(std::move(mount_point), std::move(answer));
  return *this;
}

FakeHost& FakeHost::break_path(std::string path, Error error) {
  broken_[std::move(path)] = std::move(error);
  return *this;
}

FakeHost& FakeHost::erase(std::string_view path) {
  erase_tree(files_, path);
  erase_tree(links_, path);
  return *this;
}

FakeHost& FakeHost::load(const std::string& recording) {
  std::ifstream in(recording);
  if (!in) throw std::runtime_error("no recording " + recording);
  std::string* into = nullptr;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line.front() == '#' && into == nullptr) continue;
    if (!line.starts_with('@')) {
      if (into == nullptr) throw std::runtime_error(recording + ": text before the first @file");
      *into += unescape(line) + '\n';
      continue;
    }
    std::string_view rest = line;
    const auto word = next_word(rest);
    const auto path = next_word(rest);
    into = nullptr;
    if (word == "@link")
      link(std::string(path), std::string(trim(rest)));
    else if (word == "@file")
      into = &(files_[std::string(path)] = "");
    else
      throw std::runtime_error(recording + ": unknown line " + line);
  }
  return *this;
}

int FakeHost::touched(std::string_view path) const {
  const auto it = touches_.find(path);
  return it == touches_.end() ? 0 : it->second;
}

Status FakeHost::touch(std::string_view path) {
  ++touches_[std::string(path)];
  if (const auto it = broken_.find(path); it != broken_.end()) return fail(it->second);
  return {};
}

Result<std::string> FakeHost::read_file(std::string_view path) {
  if (auto ok = touch(path); !ok) return fail(ok.error());
  const auto it = files_.find(path);
  if (it == files_.end()) return absent(path);
  return it->second;
}

Result<std::vector<std::string>> FakeHost::list_dir(std::string_view path) {
  if (auto ok = touch(path); !ok) return fail(ok.error());
  const auto prefix = below(path);
  std::set<std::string> names;
  const auto take = [&](const auto& map) {
    for (auto it = map.lower_bound(prefix); it != map.end() && it->first.starts_with(prefix); ++it)
      names.insert(it->first.substr(prefix.size(), it->first.find('/', prefix.size()) - prefix.size()));
  };
  take(files_);
  take(links_);
  if (names.empty()) return absent(path);
  return std::vector<std::string>(names.begin(), names.end());
}

Result<std::string> FakeHost::read_link(std::string_view path) {
  if (auto ok = touch(path); !ok) return fail(ok.error());
  const auto it = links_.find(path);
  if (it == links_.end()) return absent(path);
  return it->second;
}

async::Task<Result<probes::FsStats>> FakeHost::fs_stats(std::string mount_point) {
  ++touches_[mount_point];
  const auto it = mounts_.find(mount_point);
  if (it == mounts_.end()) co_return absent(mount_point);
  co_return it->second;
}

http::Client& FakeHost::http() {
  if (http_ == nullptr) throw std::logic_error("FakeHost has no HTTP client: call use_http() first");
  return *http_;
}

probes::ProbeOutput collect(probes::Probe& probe, probes::Host& host) {
  boost::asio::io_context io;
  return collect(probe, host, io);
}

probes::ProbeOutput collect(probes::Probe& probe, probes::Host& host, boost::asio::io_context& io) {
  std::optional<probes::ProbeOutput> output;
  std::exception_ptr error;
  const auto done = [&](std::exception_ptr failed, probes::ProbeOutput result) {
    error = failed;
    output = std::move(result);
    io.stop();
  };
  boost::asio::co_spawn(io, probe.collect(host), done);
  io.restart();
  io.run();
  if (error) std::rethrow_exception(error);
  return std::move(output).value();
}

std::optional<double> value_of(const Readings& readings, std::string_view metric, const Labels& labels) {
  std::optional<double> found;
  for (const auto& reading : readings) {
    if (reading.metric != metric || reading.labels != labels) continue;
    if (found) throw std::runtime_error("emitted twice: " + std::string(metric) + to_string(labels));
    found = reading.value;
  }
  return found;
}

std::size_t count_of(const Readings& readings, std::string_view metric) {
  return static_cast<std::size_t>(std::ranges::count(readings, metric, &Reading::metric));
}

std::string to_text(const Readings& readings) {
  std::vector<std::string> lines;
  for (const auto& [metric, labels, value] : readings) {
    std::ostringstream line;
    line << to_string(labels.with(kNameLabel, metric)) << ' ' << value << '\n';
    lines.push_back(line.str());
  }
  std::ranges::sort(lines);
  std::string text;
  for (const auto& line : lines) text += line;
  return text;
}

}  // namespace ward::test
