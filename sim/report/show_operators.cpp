// Operators are those of the first and the last stage, once where both have them.
#include "report/show_operators.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <vector>

#include "cost/cost_model.hpp"
#include "cost/device_rates.hpp"

namespace rehearse {
namespace {

// The name of an instruction without its layer: "L46 norm" is "norm".
std::string without_layer(const std::string& name) {
  const std::size_t space = name.find(' ');
  const bool layer =
      name.starts_with('L') && space != std::string::npos && space > 1 &&
      std::all_of(name.begin() + 1, name.begin() + static_cast<std::ptrdiff_t>(space),
                  [](char each) { return each >= '0' && each <= '9'; });
  return layer ? name.substr(space + 1) : name;
}

class Operators {
 public:
  Operators(const Programs& programs, const Platform& platform)
      : programs_(programs), platform_(platform) {}

  void add(const Program& program, int gpu) {
    for (const Phase phase : kPhases) add(program, phase, gpu);
  }

  std::string text(std::size_t most) const {
    std::vector<const Row*> sorted;
    for (const Row& row : rows_) sorted.push_back(&row);
    std::stable_sort(sorted.begin(), sorted.end(), [this](const Row* a, const Row* b) {
      return share_of_pass(*a) > share_of_pass(*b);
    });
    std::string text =
        fmt::format("  {:<22} {:>10} {:>9} {:>9} {:<8} {:>10} {:>9} {:>9} {}\n", "operator",
                    "FLOPs", "bytes", "time", "bound by", "FLOPs", "bytes", "time", "bound by");
    for (std::size_t at = 0; at < std::min(most, sorted.size()); ++at) {
      std::string line =
          fmt::format("  {:<22} {} {}", sorted[at]->name, sorted[at]->cells(Phase::kPrefill),
                      sorted[at]->cells(Phase::kDecode));
      line.erase(line.find_last_not_of(' ') + 1);
      text += line + "\n";
    }
    if (sorted.size() > most) {
      text += fmt::format("  and {} shorter ones, and what sends (--dump ranks shows all)\n",
                          sorted.size() - most);
    }
    return text;
  }

  std::string shapes() const { return fmt::format("{}", fmt::join(shapes_, "; ")); }

 private:
  struct Cells {
    std::string text;
    double seconds = 0;
  };
  struct Row {
    std::string name;
    std::map<Phase, Cells> of;

    std::string cells(Phase phase) const {
      const auto found = of.find(phase);
      return found == of.end() ? std::string(39, ' ') : found->second.text;
    }
  };
  // The largest part that it has of a pass.
  double share_of_pass(const Row& row) const {
    double most = 0;
    for (const auto& [phase, cells] : row.of) {
      most = std::max(most, cells.seconds / whole_.at(phase));
    }
    return most;
  }

  void add(const Program& program, Phase phase, int gpu) {
    const auto action = std::find_if(
        program.actions.begin(), program.actions.end(),
        [&](const Action& each) { return programs_.pass_of(each).is_pass && each.phase == phase; });
    if (action == program.actions.end()) return;
    const PassProgram& pass = programs_.pass_of(*action);
    const DeviceRates rates(platform_, platform_.device_of(gpu), programs_.engine);
    const std::string shape = fmt::format("{} of {} sequences ({:.0f} tokens)", to_text(phase),
                                          action->sequences.count, pass.tokens);
    if (std::find(shapes_.begin(), shapes_.end(), shape) == shapes_.end()) shapes_.push_back(shape);
    for (const Place& place : pass.places) {
      for (int at = place.begin; at < place.end; ++at) {
        add(pass, pass.instructions[at], place.repeat, action->layer(place.layer), phase, rates);
      }
    }
  }

  void add(const PassProgram& pass, const Instruction& at, int repeat, int layer, Phase phase,
           const DeviceRates& rates) {
    if (at.kind != Instruction::Kind::kCompute) return;
    const KernelTime cost = cost_model(rates).time(
        {pass.work_of(at), 0, Flops{at.flops.base}, Bytes{at.bytes.base}}, rates);
    Row& row = row_named(without_layer(programs_.name_in_layer(at, layer)));
    whole_[phase] += cost.total.value * repeat;
    const auto [cells, is_new] = row.of.try_emplace(
        phase,
        Cells{fmt::format("{:>10} {:>9} {:>9} {:<8}", to_text(Flops{at.flops.base}),
                          to_text(Bytes{at.bytes.base}), to_text(cost.total), bound_of(cost)),
              0});
    cells->second.seconds += cost.total.value * repeat;
  }

  Row& row_named(const std::string& name) {
    for (Row& row : rows_) {
      if (row.name == name) return row;
    }
    rows_.push_back({name, {}});
    return rows_.back();
  }

  const Programs& programs_;
  const Platform& platform_;
  std::vector<Row> rows_;
  std::map<Phase, double> whole_;
  std::vector<std::string> shapes_;
};

Operators operators_of(const Plan& plan, const Programs& programs, const Platform& platform) {
  Operators operators(programs, platform);
  for (const int stage : {0, plan.layout.pipeline - 1}) {
    const auto rank = std::find_if(
        programs.ranks.begin(), programs.ranks.end(),
        [&](const RankEntry& each) { return programs.programs[each.program].stage == stage; });
    if (rank != programs.ranks.end()) {
      operators.add(programs.programs[rank->program], rank->gpu);
    }
  }
  return operators;
}

}  // namespace

std::string shown_passes(const Plan& plan, const Programs& programs, const Platform& platform) {
  return operators_of(plan, programs, platform).shapes();
}

std::string longest_operators(const Plan& plan, const Programs& programs, const Platform& platform,
                              std::size_t most) {
  return operators_of(plan, programs, platform).text(most);
}

}  // namespace rehearse
