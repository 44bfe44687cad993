#include "catalog/gpu_catalog.hpp"

#include <fmt/format.h>

#include "base/option_place.hpp"

namespace rehearse {
namespace {

constexpr const char* kAsH100 =
    "compute_efficiency, memory_efficiency, launches and scale-up latency are those of h100: it "
    "has "
    "no table of its own";
constexpr const char* kAsGb200 =
    "compute_efficiency, memory_efficiency, launches and scale-up latency are those of "
    "gb200-nvl72: "
    "it has no table of its own";
constexpr const char* kAsOthers =
    "memory_efficiency is that of a100, launches and scale-up latency are those of h100: it has no "
    "table of its own";

// clang-format off
constexpr CatalogGpu kGpus[] = {
    // name         16-bit  fp8     fp4    fp32   MiB     TB/s   compute memory launches  domain GB/s us  pair  NIC rails W: GPU, scale-up, NIC  USD/h assumed
    {"a100",        312,    0,      0,     19.5,  81920,  2.039, 0.85, 0.82, 6.2, 7.9,  8,  300, 0.55, 0,  200, 8, 400, 0, 0, 4, ""},
    {"h100",        989,    1979,   0,     67,    81559,  3.35,  0.80, 0.86, 4.2, 4.5,  8,  450, 0.4,  0,  400, 8, 700, 0, 54, 10, ""},
    {"h200",        989,    1979,   0,     67,    143771, 4.8,   0.80, 0.86, 4.2, 4.5,  8,  450, 0.4,  0,  400, 8, 700, 0, 54, 10, kAsH100},
    {"b200",        2250,   4500,   9000,  75,    183359, 8,     0.62, 0.73, 3.5, 8.2,  8,  900, 0.57, 0,  400, 8, 1000, 0, 54, 14, kAsGb200},
    {"gb200-nvl72", 2500,   5000,   10000, 80,    189471, 8,     0.62, 0.73, 3.5, 8.2,  72, 900, 0.57, 0,  400, 4, 1200, 155, 54, 16, ""},
    {"mi300x",      1307.4, 2614.9, 0,     163.4, 196592, 5.3,   0.51, 0.82, 4.2, 4.5,  8,  448, 0.4,  64, 400, 8, 750, 0, 54, 6, kAsOthers},
};
// clang-format on

}  // namespace

const std::vector<CatalogGpu>& gpu_catalog() {
  static const std::vector<CatalogGpu> kCatalog(std::begin(kGpus), std::end(kGpus));
  return kCatalog;
}

const CatalogGpu& find_gpu(const std::string& name) {
  std::string known;
  for (const CatalogGpu& gpu : kGpus) {
    if (gpu.name == name) return gpu;
    known += fmt::format(" {}", gpu.name);
  }
  throw InputError(option_place("--gpu", name), "unknown GPU: it is one of" + known);
}

}  // namespace rehearse
