// A slice has the sides nearest to a square or cube. The ends of a dimension are joined only at the
// sizes of the device file. Where all are, SimGrid's TORUS cluster has the wires; elsewhere each
// wire is a link, and routes are the shortest over them.
#include "catalog/own_torus.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "base/option_place.hpp"
#include "catalog/fabrics/elements.hpp"

namespace rehearse {
namespace {

// Of wires that are links of their own: SimGrid's Floyd takes the cube of the chips to load.
constexpr std::int64_t kMostChips = 512;

using Sides = std::vector<std::int64_t>;

// Without sides of 1, of which SimGrid 3.32 loads no two; the longest last.
Sides sides_of(std::int64_t chips, int dimensions) {
  Sides sides;
  for (int left = dimensions; left > 1; --left) {
    const std::int64_t side = largest_divisor_below_root(chips, left);
    sides.push_back(side);
    chips /= side;
  }
  sides.push_back(chips);
  std::sort(sides.begin(), sides.end());
  sides.erase(std::remove(sides.begin(), sides.end(), 1), sides.end());
  return sides;
}

bool wraps(const DeviceSheet& sheet, std::int64_t side) {
  if (sheet.find(FigureId::kScaleUpWrapsAt) != nullptr) {
    return side == sheet.count(FigureId::kScaleUpWrapsAt);
  }
  if (sheet.find(FigureId::kScaleUpWrapsAtMultiplesOf) == nullptr) return false;
  return side % sheet.count(FigureId::kScaleUpWrapsAtMultiplesOf) == 0;
}

std::string wire(std::int64_t from, std::int64_t to, const std::string& bandwidth,
                 const std::string& latency, std::string& routes) {
  const std::string name = fmt::format("wire{}-{}", from, to);
  routes += fmt::format(
      "<route src=\"gpu{}\" dst=\"gpu{}\"><link_ctn id=\"{}\" direction=\"UP\"/></route>\n", from,
      to, name);
  return fmt::format(
      "<link id=\"{}\" bandwidth=\"{}\" latency=\"{}\" sharing_policy=\"SPLITDUPLEX\"/>\n", name,
      bandwidth, latency);
}

std::string write_wires(const DeviceSheet& sheet, const FabricRequest& joined, const Sides& sides) {
  const std::string bandwidth = bandwidth_text({sheet.at(FigureId::kScaleUpPortBandwidth).value});
  const std::string& latency = sheet.at(FigureId::kScaleUpLatency).text;
  std::string hosts;
  std::string links;
  std::string routes;
  for (std::int64_t chip = 0; chip < joined.gpus; ++chip) {
    hosts += fmt::format("<host id=\"gpu{}\" {}>\n{}{}</host>\n", chip, joined.gpu_figures,
                         place_property("node", 0), joined.gpu_properties);
    std::int64_t stride = 1;
    for (const std::int64_t side : sides) {
      const std::int64_t at = chip / stride % side;
      if (at + 1 < side) links += wire(chip, chip + stride, bandwidth, latency, routes);
      // A ring of two has its only wire already.
      if (at + 1 == side && side > 2 && wraps(sheet, side)) {
        links += wire(chip, chip - at * stride, bandwidth, latency, routes);
      }
      stride *= side;
    }
  }
  return "<zone id=\"slice\" routing=\"Floyd\">\n" + hosts + links + routes + "</zone>\n";
}

}  // namespace

std::string write_own_torus(const DeviceSheet& sheet, const FabricRequest& joined) {
  const SourceLocation nodes = option_place("--nodes", joined.gpus / joined.gpus_per_node);
  const int most = sheet.count(FigureId::kScaleUpGpus);
  if (joined.gpus > most) {
    throw InputError(nodes,
                     fmt::format("{} chips: a slice of {} has at most {}, and several slices "
                                 "are not joined here",
                                 joined.gpus, sheet.name, most));
  }
  const Sides sides = sides_of(joined.gpus, sheet.count(FigureId::kScaleUpDimensions));
  const bool all_wrap = sides.size() > 1 && std::all_of(sides.begin(), sides.end(), [&](auto side) {
                          return side > 2 && wraps(sheet, side);
                        });
  if (all_wrap) {
    const std::string topology = fmt::format("topology=\"TORUS\" topo_parameters=\"{}\"",
                                             fmt::join(sides.begin(), sides.end(), ","));
    return gpu_cluster(joined, "slice", radical_text(0, joined.gpus, 1),
                       {sheet.at(FigureId::kScaleUpPortBandwidth).value},
                       sheet.at(FigureId::kScaleUpLatency).text, topology,
                       place_property("node", 0));
  }
  if (joined.gpus > kMostChips) {
    throw InputError(
        nodes, fmt::format("{} chips make a slice of {} whose dimensions are not all joined "
                           "at their ends: of these at most {} chips",
                           joined.gpus, fmt::join(sides.begin(), sides.end(), " x "), kMostChips));
  }
  return write_wires(sheet, joined, sides);
}

}  // namespace rehearse
