// Where the times of a service come from: what its median steps are made of, and of which steps the
// times of its median requests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "service/step_terms.hpp"
#include "serving/request.hpp"

namespace rehearse {

// Of the steps of a kind the one whose time is in the middle.
struct ExplainedStep {
  std::int64_t steps = 0;  // of that kind
  Seconds mean;            // of them
  Seconds time;            // of the one in the middle
  std::int64_t requests = 0;
  std::int64_t tokens = 0;   // new ones
  std::int64_t context = 0;  // of all its requests: tokens before the new ones
  StepTerms terms;
};

// So many steps of a request, one behind the other.
struct StepsOfRequest {
  int steps = 0;
  Seconds time;
};

// A finished request in the middle by its TTFT: the parts sum to it.
struct ExplainedTtft {
  Seconds whole;
  Seconds queueing;    // until its first step starts
  StepsOfRequest own;  // steps that it is in
  Seconds rest;        // between them, and until the token is handed out
};

// One in the middle by its TPOT, of those with more than one token: times of a token.
struct ExplainedTpot {
  Seconds whole;
  int tokens = 0;           // behind the first
  StepsOfRequest decoding;  // nobody's prompt is in them
  StepsOfRequest with_prompts;
  Seconds rest;
};

struct ExplainedService {
  std::optional<ExplainedStep> decoding;      // in its steps is nobody's prompt; nothing: no such
  std::optional<ExplainedStep> with_prompts;  // nor of such
  std::optional<ExplainedTtft> ttft;          // nothing: nobody was served
  std::optional<ExplainedTpot> tpot;
};

// As lines under a heading.
std::string explained_text(const ExplainedService& explained);

}  // namespace rehearse
