// The rules of sim/layers.txt, and the checks of include lines and CMake links against them. Pure:
// text in, complaints out.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace rehearse {

struct HeaderRule {
  std::string pattern;              // "simgrid/" (prefix) or "*.pb.h" (suffix)
  std::vector<std::string> places;  // files, or folders with a slash at the end
};

struct Layers {
  std::map<std::string, std::set<std::string>> stages;  // stage -> stages it may see
  std::vector<HeaderRule> headers;
};

// Throws std::invalid_argument ("line N: ...") on a line that is no rule, and on a stage that names
// one which is not above it.
Layers parse_layers(const std::string& text);

// Complaints ("sim/model/x.cpp:3: ...") about the #include lines of one file. `path` is relative to
// the repository root and starts with sim/ or tools/.
std::vector<std::string> check_includes(const Layers& layers, const std::string& path,
                                        const std::string& text);

// Complaints about stage(NAME ... DEPENDS rehearse_X) and target_link_libraries(rehearse_NAME ...
// rehearse_X) in a CMake file.
std::vector<std::string> check_links(const Layers& layers, const std::string& cmake);

}  // namespace rehearse
