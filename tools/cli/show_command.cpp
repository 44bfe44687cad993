#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "base/nearest_name.hpp"
#include "base/option_place.hpp"
#include "base/progress.hpp"
#include "cli/answer.hpp"
#include "cli/commands.hpp"
#include "cli/common_options.hpp"
#include "cli/limits.hpp"
#include "cli/option_group.hpp"
#include "commands/prepare.hpp"
#include "commands/table_json.hpp"
#include "facts/facts.hpp"
#include "input/model_gallery.hpp"
#include "layout/memory_rule.hpp"
#include "report/show.hpp"
#include "report/show_large.hpp"
#include "report/show_model.hpp"
#include "report/show_table.hpp"
#include "service/engine_of_plan.hpp"
#include "service/engine_text.hpp"
#include "service/pools_of_plan.hpp"
#include "simulation/lowered.hpp"

namespace rehearse {

namespace {

[[noreturn]] void refuse(const char* option, const std::string& rule) {
  throw InputError({option, 1, 1}, rule);
}

void refuse_options_of_a_plan(const Options& options) {
  const PlanRequest& plan = options.plan;
  const std::pair<const char*, bool> given[] = {
      {"--dump", !options.dump.empty()},         {"--variant", plan.variant.has_value()},
      {"--platform", plan.platform.has_value()}, {"--gpu-at", !plan.gpus_at.empty()},
      {"--network", plan.network.has_value()},   {"--library", plan.library.has_value()},
      {"--engine", plan.engine.has_value()},     {"--seed", plan.seed.has_value()}};
  for (const auto& [option, is_given] : given) {
    if (is_given) refuse(option, "belongs to a PLAN");
  }
}

// Without a plan.
int show_only_model(const Options& options) {
  const std::vector<std::string> sets = model_sets(options.plan.sets);
  const std::string& written = *options.plan.model;
  const Model model = read_model(find_model(written, option_place("--model", written)), sets);
  constexpr int kUsual = 8192;
  int context = kUsual;
  if (model.longest_context > 0) context = std::min(context, model.longest_context);
  if (options.context) context = *options.context;
  if (context < 1 || context > kMostTokens) {
    refuse("--context", fmt::format("{} is not in 1 to {}", context, kMostTokens));
  }
  const auto json = [&] { return model_facts_json(model, context); };
  print_answer(options, {[&] { return show_model(model, context); }, json,
                         [&] { return facts_row(json()); }});
  return 0;
}

}  // namespace

namespace {

struct EngineLines {
  std::string text;
  std::string verdict;  // of what does not fit; empty: all does
};

EngineLines engine_lines(const Plan& plan, const Model& model, const Platform& platform) {
  EngineLines lines;
  const auto add = [&](const Plan& its, const char* whose, const std::string& field,
                       int first_gpu) {
    const EngineChoice& choice = its.serve->engine;
    lines.text += fmt::format("Engine of a {}replica\n", whose);
    try {
      lines.text += engine_text(advised_engine_of(its, choice, model, platform, field, first_gpu),
                                choice, is_large(plan));
    } catch (const DoesNotFit& verdict) {
      lines.text += "  does not fit in memory\n";
      lines.verdict += std::string(lines.verdict.empty() ? "" : "\n") + verdict.what();
    }
  };
  if (!plan.serve->pools) {
    add(plan, "", "serve.engine", 0);
    return lines;
  }
  const PoolsOfPlan pools = pools_of(plan);
  for (const auto& [pool, whose] :
       {std::pair{&pools.prefill, "prefill "}, std::pair{&pools.decode, "decode "}}) {
    add(pool->plan, whose, pool->engine_field(), pool->first_gpu);
  }
  return lines;
}

std::string graphs_text(const Model& model, const Plan& plan) {
  if (plan.serve) {
    throw InputError(plan.where.at("serve"),
                     "serve: --dump graph prints the passes of one batch; --dump program prints "
                     "those of every batch");
  }
  return show_graphs(model, plan);
}

}  // namespace

void add_show_options(CLI::App& command, Options& options) {
  add_plan_options(command, options);
  command.get_option("PLAN")->required(false)->description(
      "the plan, a textproto; without one --model says what to show");
  OptionGroup(command, kIn)
      .value("--context", options.context, "N",
             "without a plan: tokens of a sequence (default: 8192, or the model's longest)");
  OptionGroup(command, kOut)
      .value("--dump", options.dump, "WHAT",
             "graph: operators of one pass per stage; program: instructions; ranks: every rank, "
             "operator and group, where there are many, too (default: what fits a screen)");
}

int show_command(const Options& options) {
  if (options.plan.path.empty()) {
    if (!options.plan.model) refuse("rehearse show", "needs a PLAN, or --model FILE");
    refuse_options_of_a_plan(options);
    return show_only_model(options);
  }
  if (options.context) refuse("--context", "belongs to --model without a PLAN");
  if (!options.dump.empty() && options.dump != "graph" && options.dump != "program" &&
      options.dump != "ranks") {
    throw InputError(option_place("--dump", options.dump),
                     fmt::format("unknown value \"{}\": {}", options.dump,
                                 name_rule(options.dump, "graph program ranks")));
  }
  const SharedCounters counters(1);
  std::optional<ProgressLine> progress(std::in_place, "lowering", counters, options.quiet);
  const PreparedPlan prepared = prepare(options.plan);
  const Plan& plan = prepared.plan();
  const Model& model = prepared.model();
  const Lowered lowered = lower_prepared(prepared, limits_of(options));
  const Platform& platform = lowered.cluster.platform();
  const Programs& programs = lowered.programs;
  progress.reset();
  const EngineLines engine =
      plan.serve ? engine_lines(plan, model, platform)
                 : EngineLines{"", what_cannot_fit(plan, model, programs, platform)};
  const auto text = [&]() -> std::string {
    if (options.dump == "graph") return graphs_text(model, plan);
    if (options.dump == "program") return dump(programs);
    std::string shown = show(model, plan, platform, programs, options.dump == "ranks");
    if (!plan.serve) return shown;
    return shown + (is_large(plan) ? wrapped_lines(engine.text, kScreenColumns) : engine.text);
  };
  print_answer(options, {text, [&] { return facts_json(model, plan, platform, programs); },
                         [&] { return rank_rows(plan, platform, programs); }});
  // What is dumped is what would run, whether or not it fits.
  if (engine.verdict.empty() || options.dump == "graph" || options.dump == "program") return 0;
  fmt::print(stderr, "{}\n", engine.verdict);
  return 1;
}

}  // namespace rehearse
