// `rehearse collective --batch FILE.csv`: many collectives, each on an idle cluster of its own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "commands/collective_rows.hpp"
#include "simulation/limits.hpp"

namespace rehearse {

struct CollectiveBatchOptions {
  std::string file;                    // empty: no batch
  std::optional<std::string> library;  // --library: of every row
  std::optional<std::string> engine;   // --engine: of every row
  std::vector<std::string> engine_folders;
  std::vector<std::string> devices;  // --devices
  bool terms = false;                // --terms
  bool quiet = false;                // nothing tells how far it is
};

struct CollectivePrice {
  std::optional<Seconds> time;
  std::optional<BytesPerSecond> busbw;   // absent of a barrier, too
  std::optional<double> expected_error;  // median of its kind; absent: nobody has compared
  std::string terms;                     // where they are asked for: terms_of()
  std::string reason;                    // why there is no time
};

// By row. Clusters of a kind of GPU are written by the catalogue, as many servers as the rows need
// on a network that only the NICs limit (the fabric "star"), and a row is priced as the fluid level
// would simulate it, without a replay. REQUIRES: this process has not used SimGrid.
std::vector<CollectivePrice> price_collectives(const CollectiveBatch& batch,
                                               const CollectiveBatchOptions& options,
                                               const Limits& limits);

// The whole command: the rows as they are, with the answers behind them.
std::string price_collective_batch(const CollectiveBatchOptions& options, const Limits& limits);

}  // namespace rehearse
