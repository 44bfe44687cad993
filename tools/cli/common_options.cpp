#include "cli/common_options.hpp"

#include <string>
#include <vector>

#include "cli/answer.hpp"
#include "cli/option_group.hpp"
#include "collectives/library.hpp"

namespace rehearse {

void add_max_time(CLI::App& command, Options& options) {
  OptionGroup(command, kLimits)
      .value("--max-time", options.max_time, "TIME",
             "refuse a simulation that is estimated to take longer: 500ms, 20s, 300s (default: "
             "20s)");
}

void add_max_memory(CLI::App& command, Options& options) {
  OptionGroup(command, kLimits)
      .value("--max-memory", options.max_memory, "SIZE",
             "refuse a simulation that needs more memory of this machine: 512MB, 8GB (default: "
             "what is free)");
}

void add_quiet(CLI::App& command, Options& options) {
  OptionGroup(command, kOut).flag("--quiet", options.quiet, "print nothing but errors");
}

void add_devices(CLI::App& command, std::vector<std::string>& folders) {
  OptionGroup(command, kIn)
      .repeated("--devices", folders, "DIR",
                "a folder of device files, which win over those of their name (default: those that "
                "come with the program)");
}

void add_engines(CLI::App& command, std::vector<std::string>& folders) {
  OptionGroup(command, kIn)
      .repeated("--engines", folders, "DIR",
                "a folder of engine files, which win over those of their name (default: those that "
                "come with the program)");
}

void add_gpus_at(CLI::App& command, GpusAtOptions& options) {
  OptionGroup(command, kIn)
      .repeated("--gpu-at", options.at, "PATTERN=GPU",
                "hosts of a platform file that are this GPU: 'CUDA*=h100' (default: what the file "
                "says of them)");
  add_devices(command, options.devices);
}

void add_common_options(CLI::App& command, Options& options) {
  OptionGroup changed(command, kChanged);
  changed.value("--model", options.plan.model, "MODEL",
                "another model: a textproto, a Hugging Face config.json, or a name of the gallery: "
                "Qwen/Qwen3-32B (default: the plan's)");
  changed.value("--variant", options.plan.variant, "NAME",
                "a variant that the plan defines (default: its default_variant)");
  changed.repeated("--set", options.plan.sets, "FIELD=VALUE",
                   "a field of the plan, by its path: layout.tensor=4; `rehearse schema` lists "
                   "them");
  changed.value("--engine", options.plan.engine, "ENGINE",
                "the software that runs it; `rehearse engines` lists them (default: the plan's)");
  changed.value("--library", options.plan.library, "LIBRARY",
                "the library of its collectives: " + names_of_libraries() +
                    " (default: the plan's, else its engine's, else that of the GPUs' vendor)");
  changed.value("--network", options.plan.network, "LEVEL",
                "how transfers share links: fluid, exact, simgrid or analytic (default: the "
                "plan's, else fluid)");
  changed.value("--seed", options.plan.seed, "N",
                "seed of everything random (default: the plan's, else 0)");
  add_engines(command, options.plan.engine_folders);
  add_gpus_at(command, options.gpus_at);
  add_formats(command, options);
  add_quiet(command, options);
  add_max_time(command, options);
  add_max_memory(command, options);
}

void add_change_options(CLI::App& command, Options& options) {
  OptionGroup(command, kIn)
      .value(
          "--platform", options.plan.platform, "FILE",
          "another platform, SimGrid XML as `rehearse platform` writes it (default: the plan's)");
  add_common_options(command, options);
}

void add_plan_options(CLI::App& command, Options& options) {
  OptionGroup(command, kIn)
      .value("PLAN", options.plan.path, "FILE", "the plan, a textproto")
      ->required();
  add_change_options(command, options);
}

}  // namespace rehearse
