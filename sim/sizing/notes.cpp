#include "sizing/notes.hpp"

#include <fmt/format.h>

namespace rehearse {
namespace {

bool is_short(const SizedPoint& point) {
  return point.serving.arrivals && !point.serving.arrivals->is_enough();
}

const SizedPoint& answer_of(const LargestRate& rate) {
  return rate.largest ? *rate.largest : rate.above;
}

std::string note(const char* answer, const Plan& plan, const Sizing& sizing,
                 const SizedPoint& point) {
  return fmt::format("{} on too few requests: at {:.4g} {}/s {}", answer, point.rate,
                     sizing.arrivals, short_window_text(*point.serving.arrivals, *plan.serve));
}

// Requests that happen to come closer in the second half of their time look like a backlog that
// grows; another seed's do not.
bool only_backlog_breaks(const Plan& plan, const Sizing& sizing) {
  return sizing.rate.largest && !sizing.seeds && sizing.breaking.term == BreakingTerm::kBacklog &&
         sizing.breaking.cause != BreakingCause::kTooFew && plan.serve->law &&
         plan.serve->law->process != ArrivalProcess::kConstant;
}

}  // namespace

bool rests_on_too_few(const LargestRate& rate) { return is_short(answer_of(rate)); }

std::vector<std::string> notes_of(const Plan& plan, const Sizing& sizing) {
  std::vector<std::string> notes;
  if (rests_on_too_few(sizing.rate)) {
    notes.push_back(note("the largest rate rests", plan, sizing, answer_of(sizing.rate)));
  }
  if (sizing.fewest && sizing.fewest->at && is_short(*sizing.fewest->at)) {
    notes.push_back(note("the fewest GPUs rest", plan, sizing, *sizing.fewest->at));
  }
  if (!sizing.rate.missed_below.empty()) {
    notes.push_back(fmt::format(
        "{}, by chance: {:.4g}/s and more are kept up with; rates as near as these are "
        "not told apart",
        missed_text(sizing.rate.missed_below.front(), sizing.arrivals), sizing.rate.largest->rate));
  }
  if (only_backlog_breaks(plan, sizing)) {
    notes.push_back(
        fmt::format("above the largest rate only the backlog grows, every objective is met: of one "
                    "sample of {} that may be chance, and the rate too low: --seeds 5 tells",
                    sizing.arrivals));
  }
  return notes;
}

}  // namespace rehearse
