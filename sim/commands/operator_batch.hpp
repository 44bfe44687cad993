// `rehearse operator`: kernels on an idle GPU of the catalogue, one or the rows of a CSV file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "accuracy/expected_errors.hpp"
#include "base/table.hpp"
#include "commands/operator_rows.hpp"
#include "cost/cost_model.hpp"

namespace rehearse {

struct OperatorOptions {
  std::string kind;
  std::string batch;  // --batch: a CSV file; with a kind, sequences
  std::string gpu;
  std::vector<std::string> devices;                               // --devices
  std::vector<std::pair<std::string, std::string>> numbers = {};  // by column: {"m", "4096"}
  bool terms = false;
  bool json = false;
};

struct OperatorAnswer {
  std::optional<KernelTime> time;           // of its kernels, one after the other
  std::string bound;                        // of the kernel that takes longest
  std::string row;                          // of kOperatorRows, of that kernel
  bool assumed = false;                     // the device has no measured row for it
  const ExpectedError* expected = nullptr;  // nullptr: nobody has compared
  std::string terms;                        // where they are asked for
  std::string reason;                       // why there is no time
};

// By row, as the replay of a plan prices the same kernels.
std::vector<OperatorAnswer> price_operators(const OperatorBatch& batch,
                                            const std::vector<std::string>& devices, bool terms);

// The whole command. Throws InputError; that of a single operator names the option.
std::string price_operator_command(const OperatorOptions& options);
// The same as rows: of a single operator, the columns of a batch and the parts of its time.
Table price_operator_rows(const OperatorOptions& options);

}  // namespace rehearse
