// Paths into the tree of quantities (result.json and the facts, as JSON).
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "claims/expression.hpp"

namespace rehearse {

// What a path of the comparison leads to: one element, or with a range several. Throws InputError
// at the first step that leads nowhere, with the nearest name. `skeleton`: lists have one element
// that stands for any; every index and key exists there.
std::vector<const nlohmann::json*> find_quantity(const Comparison& comparison,
                                                 const Expression& path,
                                                 const nlohmann::json& quantities, bool skeleton);

}  // namespace rehearse
