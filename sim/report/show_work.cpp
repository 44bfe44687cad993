#include "report/show_work.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "routing/load_statistics.hpp"

namespace rehearse {
namespace {

// Every instruction in all its repetitions: its FLOPs are linear in the step.
double flops_of(const Program& program) {
  double flops = 0;
  for (const Block& block : program.blocks) {
    const double repeat = block.repeat;
    const double steps = repeat * block.first_step + repeat * (repeat - 1) / 2;
    for (int at = block.begin; at < block.end; ++at) {
      const Amount& amount = program.instructions[at].flops;
      flops += amount.base * repeat + amount.per_step * steps;
    }
  }
  return flops;
}

std::string spread_text(const char* what, const std::vector<double>& by_rank) {
  const auto most = std::max_element(by_rank.begin(), by_rank.end());
  const auto least = std::min_element(by_rank.begin(), by_rank.end());
  if (*most == *least) return fmt::format("  {}: {:.0f} on every rank\n", what, *most);
  return fmt::format("  {}: {:.0f} to {:.0f}, most on rank {}: {:.3f} max/mean\n", what, *least,
                     *most, most - by_rank.begin(), max_over_mean(by_rank));
}

}  // namespace

std::string show_work(const Model& model, const Plan& plan, const Programs& programs) {
  std::vector<double> of_program;
  for (const Program& program : programs.programs) of_program.push_back(flops_of(program));
  std::vector<double> flops;
  std::vector<double> layers;
  std::vector<double> experts;
  for (const RankEntry& rank : programs.ranks) {
    const Share held = programs.programs[rank.program].layers;
    flops.push_back(of_program[rank.program]);
    layers.push_back(held.count);
    if (model.moe) {
      experts.push_back(static_cast<double>(moe_layers(model, held.first, held.count)) *
                        (model.moe->experts + plan.placement.redundant_experts) /
                        expert_group_size(plan.layout));
    }
  }
  const auto most = std::max_element(flops.begin(), flops.end());
  double mean = 0;
  for (const double each : flops) mean += each / static_cast<double>(flops.size());
  std::string text = fmt::format(
      "Work per rank\n  FLOPs of the batch{}: mean {}, most {} on rank {}: {:.3f} max/mean\n",
      programs.routing == nullptr ? "" : " (uniform routing)", to_text(Flops{mean}),
      to_text(Flops{*most}), most - flops.begin(), max_over_mean(flops));
  text += spread_text("layers", layers);
  if (model.moe) {
    const int degree = expert_tensor_degree(plan.layout);
    const std::string what = degree == 1
                                 ? "experts of all its layers"
                                 : fmt::format("experts of all its layers, 1/{} of each", degree);
    text += spread_text(what.c_str(), experts);
  }
  return text;
}

}  // namespace rehearse
