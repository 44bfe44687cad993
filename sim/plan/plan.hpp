// A deployment plan as its author wrote it: which model on which platform, laid out how, serving
// what. Plain data.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/units.hpp"
#include "plan/layout.hpp"
#include "plan/serve.hpp"
#include "platform/engine_times.hpp"
#include "platform/gpus_at.hpp"

namespace rehearse {

enum class NetworkLevelName { kFluid, kExact, kSimgrid, kAnalytic };

// Prompts that are not all alike (layout/request_lengths.hpp).
enum class RequestOrder : std::uint8_t { kFirstCome, kBucketed };
struct PromptLengths {
  bool given = false;
  double variation = 0;  // lognormal: standard deviation over the mean, batch.prompt_tokens
  std::string file = {};
  std::vector<int> of_file = {};  // instead of drawn ones: at least as many as requests
  RequestOrder order = RequestOrder::kFirstCome;
  bool padded = false;  // a prefill micro-batch computes every prompt as long as its longest
};

// One batch of requests, all there at time 0; equal ones unless lengths are given.
struct Batch {
  int sequences = 1;
  int prompt_tokens = 1;
  int output_tokens = 1;
  int micro_batches = 1;  // prefill: each data-parallel replica cuts its sequences into this many
  bool default_passes = false;  // not written: layout/prefill_passes.hpp chose the number
  int decode_micro_batches =
      0;  // 0: the pipeline degree (keeps every stage busy with the fewest weight reads)
  PromptLengths lengths = {};
};

// The software that a plan runs on (profiles/engine_profile.hpp): what it adds to times, and what
// it does where the plan says nothing.
struct PlanEngine {
  std::string name;  // empty: none, which adds nothing
  std::string path;  // of its file; empty: it has not been looked up
  EngineTimes times;
  std::string
      library;  // where the plan names none, on GPUs where it runs; empty: that of the vendor
  // Where the plan says none.
  std::optional<double> memory_fraction;
  std::optional<Bytes> communication_buffers;
  std::string assumption;  // a sentence
};

// The share of a layer's (token, expert) copies that an expert gets from an iteration on.
struct LoadTableRow {
  int iteration = 0;
  int layer = 0;
  int expert = 0;
  double share = 0;
  int line = 0;  // in the file
};

// How tokens choose their experts (routing/token_routing.hpp). Which numbers count depends on the
// model.
struct Routing {
  std::string model = "uniform";
  std::vector<std::string> given = {};  // which of the following are written: "exponent"
  double exponent = 1;                  // zipf, power_law
  double range = 1000;                  // power_law: largest over smallest load
  double concentration = 1;             // dirichlet
  double gini = 0.24;                   // gini
  std::string table_path = {};          // table
  std::vector<LoadTableRow> table = {};
  int drift_iterations = 0;  // popularity is dealt anew within so many iterations; 0: never
};

// How many tokens an expert accepts.
enum class CapacityPolicy : std::uint8_t { kDrop, kReroute, kPad };
struct Capacity {
  bool limited = false;  // false: an expert accepts all that come
  CapacityPolicy policy = CapacityPolicy::kDrop;
  double factor = 1;     // capacity / fair share; when adaptive, the one before there is a history
  double threshold = 1;  // copies above this part of the capacity are refused
  bool adaptive = false;
  double min_factor = 0.5;  // adaptive: bounds of the factor
  double max_factor = 1;
  int adapt_every = 50;  // iterations
};

// Which ranks of an expert group hold which experts.
enum class PlacementPolicy : std::uint8_t { kContiguous, kRoundRobin, kGreedy, kHierarchical };
const char* to_text(PlacementPolicy policy);  // "contiguous", "round_robin", ...
struct ExpertPlacementChoice {
  PlacementPolicy policy = PlacementPolicy::kContiguous;
  int redundant_experts = 0;  // copies per layer beyond one of each expert
  int rebalance_every = 0;    // iterations; 0: never
};

// Which library a plan's collectives run by, and what the plan takes out of its hands.
struct LibraryChoice {
  std::string library;   // a name of collectives/library.hpp; empty: that of the vendor
  std::string protocol;  // "ll", "ll128", "simple"; empty: the library's choice
  int channels = 0;      // 0: the library's choice
  std::string launch;    // in place of the library's: "5us"; empty: the library's
};

struct Plan {
  std::string name;
  std::string variant;                  // empty when the plan has none
  std::string model_path;               // resolved: openable from the working directory
  std::vector<std::string> model_sets;  // FIELD=VALUE overrides of the model's own fields
                                        // ("moe.top_k=1"): for read_model
  std::string platform_path;
  std::vector<GpusAt> gpus_at;  // GPUs among the hosts of a platform file that has none
  Layout layout;
  Batch batch;                 // means nothing where there is `serve`
  std::optional<Serve> serve;  // instead of a batch
  PlanEngine engine;
  Bytes communication_buffers;                // per GPU, what the communication library reserves
  bool default_communication_buffers = true;  // not written
  double memory_fraction = 0.90;        // of a GPU's memory that the plan may use (memory_rule.hpp)
  bool default_memory_fraction = true;  // not written
  std::map<std::string, std::string>
      collectives;  // operation to algorithm; one not there: automatic
  LibraryChoice library;
  Routing routing;
  Capacity capacity;
  ExpertPlacementChoice placement;
  NetworkLevelName network = NetworkLevelName::kFluid;
  unsigned long long seed = 0;
  std::string claims_path;  // resolved; empty: the plan names no claims
  // Platforms whose resolved path is absolute only because that of the plan is: as the plan names
  // them. Results show that, so that they do not depend on where the files lie.
  std::map<std::string, std::string> written_platforms;
  std::vector<std::string> variants;  // that its file defines
  // What a search considers: the values of the fields of its message, as written.
  std::map<std::string, std::vector<std::string>> search;
  FieldLocations where;
};

}  // namespace rehearse
