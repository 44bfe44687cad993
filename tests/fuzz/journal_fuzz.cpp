// The journal of a search that was killed. A line that begins with "+" gets the checksum that it
// would have, so that a fuzzer sees more than damaged lines.
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <boost/crc.hpp>
#include <filesystem>
#include <fstream>
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

// A folder of this process's own, in memory where that is possible, that goes at exit.
class Scratch {
 public:
  Scratch() : folder_(std::string(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp")) {
    folder_ += "/rehearse-fuzz-XXXXXX";
    SIM_CHECK(mkdtemp(folder_.data()) != nullptr, "cannot make " + folder_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { std::filesystem::remove_all(folder_); }
  std::string path() const { return folder_ + "/search.journal"; }

 private:
  std::string folder_;
};

void read(const std::string& text) {
  static const Scratch kScratch;
  std::ofstream(kScratch.path(), std::ios::binary) << text;
  const Journal journal(kScratch.path(), "0123456789ab");
}

}  // namespace
}  // namespace rehearse

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace rehearse;
  fuzz::understood_or_refused([&] { read(with_checksums(fuzz::text_of(bytes, size))); });
  return 0;
}
