#include "commands/operator_batch.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "accuracy/expected_errors.hpp"
#include "base/error.hpp"
#include "catalog/device_catalog.hpp"
#include "commands/batch_table.hpp"
#include "commands/priced_gpu.hpp"
#include "cost/models/calibrated.hpp"
#include "input/csv_table.hpp"
#include "input/source_text.hpp"

namespace rehearse {
namespace {

// What each time is made of, for tools/fit: the kernels that the row named first prices, with the
// demands of the first two of them, and the time of the others.
constexpr const char* kTermColumns[] = {"row",       "others_s",   "kernels",
                                        "compute_s", "memory_s",   "before_s",
                                        "depth",     "compute2_s", "memory2_s"};

class CatalogGpus {
 public:
  explicit CatalogGpus(const std::vector<std::string>& folders) : catalog_(folders) {}

  // Throws InputError.
  const PricedGpu& find(const std::string& name) {
    std::unique_ptr<PricedGpu>& known = known_[name];
    if (known == nullptr)
      known = std::make_unique<PricedGpu>(device_of(name, catalog_), catalog_.find(name).path);
    return *known;
  }

 private:
  DeviceCatalog catalog_;
  std::map<std::string, std::unique_ptr<PricedGpu>> known_;
};

KernelTime time_of(const PricedKernel& kernel, const DeviceRates& rates) {
  return cost_model(rates).time(kernel.load(), rates);
}

std::string terms_of(const OperatorRow& row, std::string_view priced, const DeviceRates& rates) {
  Seconds others;
  std::vector<OperatorDemand> demands;
  for (const PricedKernel& kernel : row.kernels) {
    if (operator_row(kernel.work) == priced) {
      demands.push_back(demand_of(kernel.load(), rates));
    } else {
      others += time_of(kernel, rates).total;
    }
  }
  const std::size_t kernels = demands.size();
  demands.resize(2);
  return fmt::format("{},{},{},{},{},{},{},{},{}", priced, others.value, kernels,
                     demands[0].compute_s, demands[0].memory_s, demands[0].before_s,
                     demands[0].depth, demands[1].compute_s, demands[1].memory_s);
}

// As accuracy/expected_errors.hpp names them.
std::string family_of(const OperatorRow& row, const std::string& constants) {
  if (row.kv_heads == 0 || constants != "attention_decode") return constants;
  return constants + (row.kv_heads == 1 ? ".1_kv_head" : ".2_kv_heads_up");
}

OperatorAnswer price(const OperatorRow& row, const PricedGpu& gpu, bool terms) {
  OperatorAnswer answer;
  KernelTime sum;
  Seconds longest;
  for (const PricedKernel& kernel : row.kernels) {
    const KernelTime time = time_of(kernel, gpu.rates());
    sum.total += time.total;
    sum.launch += time.launch;
    sum.compute += time.compute;
    sum.memory += time.memory;
    if (time.total < longest) continue;
    longest = time.total;
    answer.bound = bound_of(time);
  }
  answer.time = sum;
  answer.row = operator_row(row.main().work);
  answer.assumed = !gpu.rates().is_calibrated() || gpu.rates().costs_of(row.main().work).assumed;
  answer.expected = expected_error(family_of(row, answer.row), row.gpu, gpu.vendor());
  if (terms) answer.terms = terms_of(row, answer.row, gpu.rates());
  return answer;
}

// What is wrong, without the place: a row's GPU is no option.
std::string reason_of(const InputError& error) {
  const std::string text = error.what();
  constexpr std::string_view kError = ": error: ";
  const std::size_t at = text.find(kError);
  return at == std::string::npos ? text : text.substr(at + kError.size());
}

// The options of one operator as a table of one row.
std::string one_row(const OperatorOptions& options) {
  std::string names = "kind,gpu";
  std::string values = csv_text(options.kind) + "," + csv_text(options.gpu);
  for (const auto& [name, value] : options.numbers) {
    names += "," + name;
    values += "," + csv_text(value);
  }
  return names + "\n" + values + "\n";
}

std::string text_of(const OperatorRow& row, const OperatorAnswer& answer) {
  const KernelTime& time = *answer.time;
  return fmt::format(
      "{} on {}: {}, bound by {}\n"
      "  launch {}, compute {}, memory {}{}\n"
      "  constants: {}, {}; {}\n",
      row.kind, row.gpu, to_text(time.total), answer.bound, to_text(time.launch),
      to_text(time.compute), to_text(time.memory),
      row.kernels.size() > 1 ? fmt::format(", of {} kernels", row.kernels.size()) : "", answer.row,
      answer.assumed ? "not measured on this GPU" : "measured on this GPU",
      answer.expected == nullptr
          ? "how far it is off nobody has compared"
          : fmt::format("expected error {:.0f} %, P90 {:.0f} % ({} published times)",
                        100 * answer.expected->median, 100 * answer.expected->p90,
                        answer.expected->rows));
}

std::string json_of(const OperatorRow& row, const OperatorAnswer& answer) {
  nlohmann::ordered_json json;
  json["kind"] = row.kind;
  json["gpu"] = row.gpu;
  json["time_s"] = answer.time->total.value;
  json["bound"] = answer.bound;
  json["launch_s"] = answer.time->launch.value;
  json["compute_s"] = answer.time->compute.value;
  json["memory_s"] = answer.time->memory.value;
  json["kernels"] = row.kernels.size();
  json["constants"] = {{"row", answer.row}, {"measured", !answer.assumed}};
  if (answer.expected != nullptr) {
    json["accuracy"]["time_s"]["expected_error"] = {
        {"median", answer.expected->median},
        {"p90", answer.expected->p90},
        {"rows", answer.expected->rows},
        {"provenance", answer.assumed ? "assumed" : "measured"}};
  }
  return json.dump(2) + "\n";
}

std::pair<OperatorRow, OperatorAnswer> one_operator(const OperatorOptions& options) {
  const std::string place = "rehearse operator " + options.kind;
  const SourceText source{place, one_row(options)};
  const OperatorBatch batch = read_operator_batch(source);
  OperatorAnswer answer = price_operators(batch, options.devices, options.terms).front();
  if (!answer.time) throw InputError({place, 1, 1}, answer.reason);
  return {batch.rows.front(), std::move(answer)};
}

void add_answer(const OperatorRow& row, const OperatorAnswer& answer, Table& table) {
  const std::vector<std::pair<const char*, Cell>> columns = {
      {"time_s", answer.time->total.value},
      {"bound", answer.bound},
      {"expected_error", cell_from(answer.expected, &ExpectedError::median)},
      {"launch_s", answer.time->launch.value},
      {"compute_s", answer.time->compute.value},
      {"memory_s", answer.time->memory.value},
      {"kernels", static_cast<std::int64_t>(row.kernels.size())},
      {"constants", answer.row},
      {"measured", !answer.assumed}};
  for (const auto& [name, cell] : columns) {
    table.head.emplace_back(name);
    table.rows.front().push_back(cell);
  }
}

std::string whole_batch(const OperatorOptions& options) {
  const SourceText source = read_source(options.batch, "a table of operators");
  const OperatorBatch batch = read_operator_batch(source);
  const std::vector<OperatorAnswer> answers =
      price_operators(batch, options.devices, options.terms);
  const std::string none(std::size(kTermColumns) - 1, ',');
  std::string text = fmt::format("{},{}", batch.names, fmt::join(kOperatorAnswerColumns, ","));
  if (options.terms) text += fmt::format(",{}", fmt::join(kTermColumns, ","));
  text += "\n";
  for (std::size_t at = 0; at < answers.size(); ++at) {
    const OperatorAnswer& answer = answers[at];
    text += fmt::format(
        "{},{},{},{},{}", batch.rows[at].line,
        answer.time ? fmt::format("{:.9g}", answer.time->total.value) : "", answer.bound,
        answer.expected == nullptr ? "" : fmt::format("{}", answer.expected->median),
        csv_text(answer.reason));
    if (options.terms) text += "," + (answer.time ? answer.terms : none);
    text += "\n";
  }
  return text;
}

}  // namespace

std::vector<OperatorAnswer> price_operators(const OperatorBatch& batch,
                                            const std::vector<std::string>& devices, bool terms) {
  std::vector<OperatorAnswer> answers(batch.rows.size());
  CatalogGpus gpus(devices);
  for (std::size_t at = 0; at < batch.rows.size(); ++at) {
    const OperatorRow& row = batch.rows[at];
    answers[at].reason = row.reason;
    if (!row.reason.empty()) continue;
    try {
      answers[at] = price(row, gpus.find(row.gpu), terms);
    } catch (const InputError& error) {
      answers[at].reason = reason_of(error);
    }
  }
  return answers;
}

std::string price_operator_command(const OperatorOptions& options) {
  if (options.kind.empty()) return whole_batch(options);
  const auto [row, answer] = one_operator(options);
  return options.json ? json_of(row, answer) : text_of(row, answer);
}

Table price_operator_rows(const OperatorOptions& options) {
  if (options.kind.empty()) return batch_cells(whole_batch(options));
  const auto [row, answer] = one_operator(options);
  Table table = batch_cells(one_row(options));
  add_answer(row, answer, table);
  return table;
}

}  // namespace rehearse
