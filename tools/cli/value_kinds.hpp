// What may stand for a word of the help, "GPU" in `--gpu GPU`: what the shell completes it to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rehearse {

enum class Completed : std::uint8_t {
  kNothing,  // a number: nothing to offer
  kFiles,
  kFolders,
  kWords,          // of values_of()
  kPrefixes,       // the same, each the beginning of a word
  kWordsAndFiles,  // a model: of the gallery, or a file
};
Completed completed_with(const std::string& metavar);

// Those that the program knows; empty: none, whatever is typed.
std::vector<std::string> values_of(const std::string& metavar);

// That have values: "GPU", "ENGINE", ...
std::vector<std::string> kinds_with_values();

}  // namespace rehearse
