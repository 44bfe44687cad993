// SimGrid takes one cluster per process, so the rows are sorted by cluster and each cluster's are
// priced in a child. Rows of one kind of server share a cluster, of as many servers as the largest
// needs: the fabric never blocks, so that the others do not notice.
#include "commands/collective_batch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <utility>

#include "accuracy/expected_errors.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/processes.hpp"
#include "base/progress.hpp"
#include "catalog/device_catalog.hpp"
#include "catalog/servers.hpp"
#include "catalog/write_platform.hpp"
#include "collectives/libraries/measured_costs.hpp"
#include "commands/collective.hpp"
#include "commands/collective_terms.hpp"
#include "input/csv_table.hpp"
#include "network/lone_transfers.hpp"
#include "simulation/collective_run.hpp"
#include "simulation/simulation.hpp"

namespace rehearse {
namespace {

struct BatchCluster {
  std::string path;         // of a platform file; empty: written for
  PlatformRequest request;  // this, but for the nodes
  std::map<std::int64_t, std::vector<std::size_t>>
      rows;  // by the nodes that they need; their index

  std::int64_t nodes() const { return rows.rbegin()->first; }
};

// An error of another part of the program as a row's reason: its columns are not options.
std::string reason_of(const InputError& error) {
  std::string text = error.what();
  constexpr std::pair<const char*, const char*> kColumns[] = {{"--gpus-per-node", "ranks_per_node"},
                                                              {"--nodes", "ranks"},
                                                              {"--nics", "nics_per_node"},
                                                              {"--nic", "nic_gbps"},
                                                              {"--fabric", "platform"},
                                                              {"--gpu", "gpu"},
                                                              {"ranks", "ranks"},
                                                              {"/dev/fd/", "ranks"}};
  constexpr std::string_view kError = ": error: ";
  const std::size_t behind = text.find(kError);
  if (behind == std::string::npos) return text;
  for (const auto& [option, column] : kColumns) {
    if (!text.starts_with(option)) continue;
    return fmt::format("{}: {}", column, text.substr(behind + kError.size()));
  }
  return text;
}

// Sorts rows by cluster.
class Clusters {
 public:
  explicit Clusters(const std::vector<std::string>& device_folders) : catalog_(device_folders) {}

  // Throws InputError where there can be no such cluster.
  void add(std::size_t index, const CollectiveBatchRow& row) {
    if (!row.platform.empty()) {
      BatchCluster& cluster = clusters_["file " + row.platform];
      cluster.path = row.platform;
      cluster.rows[0].push_back(index);
      return;
    }
    const DeviceSheet& sheet = sheet_of(row.gpu);
    const PlatformRequest request = request_of(row, sheet);
    check(request, sheet);
    BatchCluster& cluster = clusters_[key_of(request, sheet)];
    cluster.request = request;
    cluster.rows[request.nodes].push_back(index);
  }

  std::vector<BatchCluster> take() {
    std::vector<BatchCluster> all;
    all.reserve(clusters_.size());
    for (auto& [key, cluster] : clusters_) all.push_back(std::move(cluster));
    return all;
  }

  const DeviceSheet& sheet_of(const std::string& gpu) {
    const auto [at, is_new] = sheets_.try_emplace(gpu);
    if (!is_new) {
      if (!at->second) throw InputError::relayed(refusals_.at(gpu));
      return *at->second;
    }
    try {
      at->second = catalog_.find(gpu);
    } catch (const InputError& error) {
      refusals_[gpu] = error.what();
      throw;
    }
    return *at->second;
  }

 private:
  static PlatformRequest request_of(const CollectiveBatchRow& row, const DeviceSheet& sheet) {
    PlatformRequest request;
    request.gpu = row.gpu;
    const bool torus = sheet.topology == ScaleUpTopology::kTorus;
    if (!torus) request.fabric = "star";
    const int device = most_gpus_of_a_node(sheet);
    const int per_node = torus ? std::min(row.ranks, device) : row.ranks_per_node.value_or(device);
    if (torus && row.ranks > row.ranks_per_node.value_or(row.ranks)) {
      throw InputError({"--gpus-per-node", 1, 1},
                       fmt::format("{} is one torus: must be ranks, or empty", row.gpu));
    }
    request.gpus_per_node = per_node;
    request.nodes = (row.ranks + per_node - 1) / per_node;
    if (request.nodes == 1) return request;  // nothing leaves it
    if (row.nics_per_node) request.nics = *row.nics_per_node;
    if (row.nic_gbps) request.nic = fmt::format("{}Gbps", *row.nic_gbps);
    return request;
  }

  // Writes it once, to see what the catalogue says of it.
  void check(const PlatformRequest& request, const DeviceSheet& sheet) {
    const std::string key = fmt::format("{} {}", key_of(request, sheet), request.nodes);
    const auto [at, is_new] = refusals_.try_emplace(key);
    if (is_new) {
      try {
        platform_xml(request, sheet);
      } catch (const InputError& error) {
        at->second = error.what();
      }
    }
    if (!at->second.empty()) throw InputError::relayed(at->second);
  }

  static std::string key_of(const PlatformRequest& request, const DeviceSheet& sheet) {
    std::string key = fmt::format("{} {} {} {}", request.gpu, *request.gpus_per_node,
                                  request.nics.value_or(0), request.nic.value_or("-"));
    // A torus of more hosts is another one, and a server alone needs no NICs.
    const bool alone = request.nodes == 1 || sheet.topology == ScaleUpTopology::kTorus;
    return alone ? fmt::format("{} {}", key, request.nodes) : key;
  }

  DeviceCatalog catalog_;
  std::map<std::string, std::optional<DeviceSheet>> sheets_;
  std::map<std::string, std::string> refusals_;  // by GPU, and by cluster; empty: none
  std::map<std::string, BatchCluster> clusters_;
};

// The GPUs of a row's ranks: the first ones, of each domain as many as the row says.
std::vector<int> gpus_of(const CollectiveBatchRow& row, const Platform& platform) {
  const bool of_file = !row.platform.empty() && row.ranks_per_node.has_value();
  std::vector<int> gpus;
  std::map<int, int> taken;  // by domain
  for (int gpu = 0; gpu < static_cast<int>(platform.gpus.size()); ++gpu) {
    if (static_cast<int>(gpus.size()) == row.ranks) break;
    const int domain = platform.gpus[gpu].domain;
    const int place = domain >= 0 ? taken[domain]++ : 0;
    if (!of_file || place < *row.ranks_per_node) gpus.push_back(gpu);
  }
  if (static_cast<int>(gpus.size()) < row.ranks) {
    throw InputError({row.platform, 1, 1},
                     fmt::format("the platform has {} GPUs for {} ranks", gpus.size(), row.ranks));
  }
  return gpus;
}

CollectivePrice price_of(const CollectiveBatchRow& row, LoneTransfers& transfers,
                         const Platform& platform, Seconds limit) {
  refuse_too_slow({"ranks", 1, 1}, fmt::format("pricing {} ranks", row.ranks),
                  estimate_pricing(row.op, row.ranks), limit);
  CollectivePrice price;
  const Endpoints& ends = transfers.between(row.op, row.use, gpus_of(row, platform));
  price.reason = transfers.refusal(ends);
  if (!price.reason.empty()) {
    const CollectiveLibrary& library = library_of(row.use, *transfers.paths().machine(ends).device);
    price.reason = fmt::format("library {}: {}", library.name, price.reason);
    return price;
  }
  const Bytes buffer = buffer_of(row.op, row.size, row.ranks);
  const TransferPath& path = transfers.path(ends, buffer, row.fan_out);
  price.time = path.alone(buffer);
  price.terms = terms_of(path, buffer);
  const GroupMachine& machine = transfers.paths().machine(ends);
  const std::string family =
      collective_family(library_of(row.use, *machine.device).name, machine.servers == 1);
  const bool compared =
      expected_error(family, machine.device->gpu, machine.device->vendor) != nullptr;
  const bool own = is_measured(*machine.device, path.row);
  const ExpectedError* const error = compared || own ? pooled_error(family, own) : nullptr;
  if (error != nullptr) price.expected_error = error->median;
  if (row.op != CollectiveOp::kBarrier && price.time->value > 0) {
    price.busbw =
        BytesPerSecond{row.size.value / price.time->value * busbw_factor(row.op, row.ranks)};
  }
  return price;
}

// In the child: "INDEX TIME BUSBW ERROR TERMS" (-1: there is none) or "INDEX - REASON", a line for
// each row.
std::string price_rows(const CollectiveBatch& batch, const BatchCluster& at,
                       const DeviceSheet* sheet, const Limits& limits, ProgressCounter& progress) {
  std::unique_ptr<MemoryFile> written;
  if (sheet != nullptr) {
    PlatformRequest request = at.request;
    request.nodes = at.nodes();
    written = std::make_unique<MemoryFile>(platform_xml(request, *sheet));
  }
  for (const auto& [nodes, rows] : at.rows) {
    progress.total += static_cast<std::int64_t>(rows.size());
  }
  Cluster cluster = load_cluster_within(limits, written ? written->path() : at.path);
  LoneTransfers transfers(cluster);
  std::string answer;
  for (const auto& [nodes, rows] : at.rows) {
    for (const std::size_t row : rows) {
      CollectivePrice price;
      try {
        price = price_of(batch.rows[row], transfers, cluster.platform(), limits.time);
      } catch (const InputError& error) {
        price.reason = reason_of(error);
      }
      answer += price.time ? fmt::format("{} {} {} {} {}\n", row, price.time->value,
                                         price.busbw ? price.busbw->value : -1,
                                         price.expected_error.value_or(-1), price.terms)
                           : fmt::format("{} - {}\n", row, price.reason);
      ++progress.done;
    }
  }
  return answer;
}

void take_answer(const std::string& answer, std::vector<CollectivePrice>& prices) {
  std::istringstream lines(answer);
  for (std::size_t row = 0; lines >> row;) {
    CollectivePrice& price = prices[row];
    std::string word;
    lines >> word;
    if (word == "-") {
      lines.get();  // the blank
      std::getline(lines, price.reason);
      continue;
    }
    double busbw = 0;
    double error = 0;
    lines >> busbw >> error >> price.terms;
    if (error >= 0) price.expected_error = error;
    price.time = Seconds{std::stod(word)};
    if (busbw >= 0) price.busbw = BytesPerSecond{busbw};
  }
}

// A cluster that cannot be loaded is the reason of the rows that need all of it; the others get a
// smaller one.
std::vector<BatchCluster> take_answers(const std::vector<BatchCluster>& clusters,
                                       const std::vector<JobResult>& results,
                                       std::vector<CollectivePrice>& prices) {
  std::vector<BatchCluster> again;
  for (std::size_t at = 0; at < clusters.size(); ++at) {
    if (!results[at].refused()) {
      take_answer(results[at].value(), prices);
      continue;
    }
    BatchCluster rest = clusters[at];
    const std::string reason = reason_of(InputError::relayed(results[at].text));
    for (const std::size_t row : rest.rows.at(rest.nodes())) prices[row].reason = reason;
    rest.rows.erase(rest.nodes());
    if (!rest.rows.empty()) again.push_back(rest);
  }
  return again;
}

}  // namespace

std::vector<CollectivePrice> price_collectives(const CollectiveBatch& batch,
                                               const CollectiveBatchOptions& options,
                                               const Limits& limits) {
  std::vector<CollectivePrice> prices(batch.rows.size());
  Clusters sorted(options.devices);
  for (std::size_t row = 0; row < batch.rows.size(); ++row) {
    prices[row].reason = batch.rows[row].reason;
    if (!prices[row].reason.empty()) continue;
    try {
      sorted.add(row, batch.rows[row]);
    } catch (const InputError& error) {
      prices[row].reason = reason_of(error);
    }
  }
  for (std::vector<BatchCluster> clusters = sorted.take(); !clusters.empty();) {
    const int at_once = std::min(usable_cpus(), static_cast<int>(clusters.size()));
    const Limits share{limits.memory / at_once, limits.time};
    SharedCounters counters(clusters.size());
    const ProgressLine progress("pricing", counters, options.quiet);
    std::vector<std::function<std::string()>> jobs;
    jobs.reserve(clusters.size());
    for (std::size_t at = 0; at < clusters.size(); ++at) {
      jobs.emplace_back([&, at] {
        const BatchCluster& cluster = clusters[at];
        const DeviceSheet* const sheet =
            cluster.path.empty() ? &sorted.sheet_of(cluster.request.gpu) : nullptr;
        return price_rows(batch, cluster, sheet, share, counters[at]);
      });
    }
    clusters = take_answers(clusters, run_in_processes(jobs, at_once), prices);
  }
  return prices;
}

std::string price_collective_batch(const CollectiveBatchOptions& options, const Limits& limits) {
  const SourceText source = read_source(options.file, "a table of collectives");
  CollectiveBatch batch = read_collective_batch(source, options.library);
  if (options.engine) {
    CollectiveUse of_engine;
    take_engine(*options.engine, options.engine_folders, of_engine);
    for (CollectiveBatchRow& row : batch.rows) {
      row.use.preferred = of_engine.preferred;
      row.use.more_launch = of_engine.more_launch;
    }
  }
  const std::vector<CollectivePrice> prices = price_collectives(batch, options, limits);
  const std::string none(kTermColumns.size() - 1, ',');
  std::string text = fmt::format("{},{}", batch.names, fmt::join(kAnswerColumns, ","));
  if (options.terms) text += fmt::format(",{}", fmt::join(kTermColumns, ","));
  text += "\n";
  for (std::size_t row = 0; row < prices.size(); ++row) {
    const CollectivePrice& price = prices[row];
    text += fmt::format("{},{},{},{},{}", batch.rows[row].line,
                        price.time ? fmt::format("{:.9g}", price.time->value) : "",
                        price.busbw ? fmt::format("{:.6g}", price.busbw->value / 1e9) : "",
                        price.expected_error ? fmt::format("{}", *price.expected_error) : "",
                        csv_text(price.reason));
    if (options.terms) text += "," + (price.time ? price.terms : none);
    text += "\n";
  }
  return text;
}

}  // namespace rehearse
