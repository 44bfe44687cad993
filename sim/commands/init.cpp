// The plan is text from the start: what is proposed is what the reader of plans has read, with the
// engine's defaults, so that it cannot mean anything else when it is run. Only its layout is found
// on the way (init_layout.hpp); the text is then written once more.
#include "commands/init.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/files.hpp"
#include "base/limits.hpp"
#include "base/option_place.hpp"
#include "catalog/device_catalog.hpp"
#include "catalog/servers.hpp"
#include "catalog/write_platform.hpp"
#include "commands/init_text.hpp"
#include "commands/plan_texts.hpp"
#include "input/input.hpp"
#include "input/model_gallery.hpp"
#include "input/source_text.hpp"

namespace rehearse {
namespace {

namespace fs = std::filesystem;

constexpr int kMostInitGpus = 4096;

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

// Before its layout is known. What it says besides is ours, so that only the rate can be wrong.
Plan read_asked(const InitDraft& draft, const std::string& platform, const std::string& model) {
  try {
    return PlanTexts(plan_text(draft), platform).read(model);
  } catch (const InputError& error) {
    if (!draft.request.rate) throw;
    throw InputError(option_place("--rate", *draft.request.rate), said_by(error));
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
  const PlatformRequest platform = platform_of_gpus(
      request.gpu, request.devices, sheet, request.gpus, option_place("--gpus", request.gpus));

  InitAnswer answer;
  answer.platform_path = platform_beside(request.out, request.gpu, request.gpus);
  answer.platform = platform_xml(platform, sheet);
  InitDraft draft{request,
                  model,
                  sheet,
                  platform,
                  model_beside(request.model, request.out),
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
  PlanTexts(answer.plan, answer.platform).check(path, model);
  return answer;
}

}  // namespace rehearse
