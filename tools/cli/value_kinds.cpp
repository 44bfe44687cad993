#include "cli/value_kinds.hpp"

#include <algorithm>
#include <set>

#include "base/split.hpp"
#include "catalog/device_catalog.hpp"
#include "catalog/fabrics/fabric.hpp"
#include "cli/command_table.hpp"
#include "collectives/collective_algorithm.hpp"
#include "collectives/library.hpp"
#include "commands/operator_batch.hpp"
#include "input/model_gallery.hpp"
#include "input/read_engine.hpp"
#include "schema/schema_text.hpp"
#include "search/objective.hpp"

namespace rehearse {
namespace {

using Words = std::vector<std::string>;

Words names_of_commands() {
  Words names;
  for (const Command& command : commands()) names.push_back(command.name);
  return names;
}

Words names_of_fabrics() {
  Words names;
  for (const Fabric& fabric : fabrics()) names.emplace_back(fabric.name);
  return names;
}

Words names_of_all_algorithms() {
  std::set<std::string> names = {"auto"};
  for (int op = 0; op < kCollectiveOps; ++op) {
    const Words of_op = words_of(names_of_algorithms(static_cast<CollectiveOp>(op)));
    names.insert(of_op.begin(), of_op.end());
  }
  return {names.begin(), names.end()};
}

Words with_ending(Words words, const char* ending) {
  for (std::string& word : words) word += ending;
  return words;
}

// "what is multiplied: bf16 fp16 ..." says which.
Words names_of_dtypes() {
  for (const OperatorColumn& column : operator_columns()) {
    const std::string meaning = column.meaning;
    if (column.name == std::string("dtype")) return words_of(meaning.substr(meaning.find(':') + 1));
  }
  return {};
}

Words schema_paths() {
  Words paths = schema_names();
  for (const std::string& field : schema_fields("plan")) paths.push_back("plan." + field);
  return paths;
}

struct ValueKind {
  const char* metavar;
  Completed how;
  Words (*values)();
};

const ValueKind kKinds[] = {
    {"FILE", Completed::kFiles, nullptr},
    {"DIR", Completed::kFolders, nullptr},
    {"MODEL", Completed::kWordsAndFiles, gallery_models},
    {"GPU", Completed::kWords, [] { return DeviceCatalog().names(); }},
    {"ENGINE", Completed::kWords, [] { return EngineCatalog().names(); }},
    {"COMMAND", Completed::kWords, names_of_commands},
    {"SHELL", Completed::kWords,
     [] {
       return Words{"bash", "fish", "zsh"};
     }},
    {"LEVEL", Completed::kWords,
     [] {
       return Words{"fluid", "exact", "simgrid", "analytic"};
     }},
    {"FABRIC", Completed::kWords, names_of_fabrics},
    {"OP", Completed::kWords, [] { return words_of(names_of_collective_ops()); }},
    {"ALGORITHM", Completed::kWords, names_of_all_algorithms},
    {"LIBRARY", Completed::kWords, [] { return words_of(names_of_libraries()); }},
    {"PROTOCOL", Completed::kWords, [] { return Words(kProtocols.begin(), kProtocols.end()); }},
    {"KIND", Completed::kWords, [] { return words_of(names_of_operator_kinds()); }},
    {"FIELD=VALUE", Completed::kPrefixes, [] { return with_ending(schema_fields("plan"), "="); }},
    {"PATH", Completed::kWords, schema_paths},
    {"DTYPE", Completed::kWords, names_of_dtypes},
    {"BOOL", Completed::kWords,
     [] {
       return Words{"true", "false"};
     }},
    {"OBJECTIVE", Completed::kWords, names_of_objectives},
    {"HOW", Completed::kWords,
     [] {
       return Words{"auto", "off"};
     }},
    {"DETAIL", Completed::kWords,
     [] {
       return Words{"steps", "operators"};
     }},
    {"WHAT", Completed::kWords,
     [] {
       return Words{"graph", "program", "ranks"};
     }},
};

}  // namespace

Completed completed_with(const std::string& metavar) {
  const auto* const kind = std::ranges::find(kKinds, metavar, &ValueKind::metavar);
  return kind == std::end(kKinds) ? Completed::kNothing : kind->how;
}

std::vector<std::string> values_of(const std::string& metavar) {
  const auto* const kind = std::ranges::find(kKinds, metavar, &ValueKind::metavar);
  return kind == std::end(kKinds) || kind->values == nullptr ? Words{} : kind->values();
}

std::vector<std::string> kinds_with_values() {
  Words kinds;
  for (const ValueKind& kind : kKinds) {
    if (kind.values != nullptr) kinds.emplace_back(kind.metavar);
  }
  return kinds;
}

}  // namespace rehearse
