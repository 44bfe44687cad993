// Degrees mean other things to each engine: vLLM's data-parallel ranks come beside the tensor
// ranks, SGLang's are a part of them where attention is data-parallel. A dense model's are engines
// of their own (serve.replicas); those of a mixture share experts and step together
// (layout.expert).
#include "commands/launch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/option_place.hpp"
#include "catalog/device_catalog.hpp"
#include "catalog/servers.hpp"
#include "commands/launch_room.hpp"
#include "commands/launch_settings.hpp"
#include "commands/plan_texts.hpp"
#include "input/input.hpp"
#include "input/model_gallery.hpp"
#include "serving/engine_settings.hpp"

namespace rehearse {
namespace {

namespace fs = std::filesystem;

struct LaunchDraft {
  LaunchEngine engine;
  const LaunchRequest& request;
  const DeviceSheet& sheet;
  const Model& model;
  std::string model_name;  // as the plan writes it
  LaunchSettings settings;
  Layout layout;
  int replicas = 1;
  int shared = 1;           // ranks that share out SGLang's limits of an engine
  std::string weight_type;  // "fp8"; empty: the model's own

  int gpus() const { return replicas * layout.gpus(); }
};

// What is typed may have lines of its own, which would not be comments in a plan.
std::string in_one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return std::iscntrl(c) != 0; }, ' ');
  return text;
}

void say(FlagUse use, const std::string& what, const LaunchDraft& draft, LaunchAnswer& lists) {
  const auto found = draft.settings.place.find(use);
  if (found != draft.settings.place.end()) lists.used[found->second].what = what;
}

void lay_out_vllm(LaunchDraft& draft, LaunchAnswer& lists) {
  const LaunchSettings& settings = draft.settings;
  draft.layout.tensor = settings.tensor;
  draft.layout.pipeline = settings.pipeline;
  if (!draft.model.moe) {
    draft.replicas = settings.data;
    say(FlagUse::kData,
        fmt::format("serve.replicas = {}: of a dense model, engines of their own", settings.data),
        draft, lists);
    say(FlagUse::kExpertParallel, "nothing: the model has no experts", draft, lists);
    return;
  }
  draft.layout.expert = settings.data;
  if (settings.expert_parallel && settings.tensor > 1) draft.layout.expert_tensor = 1;
  say(FlagUse::kExpertParallel,
      fmt::format("layout.expert_tensor = {}: experts stay whole", draft.layout.expert_tensor),
      draft, lists);
  std::string data = fmt::format("layout.expert = {}", settings.data);
  if (!settings.expert_parallel && settings.data > 1) {
    data += fmt::format(
        ": the nearest layout; vLLM cuts each expert into {} without "
        "--enable-expert-parallel, this one into {}: as many bytes and FLOPs of a "
        "GPU, other messages",
        settings.data * settings.tensor, settings.tensor);
  }
  say(FlagUse::kData, data, draft, lists);
}

// With attention on tp / dp ranks of each of dp groups.
void lay_out_dp_attention(LaunchDraft& draft, LaunchAnswer& lists) {
  const LaunchSettings& settings = draft.settings;
  const int tensor = settings.tensor;
  const int data = settings.data;
  if (tensor % data != 0) {
    throw InputError({"--from-sglang", 1, 1},
                     fmt::format("--dp-size {} does not divide --tp-size {}", data, tensor));
  }
  draft.layout.tensor = tensor / data;
  draft.layout.expert = data;
  draft.shared = data;
  const int degree = settings.expert_parallel ? tensor : settings.expert_degree.value_or(1);
  if (degree == tensor && draft.layout.tensor > 1) draft.layout.expert_tensor = 1;
  say(FlagUse::kTensor,
      fmt::format("layout.tensor = {}: {} GPUs, of which {} groups attend to requests of their own",
                  draft.layout.tensor, tensor, data),
      draft, lists);
  std::string what =
      fmt::format("layout.expert = {}; limits of an engine are shared out by it", data);
  if (degree != tensor && degree != data) {
    what += fmt::format(
        ": the nearest layout; SGLang cuts each expert into {} here, this one into "
        "{}: as many bytes and FLOPs of a GPU, other messages",
        tensor / degree, draft.layout.tensor);
  }
  say(FlagUse::kDpAttention, what, draft, lists);
}

void lay_out_sglang(LaunchDraft& draft, LaunchAnswer& lists) {
  const LaunchSettings& settings = draft.settings;
  draft.layout.pipeline = settings.pipeline;
  draft.layout.tensor = settings.tensor;
  if (settings.dp_attention && settings.data > 1) {
    if (draft.model.moe) {
      lay_out_dp_attention(draft, lists);
      return;
    }
    refuse_line(FlagUse::kDpAttention,
                "of a dense model no layout cuts feed-forward and attention differently", settings,
                lists);
  }
  draft.replicas = settings.data;
  say(FlagUse::kData, fmt::format("serve.replicas = {}: engines of their own", settings.data),
      draft, lists);
  const int degree =
      settings.expert_parallel ? settings.tensor : settings.expert_degree.value_or(1);
  if (!draft.model.moe || degree == 1) return;
  if (degree == settings.tensor) {
    draft.layout.expert_tensor = 1;
    return;
  }
  refuse_line(FlagUse::kExpertDegree,
              "with whole attention in an engine no layout has it but 1 and the tensor degree",
              settings, lists);
}

// A checkpoint says itself how it is quantised; of a plain one only fp8 is made on the way in.
void settle_quantization(LaunchDraft& draft, LaunchAnswer& lists) {
  const std::string& method = draft.settings.quantization;
  if (method.empty()) return;
  if (!draft.model.storage.empty()) {
    say(FlagUse::kQuantization, "as the checkpoint is stored", draft, lists);
  } else if (method == "fp8") {
    draft.weight_type = "fp8";
    say(FlagUse::kQuantization, "model.weight_dtype = fp8", draft, lists);
  } else {
    refuse_line(FlagUse::kQuantization,
                "the model has no quantised weights: give the config.json of the checkpoint that "
                "has as --model",
                draft.settings, lists);
  }
}

void settle_drafts(LaunchDraft& draft, LaunchAnswer& lists) {
  if (draft.settings.drafts.empty()) return;
  const FlagUse use =
      draft.engine == LaunchEngine::kVllm ? FlagUse::kSpeculativeJson : FlagUse::kSpeculativeMethod;
  if (draft.request.acceptance.empty()) {
    refuse_line(use, "how many drafts are accepted is in no flag: give --acceptance 0.8,0.6",
                draft.settings, lists);
    draft.settings.drafts.clear();
    return;
  }
  say(use,
      fmt::format("serve.engine.speculative: {} of {} tokens, with --acceptance",
                  draft.settings.drafts, *draft.settings.drafted),
      draft, lists);
}

void settle_limits(LaunchDraft& draft, LaunchAnswer& lists) {
  LaunchSettings& settings = draft.settings;
  if (draft.shared == 1) return;
  if (!settings.max_tokens) {
    settings.max_tokens =
        serving::default_settings(
            "sglang", {Bytes{draft.sheet.at(FigureId::kMemoryCapacity).value}, false, false})
            .max_tokens;
  }
  *settings.max_tokens = std::max(1, *settings.max_tokens / draft.shared);
  say(FlagUse::kMaxTokens,
      fmt::format("serve.engine.max_tokens_per_pass = {}: of each of {} ranks",
                  *settings.max_tokens, draft.shared),
      draft, lists);
  if (!settings.max_sequences) return;
  *settings.max_sequences = std::max(1, *settings.max_sequences / draft.shared);
  say(FlagUse::kMaxSequences,
      fmt::format("serve.engine.max_sequences = {}: of each of {} ranks", *settings.max_sequences,
                  draft.shared),
      draft, lists);
}

std::string engine_fields(const LaunchDraft& draft) {
  const LaunchSettings& settings = draft.settings;
  std::string text;
  const auto number = [&](const char* field, const auto& value) {
    if (value) text += fmt::format("    {}: {}\n", field, *value);
  };
  number("max_sequences", settings.max_sequences);
  number("max_tokens_per_pass", settings.max_tokens);
  number("max_model_len", settings.max_length);
  number("chunked_prefill", settings.chunked);
  number("prefix_cache", settings.prefix_cache);
  number("asynchronous", settings.asynchronous);
  if (settings.no_graphs) text += "    cuda_graphs: false\n";
  number("memory_fraction", settings.memory_fraction);
  number("block_tokens", settings.block);
  number("kv_blocks", settings.blocks);
  if (settings.pool_tokens) {
    text += fmt::format("    kv_blocks: {}\n",
                        std::max(1, *settings.pool_tokens / settings.block.value_or(1)));
  }
  if (!settings.policy.empty()) text += fmt::format("    policy: {}\n", quoted(settings.policy));
  if (!settings.drafts.empty()) {
    text += fmt::format("    speculative {{ tokens: {}", *settings.drafted);
    for (const double each : draft.request.acceptance) text += fmt::format(" acceptance: {}", each);
    text += fmt::format(" method: \"{}\" }}\n", settings.drafts);
  }
  return text;
}

std::string layout_fields(const Layout& layout) {
  std::string text;
  const auto add = [&](const char* field, int degree, int usual) {
    if (degree != usual) text += fmt::format("  {}: {}\n", field, degree);
  };
  add("tensor", layout.tensor, 1);
  add("pipeline", layout.pipeline, 1);
  add("expert", layout.expert, 1);
  add("expert_tensor", layout.expert_tensor, 0);
  return text.empty() ? "" : fmt::format("layout {{\n{}}}\n", text);
}

std::string variant_text(const LaunchDraft& draft) {
  std::string sets;
  if (!draft.weight_type.empty()) {
    sets += fmt::format("  set: \"model.weight_dtype={}\"\n", draft.weight_type);
  }
  if (!draft.settings.cache_type.empty()) {
    sets += fmt::format("  set: \"model.kv_dtype={}\"\n", draft.settings.cache_type);
  }
  if (sets.empty()) return "";
  return fmt::format(
      "default_variant: \"as-launched\"\nvariant {{\n  name: \"as-launched\"\n{}}}\n", sets);
}

std::string without_secrets(std::string command, const LaunchSettings& settings) {
  constexpr std::string_view kStars = "***";
  for (const std::string& secret : settings.secrets) {
    if (secret.empty()) continue;
    for (std::size_t at = command.find(secret); at != std::string::npos;
         at = command.find(secret, at + kStars.size())) {
      command.replace(at, secret.size(), kStars);
    }
  }
  return command;
}

std::string launch_plan_text(const LaunchDraft& draft, const std::string& command,
                             const std::string& platform, const std::string& platform_line,
                             const LaunchAnswer& lists) {
  const LaunchTable& table = flags_of(draft.engine);
  const LaunchSettings& settings = draft.settings;
  const std::string one_line = in_one_line(without_secrets(command, settings));
  std::string text = fmt::format("# {}\n# Flags as in {}. The platform is of\n#   {}\n", one_line,
                                 table.follows, platform_line);
  text += lists_text(lists, "# ");
  text += fmt::format("model: {}\nplatform: {}\n{}", quoted(draft.model_name), quoted(platform),
                      layout_fields(draft.layout));
  text += fmt::format(
      "serve {{\n  traffic {{  # in no launch command: put yours here\n    rate: {}\n    requests: "
      "200\n    prompt {{ tokens: {} range: 0.5 }}\n    output {{ tokens: {} range: 0.5 }}\n  }}\n",
      quoted(draft.request.rate), draft.request.prompt_tokens, draft.request.output_tokens);
  text +=
      fmt::format("  engine {{\n    name: \"{}\"\n{}  }}\n", table.engine, engine_fields(draft));
  if (draft.replicas > 1) text += fmt::format("  replicas: {}\n", draft.replicas);
  if (!settings.router.empty() && settings.router != "auto") {
    text += fmt::format("  router: {}\n", quoted(settings.router));
  }
  text += "  slo { ttft: \"2s\" tpot: \"50ms\" }  # an example: what your users accept\n}\n";
  if (!settings.library.empty()) {
    text += fmt::format("collectives {{ library: {} }}\n", quoted(settings.library));
  }
  return text + variant_text(draft);
}

// Of the command, or --model.
std::string path_of_model(const LaunchTable& table, const LaunchRequest& request,
                          const LaunchSettings& settings) {
  const std::string& written = request.model ? *request.model : settings.model;
  const SourceLocation place =
      request.model ? option_place("--model", written) : SourceLocation{table.option, 1, 1};
  std::string path = find_model(written, place);
  std::error_code error;
  if (fs::exists(path, error)) return path;
  throw InputError(place, fmt::format("model = {}: neither a file nor a model of the gallery; "
                                      "--model FILE names its config.json",
                                      written));
}

PlatformRequest platform_of_launch(const LaunchDraft& draft) {
  const LaunchRequest& request = draft.request;
  PlatformRequest platform = platform_of_gpus(request.gpu, request.devices, draft.sheet,
                                              draft.gpus(), {flags_of(draft.engine).option, 1, 1});
  if (request.nodes) {
    const int per_node = most_gpus_of_a_node(draft.sheet);
    if (static_cast<long>(*request.nodes) * per_node < draft.gpus()) {
      throw InputError(option_place("--nodes", *request.nodes),
                       fmt::format("have {} GPUs, the command needs {}", *request.nodes * per_node,
                                   draft.gpus()));
    }
    platform.nodes = *request.nodes;
    platform.gpus_per_node.reset();
    platform.fabric = *request.nodes > 1 ? "rail" : "star";
  }
  if (!request.fabric.empty()) platform.fabric = request.fabric;
  return platform;
}

}  // namespace

std::string lists_text(const LaunchAnswer& answer, const std::string& indent) {
  std::string text;
  const auto add = [&](const char* name, const std::vector<LaunchLine>& lines) {
    text += fmt::format("{}{}\n", indent, name);
    bool any = false;
    for (const LaunchLine& line : lines) {
      text += in_one_line(fmt::format("{}  {:<36} {}", indent, line.typed, line.what)) + "\n";
      any = true;
    }
    if (!any) text += fmt::format("{}  none\n", indent);
  };
  add("used", answer.used);
  add("ignored: changes no number", answer.ignored);
  add("refused: changes the answer and is not modelled, or is not known", answer.refused);
  return text;
}

LaunchAnswer plan_of_launch(LaunchEngine engine, const std::string& command,
                            const LaunchRequest& request) {
  const LaunchTable& table = flags_of(engine);
  LaunchAnswer answer;
  LaunchSettings settings = read_launch(engine, command, answer);
  const std::string path = path_of_model(table, request, settings);
  const Model model = read_model(path);
  const DeviceSheet sheet = DeviceCatalog(request.devices).find(request.gpu);
  const std::string written = request.model ? *request.model : settings.model;
  LaunchDraft draft{
      engine, request, sheet, model, model_beside(written, request.out), std::move(settings)};
  engine == LaunchEngine::kVllm ? lay_out_vllm(draft, answer) : lay_out_sglang(draft, answer);
  settle_quantization(draft, answer);
  settle_drafts(draft, answer);
  settle_limits(draft, answer);
  std::erase_if(answer.used, [](const LaunchLine& line) { return line.typed.empty(); });
  if (!answer.refused.empty() && !request.partly) return answer;

  const PlatformRequest platform = platform_of_launch(draft);
  answer.platform_path = platform_beside(request.out, request.gpu, draft.gpus());
  answer.platform = platform_xml(platform, sheet);
  const std::string name = fs::path(answer.platform_path).filename().string();
  answer.plan = launch_plan_text(draft, command, name, platform_command(platform, name), answer);
  try {
    const PlanTexts texts(answer.plan, answer.platform);
    texts.check(path, model);
    say_room(request, sheet, draft.gpus(), texts.read(path), answer);
  } catch (const InputError& error) {
    throw InputError({table.option, 1, 1}, said_by(error));
  }
  return answer;
}

}  // namespace rehearse
