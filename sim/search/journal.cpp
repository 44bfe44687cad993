#include "search/journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/crc.hpp>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <utility>

#include "base/error.hpp"
#include "base/files.hpp"

namespace rehearse {
namespace {

constexpr char kTitle[] = "rehearse search journal 1 ";
constexpr std::size_t kChecksumDigits = 8;
constexpr std::size_t kLargest = std::size_t{1} << 30;  // a million candidates and more

std::string checksum(const std::string& content) {
  boost::crc_32_type crc;
  crc.process_bytes(content.data(), content.size());
  return fmt::format("{:08x}", crc.checksum());
}

std::string line_of(const std::string& content) { return checksum(content) + " " + content; }

// The inverse; false: damaged.
bool content_of(const std::string& line, std::string& content) {
  if (line.size() <= kChecksumDigits || line[kChecksumDigits] != ' ') return false;
  content = line.substr(kChecksumDigits + 1);
  return line.substr(0, kChecksumDigits) == checksum(content);
}

}  // namespace

JournalText parse_journal(const std::string& text, const std::string& path,
                          const std::string& digest) {
  JournalText parsed;
  std::istringstream lines(text);
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    std::string content;
    const bool whole = content_of(line, content);
    if (number == 1 && (!whole || !content.starts_with(kTitle))) {
      throw InputError({path, 1, 1}, "this is no journal of rehearse search");
    }
    if (whole && content.starts_with(kTitle)) {
      if (content.substr(std::strlen(kTitle)) == digest) continue;
      throw InputError({path, 1, 1},
                       "this journal is of another plan, model or network level, or of another "
                       "version of rehearse: give a new file");
    }
    const std::size_t tab = content.find('\t');
    if (!whole || tab == std::string::npos) {
      parsed.warnings.push_back(
          fmt::format("{}:{}:1: warning: this line is damaged; its candidate is simulated again",
                      path, number));
      continue;
    }
    parsed.entries[content.substr(0, tab)] = content.substr(tab + 1);
  }
  return parsed;
}

Journal::Journal(const std::string& path, const std::string& digest) : path_(path) {
  file_ = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file_ < 0) refuse();
  struct stat there {};
  if (fstat(file_, &there) != 0 || !S_ISREG(there.st_mode)) {
    close(file_);
    throw InputError({path, 1, 1},
                     "a journal must be a regular file: a search goes on from what is in it");
  }
  if (flock(file_, LOCK_EX | LOCK_NB) != 0) {
    close(file_);
    throw InputError({path, 1, 1}, "another search is writing this journal");
  }
  try {
    read(read_file(path, "a journal", kLargest), digest);
  } catch (const InputError&) {
    close(file_);
    throw;
  }
}

Journal::~Journal() { close(file_); }

void Journal::read(const std::string& text, const std::string& digest) {
  // New, or of a search that was killed while it wrote its first line.
  if (line_of(kTitle + digest).starts_with(text)) {
    if (ftruncate(file_, 0) != 0) refuse();
    write_line(kTitle + digest);
    return;
  }
  JournalText parsed = parse_journal(text, path_, digest);
  entries_ = std::move(parsed.entries);
  warnings_ = std::move(parsed.warnings);
  // What a killed search had begun to write.
  if (text.back() != '\n') write_whole("\n");
}

void Journal::write_line(const std::string& content) { write_whole(line_of(content) + "\n"); }

// Usually one call, so that lines are whole but for the last of a search that was killed. A disk
// that is almost full takes a part first and says why only then; that part is taken back.
void Journal::write_whole(std::string_view text) {
  const off_t before = lseek(file_, 0, SEEK_END);
  while (!text.empty()) {
    const ssize_t written = write(file_, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int error = errno;
      // Where even that fails, the next search finds a damaged line and says so.
      [[maybe_unused]] const int taken_back = before < 0 ? 0 : ftruncate(file_, before);
      errno = error;
      refuse();
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void Journal::refuse() const {
  throw InputError({path_, 1, 1},
                   fmt::format("cannot write this journal: {}", std::strerror(errno)));
}

void Journal::append(const std::string& key, const std::string& outcome) {
  write_line(key + "\t" + outcome);
  entries_[key] = outcome;
}

}  // namespace rehearse
