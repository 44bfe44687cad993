// A plan goes to a file only where none is yet: it is the user's as soon as it is there.
#include <fmt/format.h>

#include "base/error.hpp"
#include "base/option_place.hpp"
#include "base/progress.hpp"
#include "cli/commands.hpp"
#include "cli/common_options.hpp"
#include "cli/option_group.hpp"
#include "cli/written_plan.hpp"
#include "commands/init.hpp"

namespace rehearse {
namespace {

constexpr const char* kExample =
    "rehearse init --model meta-llama/Llama-3.1-70B --gpu h200 --gpus 8 --for serve --out "
    "my.textproto";

[[noreturn]] void refuse(const char* option, const std::string& rule) {
  throw InputError({option, 1, 1}, rule);
}

InitRequest request_of(const InitOptions& typed) {
  std::string missing;
  const auto need = [&](bool given, const char* what) {
    if (!given) missing += std::string(missing.empty() ? "" : ", ") + what;
  };
  need(!typed.request.model.empty(), "--model NAME or PATH");
  need(!typed.request.gpu.empty(), "--gpu NAME");
  need(typed.gpus.has_value(), "--gpus N");
  need(!typed.job.empty(), "--for batch or serve");
  if (!missing.empty()) {
    refuse("rehearse init", fmt::format("needs {}; for example: {}", missing, kExample));
  }
  if (typed.job != "batch" && typed.job != "serve") {
    throw InputError(option_place("--for", typed.job),
                     "must be batch (all requests there at time 0) or serve (they arrive)");
  }
  InitRequest request = typed.request;
  request.gpus = *typed.gpus;
  request.serves = typed.job == "serve";
  if (request.rate && !request.serves) {
    throw InputError(option_place("--rate", *request.rate), "belongs to --for serve");
  }
  return request;
}

}  // namespace

void add_init_options(CLI::App& command, Options& options) {
  InitOptions& typed = options.init;
  OptionGroup in(command, kIn);
  in.value("--model", typed.request.model, "MODEL",
           "textproto, config.json or its folder, or a name (Qwen/Qwen3-32B)");
  in.value("--gpu", typed.request.gpu, "GPU", "kind of GPU: rehearse gpus lists them");
  in.value("--gpus", typed.gpus, "N", "how many");
  in.value("--for", typed.job, "JOB",
           "batch (all requests there at time 0) or serve (they arrive)");
  in.value("--rate", typed.request.rate, "RATE",
           "of a service: 4/s, 30/min (default: a modest one, which it says)");
  in.value("--prompt", typed.request.prompt_tokens, "N", "tokens of a prompt (default 1024)");
  in.value("--output", typed.request.output_tokens, "N", "tokens of an output (default 256)");
  add_devices(command, typed.request.devices);
  OptionGroup out(command, kOut);
  out.value("--out", typed.request.out, "FILE",
            "the plan's file; its platform is written beside it (default: the plan to stdout)");
  out.flag("--force", typed.force, "overwrite files that are there");
  out.flag("--quiet", options.quiet, "print nothing but errors, and the plan");
}

int init_command(const Options& options) {
  const InitRequest request = request_of(options.init);
  const SharedCounters counters(1);
  const ProgressLine progress("choosing", counters, options.quiet);
  const InitAnswer answer = init_plan(request);
  if (!answer.fits) {
    fmt::print(stderr, "{}", answer.decided);
    return 1;
  }
  if (request.out.empty()) {
    fmt::print("{}", answer.plan);
    if (!options.quiet) {
      fmt::print(stderr, "{}platform  not written: the plan's first lines have its command\n",
                 answer.decided);
    }
    return 0;
  }
  write_plan({request.out, answer.plan, answer.platform_path, answer.platform}, options.init.force);
  if (!options.quiet) {
    fmt::print("{}written   {}, and its platform {}\nnext      rehearse run {}\n", answer.decided,
               request.out, answer.platform_path, request.out);
  }
  return 0;
}

}  // namespace rehearse
