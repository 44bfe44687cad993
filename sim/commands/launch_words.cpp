#include "commands/launch_words.hpp"

#include <fmt/format.h>

#include "base/error.hpp"

namespace rehearse {
namespace {

class Splitter {
 public:
  Splitter(const std::string& option, const std::string& text) : option_(option), text_(text) {}

  std::vector<LaunchWord> split() {
    while (at_ < text_.size()) step();
    end_word();
    return std::move(words_);
  }

 private:
  [[noreturn]] void refuse(std::size_t at, const std::string& rule) const {
    throw InputError({option_, 1, static_cast<int>(at) + 1}, rule);
  }

  void step() {
    const char letter = text_[at_];
    if (letter == ' ' || letter == '\t' || letter == '\n' || letter == '\r') {
      end_word();
      ++at_;
    } else if (letter == '\'' || letter == '"') {
      take_quoted(letter);
    } else if (letter == '\\') {
      take_escaped();
    } else {
      if (std::string("|;&<>`$").find(letter) != std::string::npos) {
        refuse(at_, fmt::format("'{}' is for a shell: give the command with its values written out",
                                letter));
      }
      add(letter);
      ++at_;
    }
  }

  void take_quoted(char quote) {
    const std::size_t begin = at_++;
    begin_word(begin);
    while (at_ < text_.size() && text_[at_] != quote) {
      const bool escapes = quote == '"' && text_[at_] == '\\' && at_ + 1 < text_.size() &&
                           std::string("\"\\$`").find(text_[at_ + 1]) != std::string::npos;
      if (escapes) ++at_;
      add(text_[at_++]);
    }
    if (at_ == text_.size()) refuse(begin, "a quote that does not end");
    ++at_;
  }

  // A broken line goes on as if it were whole.
  void take_escaped() {
    ++at_;
    if (at_ == text_.size()) return;
    if (text_[at_] == '\n') {
      ++at_;
      return;
    }
    add(text_[at_++]);
  }

  void begin_word(std::size_t at) {
    if (inside_) return;
    inside_ = true;
    words_.push_back({"", static_cast<int>(at) + 1});
  }
  void add(char letter) {
    begin_word(at_);
    words_.back().text += letter;
  }
  void end_word() { inside_ = false; }

  const std::string& option_;
  const std::string& text_;
  std::size_t at_ = 0;
  bool inside_ = false;
  std::vector<LaunchWord> words_;
};

}  // namespace

std::vector<LaunchWord> words_of_command(const std::string& option, const std::string& command) {
  return Splitter(option, command).split();
}

}  // namespace rehearse
