// Text in, one gzip file out, streaming: a trace of any length needs a megabyte. The text is
// compressed by a thread of its own, beside the simulation that writes it.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/output_file.hpp"

namespace rehearse {

// Writes `path` as a single gzip member, as an OutputFile: it appears at finish(), and what the
// system refuses (no such directory, no permission, disk full) is an InputError located at `path`.
// The same text gives the same bytes: the gzip header carries no name and no time.
class GzipStream {
 public:
  explicit GzipStream(std::string path);
  ~GzipStream();
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;

  void write(std::string_view text);

  // For text formatted in place: at least `size` writable bytes, of which the caller says with
  // advance_to() where the text ends. The pointer is valid until the next call of any member.
  char* room(std::size_t size);
  void advance_to(const char* end) { used_ = static_cast<std::size_t>(end - buffer_.data()); }

  // REQUIRES: not called before. After it only the destructor may follow. `together`: the file
  // appears with those.
  void finish(OutputFiles* together = nullptr);

 private:
  class Deflate;

  void hand_over();
  void write_out();

  std::optional<OutputFile> file_;  // nullopt: finished
  std::vector<char> buffer_;        // [0, used_): text that the thread has not got yet
  std::size_t used_ = 0;
  std::unique_ptr<Deflate> deflate_;
};

}  // namespace rehearse
