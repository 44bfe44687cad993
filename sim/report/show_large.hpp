// `rehearse show` of a plan whose ranks nobody reads one by one: what a screen holds.
#pragma once

#include <string>
#include <vector>

#include "model/model.hpp"
#include "plan/plan.hpp"
#include "platform/platform.hpp"
#include "program/program.hpp"

namespace rehearse {

// The parts of `show` that are long where there are many ranks, with ranges in place of lists and
// what is alike said once. `before` is what stands above them: as many operators follow as keep all
// of it to kScreenLines lines. Lines are of kScreenColumns characters.
std::string show_large(const Model& model, const Plan& plan, const Platform& platform,
                       const Programs& programs, const std::string& before);

constexpr std::size_t kMostListed = 32;  // ranks that somebody reads one by one
constexpr int kScreenLines = 60;
constexpr std::size_t kScreenColumns = 120;

// "0-3,8": ranks as ranges.
std::string ranges(const std::vector<Rank>& ranks);
// "(0-7)", "(0,8...248)": of equal steps the first two and the last.
std::string group_text(const std::vector<Rank>& ranks);
// "(0-7) (8-15) ... (1016-1023)": what there are more of than anybody reads.
std::string first_and_last(const std::vector<std::string>& items);
// Longer lines are continued below, further in.
std::string wrapped_lines(const std::string& text, std::size_t columns);

}  // namespace rehearse
