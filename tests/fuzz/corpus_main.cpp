// Runs a fuzz target over files and folders of inputs, with any compiler: the corpus as a test.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz/fuzzed.hpp"

int main(int argc, char** argv) {
  std::vector<std::string> inputs;
  for (int at = 1; at < argc; ++at) {
    if (!std::filesystem::is_directory(argv[at])) {
      inputs.emplace_back(argv[at]);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(argv[at])) {
      inputs.push_back(entry.path().string());
    }
  }
  std::sort(inputs.begin(), inputs.end());
  for (const std::string& input : inputs) {
    std::ifstream file(input, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    if (!file) {
      std::fprintf(stderr, "cannot read %s\n", input.c_str());
      return 1;
    }
    std::fprintf(stderr, "%s\n", input.c_str());  // the last one is the one that failed
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  }
  std::printf("%zu inputs\n", inputs.size());
  return inputs.empty() ? 1 : 0;
}
