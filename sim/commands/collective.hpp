// `rehearse collective`: what is typed, as a request, and its table as nccl-tests prints it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "commands/collective_sizes.hpp"
#include "simulation/collective_run.hpp"
#include "simulation/limits.hpp"

namespace rehearse {

struct CollectiveOptions {
  std::string platform;
  std::vector<GpusAt> gpus_at;
  std::string op = "all_reduce";
  std::optional<std::string> bytes;
  NcclTestsSizes nccl_tests;
  std::string algorithm = "auto";
  std::optional<std::string> library;  // absent: that of the GPUs' vendor
  std::optional<std::string> engine;   // absent: none
  std::vector<std::string> engine_folders;
  std::optional<std::string> protocol;
  std::optional<int> channels;
  std::optional<std::string> launch;  // as typed: "5us"
  std::string network = "fluid";
  std::string splits;        // as typed: "4:2:1:1"
  std::string experts;       // as typed: "8/256"
  std::optional<int> ranks;  // absent: every GPU of the platform
  std::optional<int> groups;
  bool strided = false;
  bool explain = false;
  bool quiet = false;  // nothing tells how far it is
};

// What an engine of the catalogue prefers and adds. Throws InputError at --engine.
void take_engine(const std::string& name, const std::vector<std::string>& folders,
                 CollectiveUse& use);

// On the platform `at`. Throws InputError located in the option as typed.
CollectiveRequest collective_request(const CollectiveOptions& typed, const Platform& at);

struct CollectiveTable {
  CollectiveRequest request;
  const CollectiveLibrary* library = &textbook_library();  // that ran them
  std::string assumption;                                  // collectives_assumption()
  std::vector<CollectiveRow> rows;
  std::string explanation;  // where it is asked for
};

// Throws InputError, too: the platform's, and of limits that are too low. One per process, as
// simulate().
CollectiveTable time_collectives(const CollectiveOptions& typed, const Limits& limits);

std::string collective_text(const CollectiveOptions& typed, const CollectiveTable& table);

}  // namespace rehearse
