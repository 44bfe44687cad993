#include "commands/identity.hpp"

#include "input/digest.hpp"
#include "network/network_level.hpp"

namespace rehearse {
namespace {

// Of the plan, its model, the platform where one is named and whatever else the plan reads, and of
// these texts, the variant, the level, the seed and what is set.
std::string digest_of_inputs(const Plan& plan, const PlanRequest& request,
                             const std::string& platform, std::vector<std::string> texts) {
  texts.insert(texts.end(), {plan.variant, to_text(plan.network), std::to_string(plan.seed)});
  if (request.engine) texts.push_back("engine=" + *request.engine);
  if (request.library) texts.push_back("collectives.library=" + *request.library);
  texts.insert(texts.end(), request.sets.begin(), request.sets.end());
  const std::vector<std::string> gpus = identity_of(plan.gpus_at);
  texts.insert(texts.end(), gpus.begin(), gpus.end());
  std::vector<std::string> files = files_of_model(plan.model_path);
  files.insert(files.begin(), request.path);
  std::vector<std::string> named = {platform, plan.routing.table_path, plan.batch.lengths.file,
                                    plan.engine.path};
  if (plan.serve) named.push_back(plan.serve->trace_path);
  if (plan.serve && plan.serve->law) {
    named.insert(named.end(), {plan.serve->law->prompt.file, plan.serve->law->output.file});
  }
  for (const std::string& file : named) {
    if (!file.empty()) files.push_back(file);
  }
  return sha256_of(files, texts);
}

}  // namespace

std::vector<std::string> identity_of(const std::vector<GpusAt>& gpus_at) {
  std::vector<std::string> texts;
  for (const GpusAt& gpus : gpus_at) {
    texts.insert(texts.end(), {gpus.pattern, gpus.speed});
    for (const auto& [id, value] : gpus.properties) texts.insert(texts.end(), {id, value});
  }
  return texts;
}

RunIdentity identity_of(const Plan& plan, const Model& model, const PlanRequest& request) {
  RunIdentity identity;
  identity.plan = plan.name;
  identity.model = model.name;
  const auto written = plan.written_platforms.find(plan.platform_path);
  identity.platform =
      written == plan.written_platforms.end() ? plan.platform_path : written->second;
  identity.variant = plan.variant;
  identity.engine = plan.engine.name;
  identity.network = to_text(plan.network);
  identity.seed = plan.seed;
  identity.inputs_sha256 = digest_of_inputs(plan, request, plan.platform_path, {});
  return identity;
}

std::string digest_of_search(const Plan& plan, const PlanRequest& request) {
  return digest_of_inputs(plan, request, "", {REHEARSE_VERSION});
}

}  // namespace rehearse
