#include "cli/notes.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace rehearse {

void print_notes(const Model& model) {
  for (const std::string& note : model.notes) {
    fmt::print(stderr, "model {}: {}\n", model.name, note);
  }
}

}  // namespace rehearse
