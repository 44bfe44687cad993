#include <fmt/format.h>

#include <cmath>

#include "service/explained_service.hpp"

namespace rehearse {
namespace {

// Below what is counted, a picosecond for each of its roundings, it is nothing.
constexpr double kNothing = 1e-11;

std::string rest_of(Seconds rest) {
  return to_text(std::abs(rest.value) < kNothing ? Seconds{} : rest);
}

// "2 steps 600 ms, "
std::string part_of_request(const StepsOfRequest& steps, const char* kind) {
  if (steps.steps == 0) return "";
  return fmt::format("{} step{}{} {}, ", steps.steps, steps.steps == 1 ? "" : "s", kind,
                     to_text(steps.time));
}

std::string row(const std::string& name, const std::string& decoding, const std::string& prompts) {
  std::string text = fmt::format("  {:<38} {:>22} {:>22}", name, decoding, prompts);
  text.erase(text.find_last_not_of(' ') + 1);
  return text + "\n";
}

template <class Cell>
std::string row_of(const std::string& name, const ExplainedService& explained, Cell cell) {
  const auto text = [&](const std::optional<ExplainedStep>& step) {
    return step ? cell(*step) : std::string("none");
  };
  return row(name, text(explained.decoding), text(explained.with_prompts));
}

std::string share_cell(Seconds part, Seconds whole) {
  if (std::abs(part.value) < kNothing) return "-";
  return fmt::format("{} {:>6.1f} %", to_text(part), 100 * part.value / whole.value);
}

std::string steps_table(const ExplainedService& explained) {
  std::string text = row("the step in the middle of its kind", "only decoding", "with prompts");
  text += row_of("  steps of that kind; their mean", explained, [](const ExplainedStep& step) {
    return fmt::format("{}; {}", step.steps, to_text(step.mean));
  });
  text += row_of("  requests in it, new tokens", explained, [](const ExplainedStep& step) {
    return fmt::format("{}, {}", step.requests, step.tokens);
  });
  text += row_of("  tokens before these, of all together", explained,
                 [](const ExplainedStep& step) { return fmt::format("{}", step.context); });
  for (int at = 0; at < kStepParts; ++at) {
    const auto part = static_cast<StepPart>(at);
    const auto is_there = [&](const std::optional<ExplainedStep>& step) {
      return step && std::abs(step->terms[part].value) >= kNothing;
    };
    if (!is_there(explained.decoding) && !is_there(explained.with_prompts)) continue;
    text += row_of(std::string("  ") + to_text(part), explained, [&](const ExplainedStep& step) {
      return share_cell(step.terms[part], step.terms.sum());
    });
  }
  return text + row_of("  the step, their sum", explained, [](const ExplainedStep& step) {
           return share_cell(step.terms.sum(), step.terms.sum());
         });
}

}  // namespace

std::string explained_text(const ExplainedService& explained) {
  std::string text = "\nWhere TTFT and TPOT come from\n";
  if (explained.ttft) {
    const ExplainedTtft& ttft = *explained.ttft;
    text += fmt::format("  TTFT of the request in the middle {} = queueing {}, {}else {}\n",
                        to_text(ttft.whole), to_text(ttft.queueing), part_of_request(ttft.own, ""),
                        rest_of(ttft.rest));
  }
  if (explained.tpot) {
    const ExplainedTpot& tpot = *explained.tpot;
    text += fmt::format(
        "  TPOT of the request in the middle {}, of each of {} tokens = {}{}else {}\n",
        to_text(tpot.whole), tpot.tokens, part_of_request(tpot.decoding, " that only decode"),
        part_of_request(tpot.with_prompts, " with prompts beside it"), rest_of(tpot.rest));
  }
  if (explained.decoding || explained.with_prompts) text += steps_table(explained);
  return text;
}

}  // namespace rehearse
