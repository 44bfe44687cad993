// Libraries beside NCCL and RCCL: which algorithm each takes on machines as they are sold, what it
// costs, and what it refuses. Loops go over the table of libraries, so that one added there is held
// to it too.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectives/libraries/engine_kernels.hpp"
#include "collectives/libraries/measured_costs.hpp"
#include "collectives/library.hpp"

namespace rehearse {
namespace {

// A kind of server, and how many of them.
struct Kind {
  std::string_view vendor, architecture;
  ScaleUpTopology scale_up;
  double inside, nic;  // GB/s of a GPU, one way
};
constexpr Kind kA100 = {"nvidia", "ampere", ScaleUpTopology::kSwitch, 300, 25};
constexpr Kind kH100 = {"nvidia", "hopper", ScaleUpTopology::kSwitch, 450, 50};
constexpr Kind kB200 = {"nvidia", "blackwell", ScaleUpTopology::kSwitch, 900, 50};
constexpr Kind kB300 = {"nvidia", "blackwell-ultra", ScaleUpTopology::kSwitch, 900, 100};
constexpr Kind kL40s = {"nvidia", "ada", ScaleUpTopology::kPcie, 32, 50};
constexpr Kind kMi300 = {"amd", "cdna3", ScaleUpTopology::kMesh, 448, 50};
constexpr Kind kGaudi = {"intel", "gaudi3", ScaleUpTopology::kMesh, 525, 75};
constexpr Kind kTpuV5e = {"google", "tpu-v5e", ScaleUpTopology::kTorus, 200, 0};

// `device` is what the machine points to.
GroupMachine machine_of(const Kind& kind, int servers, int members, Device& device) {
  device = {};
  device.vendor = kind.vendor;
  device.architecture = kind.architecture;
  device.scale_up = kind.scale_up;
  GroupMachine machine;
  machine.device = &device;
  for (int member = 0; member < servers * members; ++member) {
    machine.shape.domain.push_back(member / members);
  }
  machine.shape.mesh = kind.scale_up == ScaleUpTopology::kMesh && members > 2;
  if (kind.scale_up == ScaleUpTopology::kTorus) machine.shape.torus = {{members}};
  const bool mesh = kind.scale_up == ScaleUpTopology::kMesh;
  if (members > 1) machine.inside = {kind.inside * 1e9 * (mesh ? (members - 1) / 7.0 : 1)};
  if (servers > 1) machine.across = {kind.nic * 1e9 * members};
  machine.servers = servers;
  machine.smallest_server = members;
  machine.largest_server = members;
  return machine;
}

// "one_shot", or "ring.ll128": what the library takes.
std::string choice(std::string_view library, const Kind& kind, int servers, int members,
                   CollectiveOp op, Bytes bytes) {
  Device device;
  const GroupMachine machine = machine_of(kind, servers, members, device);
  const auto communicator = library_named(library)->communicator(machine);
  const std::vector<CollectiveWay> ways = communicator->ways(op);
  const std::optional<std::size_t> chosen = communicator->choose(op, ways, bytes, {});
  if (!chosen) return "fastest";
  std::string name(ways[*chosen].algorithm->name);
  if (!ways[*chosen].protocol.empty()) name += "." + std::string(ways[*chosen].protocol);
  return name;
}

std::string all_reduce(std::string_view library, const Kind& kind, int members, Bytes bytes) {
  return choice(library, kind, 1, members, CollectiveOp::kAllReduce, bytes);
}

// SMs or CUs that the chosen way holds.
int held(std::string_view library, const Kind& kind, int servers, int members, CollectiveOp op,
         Bytes bytes) {
  Device device;
  const GroupMachine machine = machine_of(kind, servers, members, device);
  const auto communicator = library_named(library)->communicator(machine);
  const std::vector<CollectiveWay> ways = communicator->ways(op);
  const auto chosen = communicator->choose(op, ways, bytes, {});
  return communicator->held_units(op, ways[chosen.value_or(0)], bytes);
}

void expect_ways_serve(const Communicator& communicator, const GroupMachine& machine,
                       CollectiveOp op) {
  const auto ways = communicator.ways(op);
  ASSERT_FALSE(ways.empty());
  for (const CollectiveWay& way : ways) {
    ASSERT_NE(way.algorithm, nullptr);
    GroupShape shape = machine.shape;
    shape.channels = way.channels;
    EXPECT_EQ(way.algorithm->refusal(shape), "") << way.algorithm->name;
    EXPECT_TRUE(way.costs.inside > 0 && way.costs.inside <= 1) << way.row;
    EXPECT_TRUE(way.costs.across > 0 && way.costs.across <= 1) << way.row;
  }
  for (double bytes = 1; bytes < 1e11; bytes *= 4) {
    const auto chosen = communicator.choose(op, ways, Bytes{bytes}, {});
    EXPECT_TRUE(!chosen || *chosen < ways.size()) << bytes;
    const int units = communicator.held_units(op, ways[chosen.value_or(0)], Bytes{bytes});
    EXPECT_TRUE(units >= 0 && units <= 64) << bytes;  // NCCL's MAXCHANNELS
  }
}

// False: it does not run there.
bool expect_serves(const CollectiveLibrary& library, const Kind& kind, int servers, int members) {
  if (servers * members < 2) return false;
  if (servers > 1 && kind.scale_up == ScaleUpTopology::kTorus) return false;
  Device device;
  const GroupMachine machine = machine_of(kind, servers, members, device);
  if (!library.refusal(machine).empty()) return false;
  SCOPED_TRACE(std::string(library.name) + " on " + std::string(kind.architecture) + ": " +
               std::to_string(servers) + " x " + std::to_string(members));
  const auto communicator = library.communicator(machine);
  for (int op = 0; op < kCollectiveOps; ++op) {
    expect_ways_serve(*communicator, machine, static_cast<CollectiveOp>(op));
  }
  return true;
}

// A user counted 24 blocks of a ring on 8 H100 (NVIDIA forum 337991). NVLS has 16 of Hopper
// (transport/nvls.cc), a ring of LL a channel for each 512 x 8 x 8 bytes. Between servers 8 rings,
// one per NIC, are 16 channels.
TEST(CollectiveLibraries, HoldAUnitForEachBlockOfTheirKernels) {
  const auto all_reduce = CollectiveOp::kAllReduce;
  const auto all_to_all = CollectiveOp::kAllToAll;
  const Bytes gigabyte{1e9};
  EXPECT_EQ(held("nccl", kH100, 1, 8, all_reduce, gigabyte), 16);
  EXPECT_EQ(held("nccl", kH100, 1, 8, all_reduce, kib(64)), 2);
  EXPECT_EQ(held("nccl", kH100, 1, 8, all_reduce, kib(8)), 1);
  EXPECT_EQ(held("nccl", kA100, 1, 8, all_reduce, gigabyte), 24);
  EXPECT_EQ(held("nccl", kA100, 1, 8, CollectiveOp::kAllGather, gigabyte), 24);
  EXPECT_EQ(held("nccl", kH100, 2, 8, CollectiveOp::kAllGather, gigabyte), 16);
  EXPECT_EQ(held("nccl", kH100, 1, 8, all_to_all, gigabyte), 32);  // 24, rounded up
  EXPECT_EQ(held("nccl", kH100, 2, 8, all_to_all, gigabyte), 16);
  EXPECT_EQ(held("deepep_normal", kH100, 2, 8, all_to_all, gigabyte), 20);
  EXPECT_EQ(held("deepep_normal", kH100, 2, 8, CollectiveOp::kAllGather, gigabyte), 16);
  EXPECT_EQ(held("deepep_low_latency", kH100, 2, 8, all_to_all, gigabyte), 0);
  EXPECT_EQ(held("vllm", kH100, 1, 8, all_reduce, kib(64)), 36);
  EXPECT_EQ(held("vllm", kH100, 1, 8, all_reduce, gigabyte), 16);
  EXPECT_EQ(held("textbook", kH100, 1, 8, all_reduce, gigabyte), 0);
  EXPECT_EQ(held("hccl", kGaudi, 1, 8, all_reduce, gigabyte), 0);
}

TEST(CollectiveLibraries, NameAlgorithmsThatServeTheirGroupsAtSharesOfTheLinks) {
  for (const CollectiveLibrary* library : collective_libraries()) {
    int served = 0;
    for (const Kind& kind : {kA100, kH100, kB200, kB300, kL40s, kMi300, kGaudi, kTpuV5e}) {
      for (const int servers : {1, 2, 3, 4}) {
        for (const int members : {1, 2, 3, 4, 6, 8}) {
          if (expect_serves(*library, kind, servers, members)) ++served;
        }
      }
    }
    EXPECT_GT(served, 0) << library->name;
  }
}

TEST(CollectiveLibraries, RunOnGpusOfTheirVendor) {
  Device device;
  const GroupMachine gaudi = machine_of(kGaudi, 1, 8, device);
  for (const CollectiveLibrary* library : collective_libraries()) {
    const bool runs = library->name == "textbook" || library->name == "hccl";
    EXPECT_EQ(library->refusal(gaudi).empty(), runs) << library->name;
  }
  EXPECT_EQ(library_named("vllm")->refusal(gaudi), "needs GPUs of nvidia, these are of intel");
  EXPECT_EQ(library_named("tpu")->refusal(gaudi),
            "needs accelerators of google, these are of intel");
  device.vendor.clear();  // a file that does not say
  EXPECT_EQ(library_named("vllm")->refusal(gaudi), "");
}

TEST(Engines, TakeTheirKernelsAtTheirLimits) {
  const Bytes small = kib(8);
  for (const std::string_view engine : {"vllm", "sglang", "tensorrt_llm"}) {
    for (const Kind& kind : {kA100, kH100, kB200}) {
      for (const int members : {2, 4, 8}) {
        EXPECT_EQ(all_reduce(engine, kind, members, small), "one_shot") << engine << members;
      }
    }
  }
  for (const std::string_view engine : {"vllm", "sglang"}) {
    EXPECT_EQ(all_reduce(engine, kH100, 4, below(kib(512))), "one_shot");
    EXPECT_EQ(all_reduce(engine, kH100, 4, kib(512)), "two_shot");
    EXPECT_EQ(all_reduce(engine, kA100, 8, below(kib(256))), "one_shot");
    EXPECT_EQ(all_reduce(engine, kA100, 8, kib(256)), "two_shot");
    EXPECT_EQ(all_reduce(engine, kA100, 2, mib(4)), "one_shot");  // of two there is but one
  }
  EXPECT_EQ(all_reduce("vllm", kH100, 8, kib(256)), "in_switch");
  EXPECT_EQ(all_reduce("vllm", kH100, 8, mib(64)), "in_switch");
  EXPECT_EQ(all_reduce("vllm", kH100, 2, mib(8)), "two_shot");  // symmetric memory
  EXPECT_EQ(all_reduce("vllm", kB300, 4, mib(3)), "two_shot");
  EXPECT_EQ(all_reduce("tensorrt_llm", kH100, 8, kib(256)), "one_shot");
  EXPECT_EQ(all_reduce("tensorrt_llm", kH100, 8, kib(512)), "two_shot");
}

TEST(Engines, LeaveTheRestToNccl) {
  const auto as_nccl = [](std::string_view engine, const Kind& kind, int servers, int members,
                          CollectiveOp op, Bytes bytes) {
    EXPECT_EQ(choice(engine, kind, servers, members, op, bytes),
              choice("nccl", kind, servers, members, op, bytes))
        << engine << " " << to_text(op) << " " << bytes.value;
  };
  constexpr auto kAllReduce = CollectiveOp::kAllReduce;
  as_nccl("vllm", kA100, 1, 8, kAllReduce, mib(8));  // its limit is excluded
  as_nccl("sglang", kA100, 1, 8, kAllReduce, mib(9));
  as_nccl("sglang", kH100, 1, 8, kAllReduce, mib(17));
  as_nccl("vllm", kH100, 1, 8, kAllReduce, mib(65));
  as_nccl("tensorrt_llm", kH100, 1, 8, kAllReduce, mib(1));
  for (const std::string_view engine : {"vllm", "sglang", "tensorrt_llm"}) {
    as_nccl(engine, kH100, 2, 8, kAllReduce, kib(8));                // over servers
    as_nccl(engine, kL40s, 1, 4, kAllReduce, kib(8));                // over PCIe
    as_nccl(engine, kH100, 1, 3, kAllReduce, kib(8));                // of three
    as_nccl(engine, kH100, 1, 8, CollectiveOp::kAllGather, kib(8));  // another operation
    as_nccl(engine, kH100, 1, 8, CollectiveOp::kAllToAll, kib(8));
  }
  EXPECT_EQ(all_reduce("vllm", kL40s, 2, kib(8)), "one_shot");  // two cards reach each other
}

TEST(Engines, ChooseAmongTheWaysThatAreLeft) {
  // A run that names the ring has NCCL's protocols of it left, whatever the engine would take.
  Device device;
  const GroupMachine machine = machine_of(kH100, 1, 8, device);
  const auto communicator = library_named("vllm")->communicator(machine);
  CollectiveUse use;
  use.library = library_named("vllm");
  use.algorithms[static_cast<int>(CollectiveOp::kAllReduce)] =
      algorithm_named(CollectiveOp::kAllReduce, "ring");
  const auto ways = ways_of(use, CollectiveOp::kAllReduce, *communicator);
  ASSERT_GT(ways.size(), 1U);
  const auto chosen = communicator->choose(CollectiveOp::kAllReduce, ways, kib(8), {});
  ASSERT_TRUE(chosen);
  EXPECT_EQ(ways[*chosen].algorithm->name, "ring");
}

TEST(Hccl, GoesDirectInAServerAndHierarchicalBetween) {
  const auto of = [](int servers, int members, CollectiveOp op) {
    return choice("hccl", kGaudi, servers, members, op, mib(1));
  };
  EXPECT_EQ(of(1, 8, CollectiveOp::kAllReduce), "two_shot");
  EXPECT_EQ(of(1, 8, CollectiveOp::kAllGather), "direct");
  EXPECT_EQ(of(1, 8, CollectiveOp::kReduceScatter), "direct");
  EXPECT_EQ(of(4, 8, CollectiveOp::kAllReduce), "hierarchical");
  EXPECT_EQ(of(4, 1, CollectiveOp::kAllReduce), "ring");
  EXPECT_EQ(of(4, 8, CollectiveOp::kAllGather), "ring");
}

TEST(Tpu, UsesTheTorusThatItsMembersFill) {
  EXPECT_EQ(choice("tpu", kTpuV5e, 1, 8, CollectiveOp::kAllReduce, mib(1)), "torus");
  Device device;
  GroupMachine machine = machine_of(kTpuV5e, 1, 8, device);
  machine.shape.torus.clear();
  const auto communicator = library_named("tpu")->communicator(machine);
  EXPECT_EQ(communicator->ways(CollectiveOp::kAllReduce).front().algorithm->name, "ring");
  EXPECT_EQ(communicator->ways(CollectiveOp::kAllToAll).front().algorithm->name, "direct");
}

// 256 experts on 16 GPUs of 2 servers, 8 for a token: C(240, 8) / C(256, 8) of the tokens have none
// on a GPU, C(128, 8) / C(256, 8) none on a server.
TEST(DeepEp, SendsATokenOncePerGpuAndServer) {
  const FanOut fan_out = {8, 256, false};
  constexpr double kOfGpu = 0.407704971;
  constexpr double kOfServer = 0.996510058;
  GroupShape shape;
  for (int member = 0; member < 16; ++member) shape.domain.push_back(member / 8);
  constexpr double kTokens = 1000;
  const std::vector<Bytes> copies(16, Bytes{8 * kTokens});
  Buffers buffers(copies);
  buffers.fan_out = fan_out;
  const auto* const algorithm = algorithm_named(CollectiveOp::kAllToAll, "rank_aware");
  double across = 0;
  double inside = 0;
  const Schedule schedule = algorithm->schedule(shape, buffers);
  for (const MemberMessage& message : schedule.front().messages) {
    if (message.from != 3) continue;
    (message.to < 8 ? inside : across) += message.bytes.value;
    EXPECT_TRUE(message.to < 8 || message.to == 11) << message.to;  // on its rail
  }
  EXPECT_NEAR(across, kTokens * kOfServer, 1e-3);
  // Its own tokens to 7, and to 7 those that come from the other server; GPU 3 keeps its own.
  EXPECT_NEAR(inside, kTokens * kOfGpu * 14, 1e-2);
}

TEST(DeepEp, KnowsThereFromBack) {
  Device device;
  const GroupMachine machine = machine_of(kH100, 2, 8, device);
  for (const std::string_view name : {"deepep_normal", "deepep_low_latency"}) {
    const auto communicator = library_named(name)->communicator(machine);
    const auto ways = communicator->ways(CollectiveOp::kAllToAll);
    const auto chosen = [&](bool back) {
      return ways[*communicator->choose(CollectiveOp::kAllToAll, ways, mib(1), {8, 256, back})];
    };
    EXPECT_TRUE(chosen(false).row.ends_with(".dispatch")) << chosen(false).row;
    EXPECT_TRUE(chosen(true).row.ends_with(".combine")) << chosen(true).row;
    const bool normal = name == "deepep_normal";
    EXPECT_EQ(chosen(false).algorithm->name, normal ? "rank_aware" : "direct");
    EXPECT_EQ(choice(name, kH100, 2, 8, CollectiveOp::kAllReduce, mib(1)),
              choice("nccl", kH100, 2, 8, CollectiveOp::kAllReduce, mib(1)));
  }
}

TEST(HostLaunch, IsOfCallsThatNoGraphHolds) {
  const Device device;
  EXPECT_GT(host_launch(*library_named("nccl"), device).value, 10e-6);
  EXPECT_EQ(host_launch(*library_named("nccl_graphs"), device).value, 0);
  EXPECT_EQ(host_launch(*library_named("vllm"), device).value, 0);
}

// An engine's library where nobody names one: on GPUs of its vendor; elsewhere that vendor's own.
TEST(Libraries, OfAnEngineAreTakenWhereTheyRun) {
  Device nvidia;
  nvidia.vendor = "nvidia";
  Device amd;
  amd.vendor = "amd";
  CollectiveUse use;
  use.preferred = library_named("vllm");
  EXPECT_EQ(library_of(use, nvidia).name, "vllm");
  EXPECT_EQ(library_of(use, amd).name, "rccl");
  use.library = library_named("textbook");
  EXPECT_EQ(library_of(use, nvidia).name, "textbook");
}

}  // namespace
}  // namespace rehearse
