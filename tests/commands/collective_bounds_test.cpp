// No collective is faster than what its machine can carry, whatever library, algorithm and
// protocol: bounds from what each operation has to move out of a GPU and out of a server, from the
// device file's own numbers.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "catalog/device_catalog.hpp"
#include "commands/collective_batch.hpp"

namespace rehearse {
namespace {

constexpr CollectiveOp kOps[] = {CollectiveOp::kAllReduce,     CollectiveOp::kAllGather,
                                 CollectiveOp::kReduceScatter, CollectiveOp::kAllToAll,
                                 CollectiveOp::kBroadcast,     CollectiveOp::kReduce};

struct Machine {
  std::string gpu;
  int servers = 1;
  int per_server = 8;
};

CollectiveBatchRow row_of(const Machine& machine, CollectiveOp op, double size) {
  CollectiveBatchRow row;
  row.op = op;
  row.gpu = machine.gpu;
  row.ranks = machine.servers * machine.per_server;
  row.ranks_per_node = machine.per_server;
  row.size = Bytes{size};
  return row;
}

std::vector<CollectivePrice> prices_of(const std::vector<CollectiveBatchRow>& rows) {
  CollectiveBatch batch;
  batch.rows = rows;
  return price_collectives(batch, {}, {Bytes{8e9}, Seconds{60}});
}

// busbw at most, when every NIC of a server and every port of a GPU is full all the time. With n
// ranks in N servers of g: an all_reduce takes 2 (N-1)/N of the buffer out of each server and (1 +
// 1/n), where a switch adds, or 2 (n-1)/n out of each GPU; gathering and scattering half of the
// first; an all_to_all g (n-g)/n buffers; a broadcast one buffer.
double most_busbw(const Machine& machine, CollectiveOp op, const DeviceSheet& sheet) {
  const double n = machine.servers * machine.per_server;
  const double servers = machine.servers;
  double bound = std::numeric_limits<double>::infinity();
  if (machine.per_server > 1) {
    const double port = sheet.scale_up_bandwidth().value;
    const bool adds = op == CollectiveOp::kAllReduce && sheet.topology == ScaleUpTopology::kSwitch;
    bound = adds ? std::max(1.0, 2 * (n - 1) / (n + 1)) * port : port;
    // With several servers some hops of a ring are the network's.
    if (machine.servers > 1) bound *= n / (n - servers);
  }
  if (machine.servers == 1) return bound;
  // A GPU has at least its share of a NIC, rounded up to a whole one.
  const int shared_by =
      std::max(1, sheet.count(FigureId::kServerGpus) / sheet.count(FigureId::kServerNics));
  const int of_each =
      std::max(1, sheet.count(FigureId::kServerNics) / sheet.count(FigureId::kServerGpus));
  const int count = (machine.per_server + shared_by - 1) / shared_by * of_each;
  const double nics = sheet.at(FigureId::kServerNicBandwidth).value * count;
  double across = nics;  // broadcast, reduce
  if (op == CollectiveOp::kAllToAll) {
    across = nics / machine.per_server * n / (n - machine.per_server) * (n - 1) / n;
  } else if (op != CollectiveOp::kBroadcast && op != CollectiveOp::kReduce) {
    across = nics * servers / (servers - 1) * (n - 1) / n;
  }
  return std::min(bound, across);
}

TEST(CollectiveBounds, NoBusbwIsAboveWhatNicsAndPortsCarry) {
  const DeviceCatalog catalog;
  std::vector<CollectiveBatchRow> rows;
  std::vector<double> bounds;
  for (const char* gpu :
       {"v100", "a100", "a800", "h100", "h200", "h20", "b200", "mi300x", "gaudi3"}) {
    const DeviceSheet sheet = catalog.find(gpu);
    for (const int servers : {1, 2, 3, 4, 8}) {
      for (const int per_server : {1, 2, 4, 8}) {
        const Machine machine{gpu, servers, per_server};
        if (servers * per_server < 2) continue;
        for (const CollectiveOp op : kOps) {
          for (const double size : {65536.0, 16e6, 1e9, 16e9}) {
            rows.push_back(row_of(machine, op, size));
            bounds.push_back(most_busbw(machine, op, sheet));
          }
        }
      }
    }
  }
  const std::vector<CollectivePrice> prices = prices_of(rows);
  int priced = 0;
  for (std::size_t at = 0; at < rows.size(); ++at) {
    const CollectiveBatchRow& row = rows[at];
    if (!prices[at].busbw) continue;
    ++priced;
    EXPECT_LE(prices[at].busbw->value, bounds[at] * (1 + 1e-9))
        << to_text(row.op) << " of " << row.size.value << " over " << row.ranks << " " << row.gpu
        << ", " << *row.ranks_per_node << " a server: " << prices[at].terms;
  }
  EXPECT_GT(priced, 9 * static_cast<int>(rows.size()) / 10);
}

// `algorithm`: nullptr, the library's own choice.
void expect_no_faster_over_more_servers(const char* gpu, double size,
                                        const CollectiveAlgorithm* algorithm) {
  std::vector<CollectiveBatchRow> rows;
  for (const int servers : {2, 3, 4, 8, 16}) {
    rows.push_back(row_of({gpu, servers, 8}, CollectiveOp::kAllReduce, size));
    rows.back().use.algorithms[static_cast<int>(CollectiveOp::kAllReduce)] = algorithm;
  }
  const std::vector<CollectivePrice> prices = prices_of(rows);
  for (std::size_t at = 1; at < rows.size(); ++at) {
    ASSERT_TRUE(prices[at].busbw) << prices[at].reason;
    EXPECT_LE(prices[at].busbw->value, prices[at - 1].busbw->value * 1.02)
        << gpu << " " << size << " over " << rows[at].ranks;
  }
}

// Where the wires decide. For smaller sizes the library may choose the slower way over fewer
// servers.
TEST(CollectiveBounds, AnAllReduceIsNoFasterOverMoreServers) {
  for (const char* gpu : {"a100", "h100", "b200", "mi300x"}) {
    for (const double size : {8e9, 16e9}) expect_no_faster_over_more_servers(gpu, size, nullptr);
  }
}

// Any size, where it is no choice: NCCL takes a ring of 1 GB over 3 servers of H100 and NVLSTree
// over 4, by its own model of the time (45.5 GB/s for a channel of NVLSTree between more than two
// servers, 48 for a ring's). A tree within NVLink's rate rises with (n - 1) / n, as its bound does.
TEST(CollectiveBounds, AnAllReduceOfANamedAlgorithmIsNoFasterOverMoreServers) {
  for (const char* name : {"ring", "in_switch_tree"}) {
    for (const double size : {64e6, 256e6, 1e9, 8e9}) {
      SCOPED_TRACE(name);
      expect_no_faster_over_more_servers("h100", size,
                                         algorithm_named(CollectiveOp::kAllReduce, name));
    }
  }
}

TEST(CollectiveBounds, AMeshIsNoSlowerWithMoreGpus) {
  for (const char* gpu : {"mi300x", "gaudi3"}) {
    std::vector<CollectiveBatchRow> rows;
    for (const int gpus : {2, 4, 8}) {
      rows.push_back(row_of({gpu, 1, gpus}, CollectiveOp::kAllReduce, 1e9));
    }
    const std::vector<CollectivePrice> prices = prices_of(rows);
    for (std::size_t at = 1; at < rows.size(); ++at) {
      EXPECT_GT(prices[at].busbw->value, prices[at - 1].busbw->value) << gpu << " " << at;
    }
  }
}

TEST(CollectiveBounds, GatheringAndScatteringCostAnAllReduce) {
  for (const int servers : {1, 2, 4, 8, 32}) {
    std::vector<CollectiveBatchRow> rows;
    for (const CollectiveOp op :
         {CollectiveOp::kAllGather, CollectiveOp::kReduceScatter, CollectiveOp::kAllReduce}) {
      rows.push_back(row_of({"h100", servers, 8}, op, 1e9));
    }
    std::vector<CollectiveBatchRow> rings = rows;
    for (CollectiveBatchRow& row : rings) {
      row.use.algorithms[static_cast<int>(row.op)] = algorithm_named(row.op, "ring");
    }
    const auto both_over_all = [](const std::vector<CollectivePrice>& prices) {
      return (*prices[0].time + *prices[1].time) / *prices[2].time;
    };
    EXPECT_NEAR(both_over_all(prices_of(rings)), 1, 0.10) << servers << " servers, ring";
    // Under the library's own choice a tree saves the rounds that a ring of 256 needs: published
    // is 1.7 at 2 GiB over 32 servers (all_gather 200 GB/s, all_reduce 340: nccl issue 1218).
    if (servers < 4) continue;
    EXPECT_NEAR(both_over_all(prices_of(rows)), 1, servers < 32 ? 0.30 : 0.45) << servers;
  }
}

}  // namespace
}  // namespace rehearse
