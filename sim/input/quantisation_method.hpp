// The quantisation methods: which matrices each of them quantises, and to what. A method is a
// function in quantisation_methods/ and a line of its table.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "input/json_object.hpp"
#include "input/module_list.hpp"
#include "input/quantisation.hpp"
#include "proto/model.pb.h"

namespace rehearse {

constexpr int kPlain = -1;

struct QuantisationMethod {
  QuantisationMethod(ModuleList::Patterns patterns, int layers, int experts)
      : targets(patterns, layers, experts), ignored(patterns, layers, experts) {
    of_part.fill(kPlain);
  }

  std::vector<proto::Storage> schemes;  // without parts and layers
  // The scheme of a part whose modules no list names: an index of schemes, or kPlain.
  std::array<int, proto::Storage::Part_ARRAYSIZE> of_part{};
  ModuleList targets;  // to the index of their scheme
  ModuleList ignored;
  std::vector<std::string> notes;
};

QuantisationMethod read_method(const JsonObject& statement, QuantisationFile file,
                               const proto::Model& model);

}  // namespace rehearse
