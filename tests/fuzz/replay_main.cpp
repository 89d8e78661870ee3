// Feeds committed inputs to a fuzz target where there is no libFuzzer: files and folders, mostly the corpus
// of the target. Prints the name of each input before it runs, so that a crash names its cause.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/fuzz/target.hpp"

namespace {

namespace fs = std::filesystem;

void gather(const fs::path& from, std::vector<fs::path>& out) {
  if (!fs::is_directory(from)) return out.push_back(from);
  for (const auto& entry : fs::directory_iterator(from))
    if (entry.is_regular_file()) out.push_back(entry.path());
}

void replay(const fs::path& path) {
  std::printf("%s\n", path.filename().c_str());
  std::fflush(stdout);
  std::ifstream in(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
  // A heap block of exactly this size, so that the address sanitizer sees a read one byte past it.
  const std::vector<std::uint8_t> input(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(input.data(), input.size());
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<fs::path> inputs;
  for (int i = 1; i < argc; ++i)
    if (argv[i][0] != '-') gather(argv[i], inputs);
  std::sort(inputs.begin(), inputs.end());
  for (const auto& input : inputs) replay(input);
  std::printf("%zu inputs replayed\n", inputs.size());
  return inputs.empty() ? 1 : 0;
}
