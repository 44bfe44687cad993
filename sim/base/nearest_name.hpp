// "Did you mean": for names that are not known.
#pragma once

#include <string>
#include <vector>

namespace rehearse {

// The candidate with the fewest single-character edits (Levenshtein distance) from `name`; the
// first of equals. Empty when even that one differs in more than a third of the characters, at
// least two, or has more than 100 characters: it would not be what the user meant.
std::string nearest_name(const std::string& name, const std::vector<std::string>& candidates);

// `did you mean "tensor"?`, or where nothing is near `one of tensor pipeline data`.
std::string suggestion(const std::string& name, const std::vector<std::string>& candidates);

}  // namespace rehearse
