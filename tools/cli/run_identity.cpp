#include "cli/run_identity.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <vector>

#include "input/digest.hpp"
#include "network/network_level.hpp"

namespace rehearse {

RunIdentity identity_of(const Plan& plan, const Model& model, const PlanRequest& request) {
  RunIdentity identity;
  identity.plan = plan.name;
  identity.model = model.name;
  const auto written = plan.written_platforms.find(plan.platform_path);
  identity.platform =
      written == plan.written_platforms.end() ? plan.platform_path : written->second;
  identity.variant = plan.variant;
  identity.network = to_text(plan.network);
  identity.seed = plan.seed;
  std::vector<std::string> texts = {plan.variant, identity.network, std::to_string(plan.seed)};
  texts.insert(texts.end(), request.sets.begin(), request.sets.end());
  std::vector<std::string> files = files_of_model(plan.model_path);
  files.insert(files.begin(), request.path);
  files.push_back(plan.platform_path);
  for (const std::string& file : {plan.routing.table_path, plan.batch.lengths.file}) {
    if (!file.empty()) files.push_back(file);
  }
  identity.inputs_sha256 = sha256_of(files, texts);
  return identity;
}

void print_notes(const Model& model) {
  for (const std::string& note : model.notes) {
    fmt::print(stderr, "model {}: {}\n", model.name, note);
  }
}

}  // namespace rehearse
