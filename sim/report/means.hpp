// The last line of an answer, "what this means": the layout in words, what bounds it, and how far
// off its times may be.
#pragma once

#include <string>

#include "metrics/metrics.hpp"
#include "plan/plan.hpp"

namespace rehearse {

// "tp 8 dp 2 on 2 servers", "2 x tp 4 on 8 GPUs", "one GPU": the degrees above 1. `servers`: 0
// where the platform does not say.
std::string layout_words(const Layout& layout, int replicas, int gpus, int servers);

// What bounds a run, from its numbers: what it cannot do comes first, then the objective that is
// missed, then what most of the GPUs' time goes into. "prefill compute bounds it: ...".
std::string limit_words(const Metrics& metrics);

// "+-9 % (median of 217 published static batches)", "+-14 % on TPOT, +-41 % on TTFT (...)", or that
// nobody knows, and why.
std::string error_words(const RunAccuracy& accuracy);

// "means          tp 8 on 4 servers; ...; +-14 % ..."
std::string means_line(const std::string& layout, const std::string& limit,
                       const std::string& error);
std::string means_of_run(const Plan& plan, const Metrics& metrics);
// The same without its label.
std::string meaning_of_run(const Plan& plan, const Metrics& metrics);

}  // namespace rehearse
