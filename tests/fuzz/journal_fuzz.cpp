// The journal of a search that was killed. A line that begins with "+" gets the checksum that it
// would have, so that a fuzzer sees more than damaged lines.
#include <fmt/format.h>

#include <boost/crc.hpp>
#include <sstream>

#include "fuzz/fuzzed.hpp"
#include "search/journal.hpp"

namespace rehearse {
namespace {

std::string with_checksums(const std::string& text) {
  std::string all;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('+')) {
      boost::crc_32_type crc;
      crc.process_bytes(line.data() + 1, line.size() - 1);
      line = fmt::format("{:08x} {}", crc.checksum(), line.substr(1));
    }
    all += line + "\n";
  }
  if (!text.empty() && text.back() != '\n') all.pop_back();
  return all;
}

void read(const std::string& path) { const Journal journal(path, "0123456789ab"); }

}  // namespace
}  // namespace rehearse

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text =
      rehearse::with_checksums(std::string(reinterpret_cast<const char*>(bytes), size));
  const std::string path = rehearse::fuzz::write_scratch(
      "search.journal", reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  rehearse::fuzz::read_or_refuse(rehearse::read, path);
  return 0;
}
