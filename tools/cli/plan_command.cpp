// The plan of an engine's launch command. The three lists go to stderr, so that the plan can go on
// through a pipe.
#include <fmt/format.h>

#include <charconv>

#include "base/error.hpp"
#include "base/option_place.hpp"
#include "cli/commands.hpp"
#include "cli/common_options.hpp"
#include "cli/option_group.hpp"
#include "cli/written_plan.hpp"
#include "commands/launch.hpp"

namespace rehearse {
namespace {

constexpr const char* kExample =
    "rehearse plan --from-vllm 'vllm serve meta-llama/Llama-3.1-70B-Instruct "
    "--tensor-parallel-size 8' --gpu h100";

// "0.8,0.6"
std::vector<double> numbers_of(const std::string& text) {
  std::vector<double> numbers;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    double number = 0;
    const auto [rest, failure] = std::from_chars(at, end, number);
    const bool whole = failure == std::errc{} && (rest == end || *rest == ',');
    if (!whole || number < 0 || number > 1) {
      throw InputError(option_place("--acceptance", text),
                       "must be numbers from 0 to 1 with a comma between: 0.8,0.6");
    }
    numbers.push_back(number);
    at = rest == end ? end : rest + 1;
  }
  return numbers;
}

// Whether the plan fits, and what to do with it.
std::string what_next(const LaunchAnswer& answer, const std::string& out) {
  const std::string plan = out.empty() ? "PLAN" : out;
  std::string text = answer.why_not.empty()
                         ? fmt::format("memory    {}\n", answer.memory)
                         : fmt::format("refused   by rehearse run: {}\n", answer.why_not);
  if (out.empty()) text += "platform  not written: the plan's first lines have its command\n";
  if (!answer.why_not.empty()) return text;
  if (!answer.fits) {
    return text +
           "next      launch it with more GPUs for a replica, another --gpu, or fewer "
           "tokens in a pass; as it is, no request is served\n";
  }
  return text + fmt::format(
                    "next      put your traffic and objective into serve {{ }}, then "
                    "rehearse run {0}; rehearse size {0} finds the largest rate\n",
                    plan);
}

// What is refused stands on stderr already.
int say_refused(const LaunchAnswer& answer) {
  const bool one = answer.refused.size() == 1;
  fmt::print(
      stderr,
      "rehearse plan: no plan: {} of the command {} refused; --partly writes one without {}\n",
      one ? "a word" : "words", one ? "is" : "are", one ? "it" : "them");
  return 2;
}

}  // namespace

void add_plan_from_options(CLI::App& command, Options& options) {
  LaunchOptions& typed = options.launch;
  LaunchRequest& request = typed.request;
  OptionGroup in(command, kIn);
  in.value("--from-vllm", typed.vllm, "LAUNCH", "'vllm serve MODEL ...', in one word");
  in.value("--from-sglang", typed.sglang, "LAUNCH",
           "'python -m sglang.launch_server --model-path MODEL ...', in one word");
  in.value("--from-megatron", typed.megatron, "LAUNCH", "refused: training is not modelled");
  in.value("--gpu", request.gpu, "GPU", "kind of GPU: rehearse gpus lists them (default h100)");
  in.value("--nodes", request.nodes, "N", "servers (default: as many as the command needs)");
  in.value("--fabric", request.fabric, "FABRIC",
           "between servers (default: rail; of one server star)");
  in.value("--model", request.model, "MODEL", "another model than the command names");
  in.value("--rate", request.rate, "RATE", "of requests, in no launch command (default 1/s)");
  in.value("--prompt", request.prompt_tokens, "N", "tokens of a prompt (default 1024)");
  in.value("--output", request.output_tokens, "N", "tokens of an output (default 256)");
  in.value("--acceptance", typed.acceptance, "LIST",
           "how likely the first, second, ... draft is accepted: 0.8,0.6 (default: drafts are "
           "refused)");
  add_devices(command, request.devices);
  OptionGroup out(command, kOut);
  out.flag("--partly", request.partly, "write a plan without what is refused");
  out.value("--out", request.out, "FILE",
            "the plan's file; its platform is written beside it (default: the plan to stdout)");
  out.flag("--force", typed.force, "overwrite files that are there");
  out.flag("--quiet", options.quiet, "print nothing but errors, and the plan");
}

int plan_command(const Options& options) {
  const LaunchOptions& typed = options.launch;
  if (!typed.megatron.empty()) {
    throw InputError({"--from-megatron", 1, 1},
                     "training is not modelled: there is no plan of a Megatron command");
  }
  if (typed.vllm.empty() == typed.sglang.empty()) {
    throw InputError({"rehearse plan", 1, 1},
                     fmt::format("takes one of --from-vllm LAUNCH and --from-sglang LAUNCH, and {} "
                                 "given; for example: {}",
                                 typed.vllm.empty() ? "none is" : "both are", kExample));
  }
  LaunchRequest request = typed.request;
  request.acceptance = numbers_of(typed.acceptance);
  const bool vllm = !typed.vllm.empty();
  const LaunchAnswer answer = plan_of_launch(vllm ? LaunchEngine::kVllm : LaunchEngine::kSglang,
                                             vllm ? typed.vllm : typed.sglang, request);
  if (!options.quiet || answer.plan.empty()) fmt::print(stderr, "{}", lists_text(answer, ""));
  if (answer.plan.empty()) return say_refused(answer);
  if (request.out.empty()) {
    fmt::print("{}", answer.plan);
  } else {
    write_plan({request.out, answer.plan, answer.platform_path, answer.platform}, typed.force);
    if (!options.quiet) {
      fmt::print("written   {}, and its platform {}\n", request.out, answer.platform_path);
    }
  }
  if (!options.quiet) fmt::print(stderr, "{}", what_next(answer, request.out));
  return 0;
}

}  // namespace rehearse
