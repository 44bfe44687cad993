// Whether a verdict hangs on less than the error that is expected of a run's times.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "claims/evaluate.hpp"

namespace rehearse {

struct ErrorBand {
  bool within = false;  // the verdict would turn if the times were off by the error
  double error = 0;  // the largest that its quantities have: median of |predicted / measured - 1|
  std::optional<double> margin;  // found / claimed - 1, of two numbers
};

// `outcome`: of the comparison with these quantities. Nothing where none of what it compares is a
// time or a rate whose error is known (`accuracy` of result.json).
std::optional<ErrorBand> error_band(const Comparison& comparison, const nlohmann::json& quantities,
                                    const Outcome& outcome);

}  // namespace rehearse
