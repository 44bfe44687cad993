// What a search has found out, one line per candidate, so that a search that was killed goes on
// where it was. Only appended to; every line has a checksum; the first line names what was
// simulated.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rehearse {

// What a journal's text says. Throws InputError: it is no journal, or that of something else.
struct JournalText {
  std::map<std::string, std::string> entries;  // by candidate key
  std::vector<std::string> warnings;           // of lines that are damaged and left out
};
JournalText parse_journal(const std::string& text, const std::string& path,
                          const std::string& digest);

class Journal {
 public:
  // Opens or creates the file, and locks it. `digest`: of everything that changes a result but the
  // candidate. Lines that are damaged are left out, with a warning each in warnings(). Throws
  // InputError: it is no journal, it is that of something else, another search is writing it, or it
  // cannot be written.
  Journal(const std::string& path, const std::string& digest);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // By candidate key, what append() was given.
  const std::map<std::string, std::string>& entries() const { return entries_; }
  const std::vector<std::string>& warnings() const { return warnings_; }
  // The line is in the file when this returns, whatever happens to the process.
  void append(const std::string& key, const std::string& outcome);

 private:
  void read(const std::string& text, const std::string& digest);
  void write_line(const std::string& content);
  void write_whole(std::string_view text);
  [[noreturn]] void refuse() const;

  std::string path_;
  int file_ = -1;
  std::map<std::string, std::string> entries_;
  std::vector<std::string> warnings_;
};

}  // namespace rehearse
