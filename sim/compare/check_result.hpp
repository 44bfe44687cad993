// Whether a JSON is a result that can be compared: every number is one, and none is below zero
// where it cannot be. A guard on a value that is no value would pass whatever happens.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace rehearse {

struct ResultFault {
  std::string path;     // "ttft_s.max"
  std::string message;  // "ttft_s.max is a text: expected a number"
};

// The first fault, by path. `skeleton`: every field that a result can have (result_skeleton).
// Fields that it does not have are no fault: another version's; nobody judges them.
std::optional<ResultFault> fault_of(const nlohmann::json& result, const nlohmann::json& skeleton);

}  // namespace rehearse
