#include "search/journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <boost/crc.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/error.hpp"

namespace rehearse {
namespace {

constexpr char kTitle[] = "rehearse search journal 1 ";
constexpr std::size_t kChecksumDigits = 8;

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

Journal::Journal(const std::string& path, const std::string& digest) : path_(path) {
  file_ = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file_ < 0) {
    throw InputError({path, 1, 1},
                     fmt::format("cannot write this journal: {}", std::strerror(errno)));
  }
  if (flock(file_, LOCK_EX | LOCK_NB) != 0) {
    close(file_);
    throw InputError({path, 1, 1}, "another search is writing this journal");
  }
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  try {
    read(text.str(), digest);
  } catch (const InputError&) {
    close(file_);
    throw;
  }
}

Journal::~Journal() { close(file_); }

void Journal::read(const std::string& text, const std::string& digest) {
  // New, or of a search that was killed while it wrote its first line.
  if (line_of(kTitle + digest).starts_with(text)) {
    SIM_CHECK(ftruncate(file_, 0) == 0, std::strerror(errno));
    write_line(kTitle + digest);
    return;
  }
  const bool unfinished = text.back() != '\n';
  std::istringstream lines(text);
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    std::string content;
    const bool whole = content_of(line, content);
    if (number == 1 && (!whole || !content.starts_with(kTitle))) {
      throw InputError({path_, 1, 1}, "this is no journal of rehearse search");
    }
    if (whole && content.starts_with(kTitle)) {
      if (content.substr(std::strlen(kTitle)) == digest) continue;
      throw InputError({path_, 1, 1},
                       "this journal is of another plan, model or network level, or of another "
                       "version of rehearse: give a new file");
    }
    const std::size_t tab = content.find('\t');
    if (!whole || tab == std::string::npos) {
      warnings_.push_back(
          fmt::format("{}:{}:1: warning: this line is damaged; its candidate is simulated again",
                      path_, number));
      continue;
    }
    entries_[content.substr(0, tab)] = content.substr(tab + 1);
  }
  // What a killed search had begun to write.
  if (unfinished) SIM_CHECK(write(file_, "\n", 1) == 1, std::strerror(errno));
}

void Journal::write_line(const std::string& content) {
  const std::string line = line_of(content) + "\n";
  // One call, so that lines are whole but for the last of a search that was killed.
  if (write(file_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    throw InputError({path_, 1, 1},
                     fmt::format("cannot write this journal: {}", std::strerror(errno)));
  }
}

void Journal::append(const std::string& key, const std::string& outcome) {
  write_line(key + "\t" + outcome);
  entries_[key] = outcome;
}

}  // namespace rehearse
