// From the user's files and options to Model and Plan. Whatever is wrong in them throws InputError
// that says where (file:line:col), what, the value and the rule; nothing is guessed. protobuf and
// JSON stay behind this door.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "claims/claims.hpp"
#include "input/source_text.hpp"
#include "model/model.hpp"
#include "plan/plan.hpp"

namespace rehearse {

struct Expected;  // claims/expected.hpp

// A plan file and what the command line says about it. Later wins: the file, the variant's sets,
// the options model / platform / network / seed / library / engine, then `sets` in their order.
struct PlanRequest {
  std::string path;
  std::optional<std::string> variant = {};  // --variant; absent: the plan's default_variant, if any
  std::optional<std::string> model = {};    // --model: a path from the working directory, or a name
  std::optional<std::string> platform = {};  // --platform: a path from the working directory
  std::vector<GpusAt> gpus_at = {};          // --gpu-at, looked up in the catalogue
  std::vector<std::string> sets = {};  // --set FIELD=VALUE: "layout.tensor=4", "model.moe.top_k=1"
  std::optional<std::string> network = {};  // --network: "fluid", "exact", "simgrid", "analytic"
  std::optional<std::string> seed = {};     // --seed
  std::optional<std::string> library = {};  // --library: of its collectives
  std::optional<std::string> engine = {};   // --engine: a name of EngineCatalog
  std::vector<std::string> engine_folders = {};  // --engines
};

// Checks each field by itself (ranges, units, names) and that the model and platform files are
// there; whether the layout fits model and platform is the layout stage's question. Paths in the
// file are relative to the file, paths in options to the working directory; a model may be a name
// of the gallery (find_model). Fields of the model
// ("model.moe.top_k=1") end up in Plan::model_sets: read_model(plan.model_path, plan.model_sets).
Plan read_plan(const PlanRequest& request);

// A workloads/schema/model.proto textproto, or a Hugging Face config.json (recognised by the
// extension .json or a first character "{"), then `sets` in their order ("moe.top_k=1"). The model
// returned is valid (validate).
Model read_model(const std::string& path, const std::vector<std::string>& sets = {});

// Of sets that a command line has, those of the model: "model.moe.top_k=1" as "moe.top_k=1". Throws
// InputError at one that is of something else: there is no plan.
std::vector<std::string> model_sets(const std::vector<std::string>& sets);

// What read_model reads: the file, and the quantisation beside a config.json.
std::vector<std::string> files_of_model(const std::string& path);

// A workloads/schema/claims.proto textproto. Every comparison is parsed; whether its quantities and
// readings exist is the audit's question. Where the file names a document, every quote stands
// there.
Claims read_claims(const std::string& path);

// The text of a result.json; absent for a file that is no JSON, and so a plan. Throws InputError
// where a field is not what `skeleton` (result_skeleton) has it, or negative where it cannot be.
std::optional<std::string> read_result(const std::string& path, const nlohmann::json& skeleton);

// What expected_json wrote.
Expected read_expected(const std::string& path);

// The same of texts in memory (source_of). A plan's and claims' own: what they name is not looked
// at.
Plan parse_plan(const SourceText& source, const PlanRequest& request = {});
Model parse_model(const SourceText& source, const std::vector<std::string>& sets = {});
Claims parse_claims(const SourceText& source);
std::optional<std::string> parse_result(const SourceText& source, const nlohmann::json& skeleton);
Expected parse_expected(const SourceText& source);

}  // namespace rehearse
