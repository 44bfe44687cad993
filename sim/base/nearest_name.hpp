// "Did you mean": for names that are not known.
#pragma once

#include <string>
#include <vector>

namespace rehearse {

// The candidate with the fewest single-character edits (Levenshtein distance) from `name`, where
// case, "-" and "_" do not count, and the missing end of a name is one edit ("--plat"); the first
// of equals. Where even that one differs in more than a third of the characters, at least two, or
// in all of them: the first that has `name` in it or begins it ("h100" of "h100-sxm"), with three
// characters at least. Else empty, as for a name of more than 100 characters: it would not be what
// the user meant.
std::string nearest_name(const std::string& name, const std::vector<std::string>& candidates);

// `did you mean "tensor"?`, or where nothing is near `one of tensor pipeline data`.
std::string suggestion(const std::string& name, const std::vector<std::string>& candidates);

// `; did you mean "tensor"?` behind a rule that says the names; empty: nothing is near.
std::string hint(const std::string& name, const std::vector<std::string>& candidates);

// Of names in one text with blanks between them, as lists in messages are, the rule, and what is
// near: `must be one of auto ring; did you mean "ring"?`. Of more than 20 names only what is near,
// where something is.
std::string name_rule(const std::string& name, const std::string& candidates);

// The nearest and those with one edit more, at most four; empty: none is near.
std::vector<std::string> near_names(const std::string& name,
                                    const std::vector<std::string>& candidates);
// `did you mean "h100", "h200" or "h800"?`
std::string did_you_mean(const std::vector<std::string>& names);

// All that are near, of a long list: `did you mean "h100", "h200" or "h800"?`, the nearest first,
// at most four; else as suggestion().
std::string suggestions(const std::string& name, const std::vector<std::string>& candidates);

}  // namespace rehearse
