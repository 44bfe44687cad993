#include "report/show_work.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "routing/load_statistics.hpp"

namespace rehearse {
namespace {

// Of one call.
Amount flops_of(const PassProgram& pass) {
  Amount sum;
  for (const Place& place : pass.places) {
    for (int at = place.begin; at < place.end; ++at) {
      sum.base += pass.instructions[at].flops.base * place.repeat;
      sum.per_step += pass.instructions[at].flops.per_step * place.repeat;
    }
  }
  return sum;
}

// Every action in all its repetitions: its FLOPs are linear in the step.
double flops_of(const Programs& programs, const Program& program) {
  double flops = 0;
  for (const Loop& loop : program.loops) {
    const double repeat = loop.repeat;
    const double steps = repeat * loop.first_step + repeat * (repeat - 1) / 2;
    for (int at = loop.begin; at < loop.end; ++at) {
      const Amount amount = flops_of(programs.pass_of(program.actions[at]));
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
  for (const Program& program : programs.programs) {
    of_program.push_back(flops_of(programs, program));
  }
  std::vector<double> flops;
  std::vector<double> layers;
  std::vector<double> experts;
  for (const RankEntry& rank : programs.ranks) {
    int held = 0;
    int with_experts = 0;
    for (const Share& chunk : programs.programs[rank.program].layers) {
      held += chunk.count;
      with_experts += moe_layers(model, chunk.first, chunk.count);
    }
    flops.push_back(of_program[rank.program]);
    layers.push_back(held);
    if (model.moe) {
      experts.push_back(static_cast<double>(with_experts) *
                        (model.moe->experts + plan.placement.redundant_experts) /
                        expert_group_size(plan.layout));
    }
  }
  const auto most = std::max_element(flops.begin(), flops.end());
  double mean = 0;
  for (const double each : flops) mean += each / static_cast<double>(flops.size());
  std::string text =
      fmt::format("Work per rank\n  FLOPs of {}{}: mean {}, most {} on rank {}: {:.3f} max/mean\n",
                  plan.serve ? "all requests" : "the batch",
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
