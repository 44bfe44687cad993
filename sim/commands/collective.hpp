// `rehearse collective`: what is typed, as a request, and its table as nccl-tests prints it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "simulation/collective_run.hpp"
#include "simulation/limits.hpp"

namespace rehearse {

struct CollectiveOptions {
  std::string platform;
  std::string op = "all_reduce";
  std::optional<std::string> bytes;
  std::string algorithm = "auto";
  std::string network = "fluid";
  std::string splits;        // as typed: "4:2:1:1"
  std::string experts;       // as typed: "8/256"
  std::optional<int> ranks;  // absent: every GPU of the platform
  std::optional<int> groups;
  bool strided = false;
};

// On the platform `at`. Throws InputError located in the option as typed.
CollectiveRequest collective_request(const CollectiveOptions& typed, const Platform& at);

struct CollectiveTable {
  CollectiveRequest request;
  std::vector<CollectiveRow> rows;
};

// Throws InputError, too: the platform's, and of limits that are too low. One per process, as
// simulate().
CollectiveTable time_collectives(const CollectiveOptions& typed, const Limits& limits);

std::string collective_text(const CollectiveOptions& typed, const CollectiveTable& table);

}  // namespace rehearse
