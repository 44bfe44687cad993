#include "accuracy/expected_errors.hpp"

#include <algorithm>

namespace rehearse {

const ExpectedError* pooled_error(std::string_view family, bool own) {
  for (const ExpectedError& error : scored_errors()) {
    if (error.family == family && error.own == own) return &error;
  }
  return nullptr;
}

const ExpectedError* expected_error(std::string_view family, std::string_view gpu,
                                    std::string_view vendor) {
  bool of_vendor = false;
  for (const ScoredGpu& each : scored_gpus()) {
    if (each.family != family) continue;
    if (each.gpu == gpu && each.own) return pooled_error(family, true);
    of_vendor = of_vendor || each.gpu == gpu || (!vendor.empty() && each.vendor == vendor);
  }
  return of_vendor ? pooled_error(family, false) : nullptr;
}

bool has_rows(std::string_view family, std::string_view gpu) {
  return std::ranges::any_of(scored_gpus(), [&](const ScoredGpu& each) {
    return each.family == family && each.gpu == gpu;
  });
}

std::string collective_family(std::string_view library, bool one_domain) {
  if (library == "nccl_graphs") library = "nccl";
  return std::string(library) + (one_domain ? ".one_domain" : ".several_servers");
}

}  // namespace rehearse
