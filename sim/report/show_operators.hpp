// The operators that take most of a pass, prefill and decode side by side.
#pragma once

#include <string>

#include "plan/plan.hpp"
#include "platform/platform.hpp"
#include "program/program.hpp"

namespace rehearse {

// "prefill of 4 sequences (8192 tokens); decode of 8 sequences (8 tokens)": the first of each phase
// on a rank of the first and of the last stage.
std::string shown_passes(const Plan& plan, const Programs& programs, const Platform& platform);

// A line each of the `most` that take the largest part of theirs, and how many there are besides.
std::string longest_operators(const Plan& plan, const Programs& programs, const Platform& platform,
                              std::size_t most);

}  // namespace rehearse
