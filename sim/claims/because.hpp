// Why a number is what it is: the terms that make it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace rehearse {

// The terms behind the quantity whose path starts with `quantity` ("ttft_s"), a line each; none for
// one that has no parts. `quantities`: result.json, with its critical path where there is one, and
// the facts.
std::vector<std::string> because(const std::string& quantity, const nlohmann::json& quantities);

// The same for all that a run gives: time to the first tokens, the whole run, throughput,
// communication, memory.
std::vector<std::string> because_of_everything(const nlohmann::json& quantities);

}  // namespace rehearse
