// Small random models, laid out and loaded at random: what the laws of conservation are tried on.
#pragma once

#include "model/model.hpp"
#include "plan/plan.hpp"
#include "program/program.hpp"

namespace rehearse {

struct RandomPlan {
  Model model;
  Plan plan;

  // What went wrong where: for the message of a law that fails.
  std::string text() const;
};

// Every layer of any kind of attention, or none, and of dense FFN, experts, both or none.
RandomPlan draw_plan_of_kinds(int gpus);

// Valid for every layout rule; at most `gpus` GPUs. Draws dense and mixture-of-experts models,
// grouped KV heads, biases, shared experts, first dense layers, every axis and rank order, uneven
// stages and replicas (some without requests).
RandomPlan draw_plan(int gpus);
RandomPlan draw_moe_plan(int gpus);  // always a mixture of experts
// With prompts of different lengths, prefilled in as few passes as hold them.
RandomPlan draw_plan_of_lengths(int gpus);
// With a routing model, capacity and placement, too; some of them spread tokens evenly.
RandomPlan draw_routed_plan(int gpus);

// Calls visit(action, step) for every action a rank of the program executes, in order.
template <class Visit>
void for_each_action(const Program& program, Visit visit) {
  for (const Loop& loop : program.loops) {
    for (int step = loop.first_step; step < loop.first_step + loop.repeat; ++step) {
      for (int at = loop.begin; at < loop.end; ++at) visit(program.actions[at], step);
    }
  }
}

// Calls visit(instruction, step) for every instruction that it executes, in order.
template <class Visit>
void for_each_execution(const Programs& programs, const Program& program, Visit visit) {
  for_each_action(program, [&](const Action& action, int step) {
    const PassProgram& pass = programs.pass_of(action);
    for (Cursor at = pass.first(); !pass.is_over(at); pass.advance(at)) {
      visit(pass.instructions[at.at], step);
    }
  });
}

// Tokens that are fed through the model: every prompt, and every output token but the last.
inline double tokens_fed(const Batch& batch) {
  return static_cast<double>(batch.sequences) * (batch.prompt_tokens + batch.output_tokens - 1);
}

}  // namespace rehearse
