// Three numbers, a launch and two shares, as logarithms: so that they stay above 0 and a factor of
// two is as far up as down. A launch of nothing begins at a microsecond.
#include "cost/fit_costs.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.hpp"

namespace rehearse {
namespace {

constexpr double kTimesAreRightWithin = 0.05;
constexpr double kPriorIsRightWithin = 0.30;
constexpr double kLeastLaunch = 1e-6;
constexpr double kMostShare = 1.5;  // as platform/bounds.cpp has it of a file

using Numbers = std::array<double, 3>;  // logarithms of launch, compute, memory
using Matrix3 = std::array<Numbers, 3>;

OperatorCosts costs_of(const Numbers& numbers, const OperatorCosts& prior) {
  OperatorCosts costs = prior;
  costs.launch = Seconds{std::exp(numbers[0])};
  costs.compute = std::min(std::exp(numbers[1]), kMostShare);
  costs.memory = std::min(std::exp(numbers[2]), kMostShare);
  costs.assumed = false;
  return costs;
}

class Fit {
 public:
  Fit(const OperatorCosts& prior, std::span<const CostAnchor> anchors)
      : prior_(prior),
        anchors_(anchors),
        start_({std::log(std::max(prior.launch.value, kLeastLaunch)), std::log(prior.compute),
                std::log(prior.memory)}) {}

  OperatorCosts run() const {
    constexpr int kMostSteps = 100;
    Numbers at = start_;
    double damping = 1e-3;
    double best = loss(at);
    for (int step = 0; step < kMostSteps; ++step) {
      const Numbers next = step_from(at, damping);
      const double found = loss(next);
      if (found < best) {
        const bool done = best - found < 1e-12 * (1 + best);
        at = next;
        best = found;
        damping /= 4;
        if (done) break;
      } else {
        damping *= 8;
        if (damping > 1e12) break;
      }
    }
    return costs_of(at, prior_);
  }

 private:
  double residual(const CostAnchor& anchor, const Numbers& at) const {
    const Seconds time = predicted(anchor, costs_of(at, prior_));
    return std::log(time / anchor.measured) / kTimesAreRightWithin;
  }

  double loss(const Numbers& at) const {
    double sum = 0;
    for (const CostAnchor& anchor : anchors_) sum += std::pow(residual(anchor, at), 2);
    for (std::size_t i = 0; i < at.size(); ++i) {
      sum += std::pow((at[i] - start_[i]) / kPriorIsRightWithin, 2);
    }
    return sum;
  }

  // Solves (J^T J + damping x its diagonal) step = -J^T r.
  Numbers step_from(const Numbers& at, double damping) const {
    Matrix3 normal{};
    Numbers right{};
    for (const CostAnchor& anchor : anchors_) {
      const double here = residual(anchor, at);
      Numbers slope{};
      for (std::size_t i = 0; i < at.size(); ++i) {
        constexpr double kStep = 1e-5;
        Numbers moved = at;
        moved[i] += kStep;
        slope[i] = (residual(anchor, moved) - here) / kStep;
      }
      add(slope, here, normal, right);
    }
    for (std::size_t i = 0; i < at.size(); ++i) {
      Numbers slope{};
      slope[i] = 1 / kPriorIsRightWithin;
      add(slope, (at[i] - start_[i]) / kPriorIsRightWithin, normal, right);
    }
    for (std::size_t i = 0; i < at.size(); ++i) normal[i][i] *= 1 + damping;
    Numbers next = solve(normal, right);
    for (std::size_t i = 0; i < at.size(); ++i) next[i] += at[i];
    return next;
  }

  static void add(const Numbers& slope, double residual, Matrix3& normal, Numbers& right) {
    for (std::size_t i = 0; i < slope.size(); ++i) {
      right[i] -= slope[i] * residual;
      for (std::size_t j = 0; j < slope.size(); ++j) normal[i][j] += slope[i] * slope[j];
    }
  }

  // Elimination; the matrix is positive definite, because of the priors.
  static Numbers solve(Matrix3 matrix, Numbers right) {
    for (std::size_t i = 0; i < right.size(); ++i) {
      for (std::size_t row = i + 1; row < right.size(); ++row) {
        const double factor = matrix[row][i] / matrix[i][i];
        for (std::size_t j = i; j < right.size(); ++j) matrix[row][j] -= factor * matrix[i][j];
        right[row] -= factor * right[i];
      }
    }
    for (std::size_t i = right.size(); i-- > 0;) {
      for (std::size_t j = i + 1; j < right.size(); ++j) right[i] -= matrix[i][j] * right[j];
      right[i] /= matrix[i][i];
    }
    return right;
  }

  const OperatorCosts& prior_;
  const std::span<const CostAnchor> anchors_;
  const Numbers start_;
};

}  // namespace

Seconds predicted(const CostAnchor& anchor, const OperatorCosts& costs) {
  Seconds time = anchor.others;
  for (const OperatorDemand& demand : anchor.demands) time += time_of(demand, costs).total;
  return time;
}

OperatorCosts fit_costs(const OperatorCosts& prior, std::span<const CostAnchor> anchors) {
  SIM_CHECK(!anchors.empty(), "constants are fitted to measured times");
  return Fit(prior, anchors).run();
}

}  // namespace rehearse
