#include <fmt/format.h>

#include <string_view>

#include "input/quantisation_methods/methods.hpp"

namespace rehearse {
namespace {

struct MethodRow {
  std::string_view name;
  QuantisationMethod (*read)(MethodReader& reader);
  ModuleList::Patterns patterns;
};
constexpr MethodRow kMethods[] = {
    {"fp8", read_fp8, ModuleList::Patterns::kGlobs},
    {"fbgemm_fp8", read_fbgemm_fp8, ModuleList::Patterns::kGlobs},
    {"gptq", read_gptq, ModuleList::Patterns::kGlobs},
    {"awq", read_awq, ModuleList::Patterns::kGlobs},
    {"bitsandbytes", read_bitsandbytes, ModuleList::Patterns::kGlobs},
    {"mxfp4", read_mxfp4, ModuleList::Patterns::kGlobs},
    {"modelopt", read_modelopt, ModuleList::Patterns::kGlobs},
    {"modelopt_fp4", read_modelopt, ModuleList::Patterns::kGlobs},
    {"compressed-tensors", read_compressed_tensors, ModuleList::Patterns::kRegularExpressions}};

}  // namespace

QuantisationMethod read_method(const JsonObject& statement, QuantisationFile file,
                               const proto::Model& model) {
  const bool beside = file == QuantisationFile::kModelOpt;
  // Some of ModelOpt's own statements do without a quant_method.
  const char* const unsaid = beside || statement.find("quant_algo") != nullptr ? "modelopt" : "";
  const std::string name = beside ? unsaid : statement.string_or(unsaid, "quant_method");
  std::string known;
  for (const MethodRow& row : kMethods) {
    known += fmt::format(" {}", row.name);
    if (row.name != name) continue;
    MethodReader reader(statement, model, row.patterns);
    return row.read(reader);
  }
  statement.refuse("quant_method", fmt::format("only{} are read", known));
}

}  // namespace rehearse
