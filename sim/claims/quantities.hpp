// Paths into the tree of quantities (result.json and the facts, as JSON).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "claims/expression.hpp"

namespace rehearse {

// The run has no value for a quantity that the schema has. What is absent is no number, and no
// claim about it holds.
class AbsentQuantity : public InputError {
 public:
  enum class What {
    kField,   // it was not measured
    kElement  // a list has no such element: perhaps no run has it
  };
  AbsentQuantity(const SourceLocation& where, const std::string& reason, What missing)
      : InputError(where, reason), reason_(reason), missing_(missing) {}

  // "tpot_s is not measured: no request has a second output token"
  const std::string& reason() const { return reason_; }
  What missing() const { return missing_; }

 private:
  std::string reason_;
  What missing_;
};

// What a path of the comparison leads to: one element, or with a range several. Throws InputError
// at the first step that no run can have, with the nearest name, and AbsentQuantity at one that
// these quantities lack. `skeleton`: they are not a run's but every quantity that there can be;
// lists have one element that stands for any; every index and key exists there.
std::vector<const nlohmann::json*> find_quantity(const Comparison& comparison,
                                                 const Expression& path,
                                                 const nlohmann::json& quantities, bool skeleton);

// "tpot_s is not measured: no request has a second output token"
std::string not_measured(const std::string& path);

}  // namespace rehearse
