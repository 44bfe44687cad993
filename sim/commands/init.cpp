// The plan is text from the start: what is proposed is what the reader of plans has read, with the
// engine's defaults, so that it cannot mean anything else when it is run. Only its layout is found
// on the way (init_layout.hpp); the text is then written once more.
#include "commands/init.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string_view>

#include "base/files.hpp"
#include "base/limits.hpp"
#include "base/option_place.hpp"
#include "catalog/device_catalog.hpp"
#include "catalog/servers.hpp"
#include "catalog/write_platform.hpp"
#include "commands/init_text.hpp"
#include "input/input.hpp"
#include "input/model_gallery.hpp"
#include "input/source_text.hpp"
#include "simulation/prepared.hpp"

namespace rehearse {
namespace {

namespace fs = std::filesystem;

constexpr int kMostInitGpus = 4096;

// What the plan's file calls the model: the name as typed, or a path from its own folder.
std::string name_of_model(const InitRequest& request) {
  std::error_code error;
  if (!fs::exists(request.model, error)) return request.model;
  if (request.out.empty()) return request.model;
  const fs::path folder = fs::absolute(request.out).parent_path();
  return fs::absolute(request.model).lexically_normal().lexically_relative(folder).string();
}

std::string platform_beside(const InitRequest& request) {
  if (request.out.empty()) return fmt::format("{}-{}gpu.xml", request.gpu, request.gpus);
  return fs::path(request.out).replace_extension(".xml").string();
}

void check_numbers(const InitRequest& request, const Model& model) {
  const auto within = [](const char* option, int value, int most) {
    if (value >= 1 && value <= most) return;
    throw InputError(option_place(option, value), fmt::format("is not in 1 to {}", most));
  };
  within("--gpus", request.gpus, kMostInitGpus);
  const int longest = model.longest_context > 0 ? model.longest_context : kMostTokens;
  within("--prompt", request.prompt_tokens, longest);
  within("--output", request.output_tokens, longest);
  const int most = longest_of(request);
  if (most <= longest) return;
  throw InputError(
      option_place("--prompt", request.prompt_tokens),
      fmt::format("with {} output tokens the longest requests have {} tokens: {} takes "
                  "at most {}",
                  request.output_tokens, most, model.name, longest));
}

// The servers, racks or hosts that so many GPUs come in.
PlatformRequest platform_of(const InitRequest& request, const DeviceSheet& sheet) {
  PlatformRequest platform;
  platform.gpu = request.gpu;
  platform.device_folders = request.devices;
  const int per_node = most_gpus_of_a_node(sheet);
  constexpr int kLeastOfAPlatform = 2;
  const int gpus = std::max(request.gpus, kLeastOfAPlatform);
  platform.nodes = (gpus + per_node - 1) / per_node;
  if (sheet.topology == ScaleUpTopology::kTorus) return platform;
  if (gpus < per_node) platform.gpus_per_node = gpus;
  if (platform.nodes > 1 && sheet.find(FigureId::kServerNics) == nullptr) {
    throw InputError(option_place("--gpus", request.gpus),
                     fmt::format("a server of {} has {} GPUs, and its device file has no NICs that "
                                 "could join several: at most {}",
                                 request.gpu, per_node, per_node));
  }
  platform.fabric = platform.nodes > 1 ? "rail" : "star";
  return platform;
}

// A plan and its platform before they are files.
class Texts {
 public:
  Texts(const std::string& plan, const std::string& platform) : plan_(plan), platform_(platform) {}

  Plan read(const std::string& model) const {
    PlanRequest request;
    request.path = plan_.path();
    request.platform = platform_.path();
    request.model = model;
    return read_plan(request);
  }

 private:
  MemoryFile plan_;
  MemoryFile platform_;
};

void check_as_run_does(const InitAnswer& answer, const std::string& path, const Model& model) {
  const Texts texts(answer.plan, answer.platform);
  const PreparedPlan checked(texts.read(path), model);
}

// Before its layout is known. What it says besides is ours, so that only the rate can be wrong.
Plan read_asked(const InitDraft& draft, const std::string& platform, const std::string& model) {
  try {
    return Texts(plan_text(draft), platform).read(model);
  } catch (const InputError& error) {
    if (!draft.request.rate) throw;
    constexpr std::string_view kSaid = ": error: ";
    const std::string what = error.what();
    throw InputError(option_place("--rate", *draft.request.rate),
                     what.substr(what.find(kSaid) + kSaid.size()));
  }
}

}  // namespace

InitAnswer init_plan(const InitRequest& request) {
  const SourceLocation place = option_place("--model", request.model);
  const std::string path = find_model(request.model, place);
  check_readable(path, "model", place);
  const Model model = read_model(path);
  check_numbers(request, model);
  const DeviceCatalog catalog(request.devices);
  const DeviceSheet sheet = catalog.find(request.gpu);
  const PlatformRequest platform = platform_of(request, sheet);

  InitAnswer answer;
  answer.platform_path = platform_beside(request);
  answer.platform = platform_xml(platform, sheet);
  InitDraft draft{request,
                  model,
                  sheet,
                  platform,
                  name_of_model(request),
                  fs::path(answer.platform_path).filename().string()};
  const Plan asked = read_asked(draft, answer.platform, path);
  const int node = most_gpus_of_a_node(sheet);
  const InitSite site{sheet, std::min(node, request.gpus), request.gpus, node};
  const InitLayout found = choose_layout(asked, model, site);
  if (!found.chosen) {
    answer.fits = false;
    answer.decided = nothing_fits(draft, found);
    return answer;
  }
  draft.layout = &found;
  answer.plan = plan_text(draft);
  answer.decided = decisions(draft);
  check_as_run_does(answer, path, model);
  return answer;
}

}  // namespace rehearse
