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
  return notes;
}

}  // namespace rehearse
