// A collective library: which algorithms it has for an operation, with which protocols, and which
// of them it takes for a size. Adding one: a file in libraries/, a line in libraries/table.cpp.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectives/collective_algorithm.hpp"
#include "platform/platform.hpp"

namespace rehearse {

// What a library may know of the group that calls it.
struct GroupMachine {
  GroupShape shape;
  const Device* device = nullptr;  // of its members; of several kinds, of the first
  BytesPerSecond inside;  // out of a member into its domain, one way, at the links' rates; 0: alone
  BytesPerSecond across;  // out of all members of a domain to another; 0: there is none
  int servers = 1;        // domains; members without one are alone
  int smallest_server = 1;  // members of the domain that has the fewest
  int largest_server = 1;
  bool bridged = false;  // the domains are pairs of cards in one server, joined by bridges
  int members() const { return shape.size(); }
};

// One way of running an operation.
struct CollectiveWay {
  const CollectiveAlgorithm* algorithm = nullptr;
  std::string_view protocol;  // "ll", "ll128", "simple"; empty: it has no such choice
  ProtocolCosts costs;
  int channels = 0;  // GroupShape::channels
  std::string row;   // of the measured costs: "nccl.ring.ll"; empty: none
};

// A library's communicator: what it has found out about one machine, which outlives it.
class Communicator {
 public:
  virtual ~Communicator() = default;
  // All that it has for the operation. Never empty.
  virtual std::vector<CollectiveWay> ways(CollectiveOp op) const = 0;
  // Which of `ways` (some of those above) it takes for a largest send buffer of `bytes`; `fan_out`
  // of an all_to_all. Nothing: the fastest predicted.
  virtual std::optional<std::size_t> choose(CollectiveOp op, std::span<const CollectiveWay> ways,
                                            Bytes bytes, const FanOut& fan_out) const = 0;
  // What a message from one GPU to another costs, beside its route.
  virtual ProtocolCosts message() const = 0;
  // Compute units (SMs, CUs) of a member that its kernel holds from its launch to its end, with a
  // largest send buffer of `bytes`: what operators beside it have to do without. None where copy
  // engines or the network's own processors do the work, and where nothing is known.
  virtual int held_units(CollectiveOp /*op*/, const CollectiveWay& /*way*/, Bytes /*bytes*/) const {
    return 0;
  }
};

struct CollectiveLibrary {
  std::string_view name;
  std::string_view meaning;  // a sentence, for --help and messages
  // Why it does not run on this machine ("needs GPUs of NVIDIA, these are mi300x"); empty: it does.
  std::string (*refusal)(const GroupMachine& machine) = nullptr;
  std::unique_ptr<Communicator> (*communicator)(const GroupMachine& machine) = nullptr;
};

std::span<const CollectiveLibrary* const> collective_libraries();
const CollectiveLibrary* library_named(std::string_view name);  // nullptr: there is none
std::string names_of_libraries();                               // "textbook nccl ..."
// Throws std::invalid_argument with the names that are known.
const CollectiveLibrary& known_library(const std::string& name);
// CollectiveWay::protocol, of all libraries.
constexpr std::array<std::string_view, 3> kProtocols = {"ll", "ll128", "simple"};
// The same; throws as known_library.
std::string known_protocol(const std::string& name);
// Throws std::invalid_argument: a time as written, 0s to 1s.
Seconds known_launch(const std::string& text);
// What a call takes more where the host starts it by itself (CollectiveUse::by_call); 0: nothing is
// known of it, or the library is one in CUDA graphs.
Seconds host_launch(const CollectiveLibrary& library, const Device& device);
// Every algorithm of the table at the links' own rates; of several, the fastest predicted.
const CollectiveLibrary& textbook_library();

// What a run says of its collectives.
struct CollectiveUse {
  const CollectiveLibrary* library = nullptr;  // nullptr: the preferred one, or the vendor's
  // An engine's, on GPUs where it runs. nullptr: it prefers none.
  const CollectiveLibrary* preferred = nullptr;
  std::array<const CollectiveAlgorithm*, kCollectiveOps> algorithms{};  // nullptr: its own choice
  std::string protocol;                                                 // empty: its own choice
  int channels = 0;                                                     // 0: its own choice
  std::optional<Seconds> launch;                                        // in place of the library's
  Seconds more_launch;   // what an engine adds to the library's
  bool by_call = false;  // a host starts each call by itself, as nccl-tests does; in a plan they
                         // are queued ahead of the GPU

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees a comparison with a literal 0
  std::partial_ordering operator<=>(const CollectiveUse&) const = default;
  bool operator==(const CollectiveUse&) const = default;
};

// The one that a group runs by whose GPUs are of this kind.
const CollectiveLibrary& library_of(const CollectiveUse& use, const Device& device);

// The ways that are left of the communicator's when the run names an algorithm, a protocol or
// channels. An algorithm that the library lacks runs with the costs of its first way. Never empty.
std::vector<CollectiveWay> ways_of(const CollectiveUse& use, CollectiveOp op,
                                   const Communicator& communicator);

}  // namespace rehearse
