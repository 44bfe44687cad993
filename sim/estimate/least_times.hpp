// What each instruction of a pass takes at least, wherever its ranks may run.
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "cost/cost_model.hpp"
#include "estimate/transfer_times.hpp"
#include "model/model.hpp"
#include "plan/plan.hpp"
#include "program/pass_program.hpp"

namespace rehearse {

// What is known of where tokens go before anybody counts them.
enum class Spread : std::uint8_t {
  kEven,     // routing is uniform: everything
  kCounted,  // all copies of the group's tokens are computed by some of its ranks, and until the
             // last of them is ready nobody gets results
  kUnknown   // not even that: copies may be dropped; or others may be ready although the rank
             // itself is not (shared experts)
};
Spread spread_of(const Plan& plan, const Model& model);

// All that the least times of a pass depend on, beside the pass.
struct PassConditions {
  Spread spread = Spread::kEven;
  // Kinds of devices: of the pass's ranks, and of any rank that may share the group's work. Each
  // operator counts as on the fastest of them.
  std::vector<const DeviceRates*> devices = {};
  std::vector<const DeviceRates*> of_group = {};
  // For each collective of the pass, the number of its transfer. None: they count nothing.
  std::vector<int> transfers = {};
  // The smallest send buffer of the expert group over the rank's own.
  double dispatch_share = 1;

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees a comparison with a literal 0
  auto operator<=>(const PassConditions&) const = default;
};

// Messages count nothing here: they are not of the pass alone.
class LeastTimes {
 public:
  // `pass` and the devices outlive it.
  LeastTimes(const PassProgram& pass, const PassConditions& conditions,
             const TransferTimes& transfers);

  // By instruction, at a step; until the next call.
  const std::vector<Seconds>& at(int step);

 private:
  // A compute that grows with the step, on each device.
  struct Growing {
    int instruction = 0;
    bool of_group = false;
    std::vector<OperatorPrice> prices;
  };

  void price(int at, const PassProgram& pass, const PassConditions& conditions);

  std::vector<Work> works_;  // that differ from the pass's, with room for all
  std::vector<Growing> growing_;
  std::vector<Seconds> times_;
};

}  // namespace rehearse
