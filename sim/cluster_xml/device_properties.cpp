#include "cluster_xml/device_properties.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <stdexcept>

#include "base/limits.hpp"
#include "base/nearest_name.hpp"
#include "cluster_xml/simgrid_values.hpp"
#include "platform/bounds.hpp"
#include "platform/collective_costs.hpp"
#include "platform/operator_costs.hpp"

namespace rehearse {
namespace {

struct Figure {
  std::string name;
  const char* meaning;
  bool required;
};

const std::vector<Figure>& figures() {
  static const std::vector<Figure> kFigures = {
      {"memory", "the GPU's memory, for example \"80GB\"", true},
      {"memory_bandwidth", "the memory's bandwidth, for example \"3.35TBps\"", true},
      {"compute_efficiency", "the share of the peak that matrix kernels reach, up to 1", true},
      {"memory_efficiency", "the share of the memory bandwidth that kernels reach, up to 1", true},
      {"kernel_launch", "the fixed cost of an operator, for example \"2us\" or \"0s\"", true},
      {"collective_launch",
       "the fixed cost of a communication operator, for example \"5us\" or \"0s\"", true},
      {"peak_fp8", "the dense FP8 peak, for example \"1979TFLOPS\"", false},
      {"peak_int8", "the dense INT8 peak", false},
      {"peak_fp4", "the dense FP4 peak", false},
      {"peak_fp32", "the FP32 peak", false}};
  return kFigures;
}

[[noreturn]] void refuse(const Element& element, const Element& property, const std::string& rule) {
  throw InputError(property.where,
                   fmt::format("{} = \"{}\" of {} {}", property.required("id"),
                               property.required("value"), describe(element), rule));
}

void check_bounds(const Element& element, const Element& property, PlatformQuantity quantity,
                  double value) {
  const std::string rule = out_of_bounds(quantity, value);
  if (!rule.empty()) refuse(element, property, rule);
}

// The value of a property, by a parser of base/units.
template <class Quantity>
Quantity read_figure(const Element& element, const char* name,
                     Quantity (*parse)(const std::string&), PlatformQuantity quantity) {
  const Element* property = element.property(name);
  if (property == nullptr) return {};  // optional: check_figures has seen the required ones
  Quantity value;
  try {
    value = parse(property->required("value"));
  } catch (const std::invalid_argument& error) {
    throw InputError(property->where,
                     fmt::format("{} of {}: {}", name, describe(element), error.what()));
  }
  check_bounds(element, *property, quantity, value.value);
  return value;
}

double read_share(const Element& element, const Element& property) {
  const std::string& text = property.required("value");
  double share = 0;
  const char* end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, share);
  if (failure != std::errc{} || rest != end) refuse(element, property, "must be a number, as 0.8");
  check_bounds(element, property, PlatformQuantity::kEfficiency, share);
  return share;
}

// Edits (insert, delete, replace, swap two neighbours) that turn one word into the other.
std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<std::size_t>> edits(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        edits[i][j] = i + j;
        continue;
      }
      edits[i][j] = std::min({edits[i - 1][j] + 1, edits[i][j - 1] + 1,
                              edits[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        edits[i][j] = std::min(edits[i][j], edits[i - 2][j - 2] + 1);
      }
    }
  }
  return edits[a.size()][b.size()];
}

std::string plain(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
    return c == '-' ? '_' : static_cast<char>(std::tolower(c));
  });
  return name;
}

void check_figures(const Element& element) {
  std::vector<std::string> known = {"node",          "domain",      "rail",          "price",
                                    "link_price",    "link_power",  "power",         "assumed",
                                    "gpu",           "vendor",      "architecture",  "scale_up",
                                    "network_share", "collectives", "compute_units", "operators"};
  for (const Figure& figure : figures()) known.push_back(figure.name);
  check_near_miss(element, known);
  std::vector<const Figure*> missing;
  for (const Figure& figure : figures()) {
    if (figure.required && element.property(figure.name) == nullptr) missing.push_back(&figure);
  }
  if (missing.empty()) return;
  std::string others;
  for (std::size_t i = 1; i < missing.size(); ++i) {
    others += fmt::format("{} {}", i == 1 ? "; nor" : ",", missing[i]->name);
  }
  throw InputError(element.where, fmt::format("{} has no <prop id=\"{}\">: {}{}", describe(element),
                                              missing[0]->name, missing[0]->meaning, others));
}

FlopsPerSecond read_peak(const Element& element) {
  const std::vector<double> speeds = read_speeds(element);
  const std::string* pstate = element.attribute("pstate");
  const long chosen = pstate == nullptr ? 0 : parse_whole(*pstate);
  if (chosen < 0 || chosen >= static_cast<long>(speeds.size())) {
    throw InputError(
        element.where,
        fmt::format("pstate = \"{}\" of {} must be a whole number below {}, the number "
                    "of speeds",
                    *pstate, describe(element), speeds.size()));
  }
  const std::string rule = out_of_bounds(PlatformQuantity::kPeak, speeds[chosen]);
  if (!rule.empty()) {
    throw InputError(element.where,
                     fmt::format("speed = \"{}\" of {} {}: it is the GPU's dense 16-bit peak",
                                 element.required("speed"), describe(element), rule));
  }
  return {speeds[chosen]};
}

// Empty: there is no such property.
std::string read_text(const Element& element, const char* name) {
  const Element* const property = element.property(name);
  if (property == nullptr) return {};
  const std::string& text = property->required("value");
  if (text.empty()) refuse(element, *property, "must be a name: leave it out where it has none");
  return text;
}

template <class Word>
std::optional<Word> read_word(const Element& element, const char* name,
                              std::optional<Word> (*named)(std::string_view),
                              const std::string& known) {
  const Element* const property = element.property(name);
  if (property == nullptr) return std::nullopt;
  const std::string& text = property->required("value");
  const std::optional<Word> word = named(text);
  if (!word) refuse(element, *property, name_rule(text, known));
  return word;
}

// 0: there is no such property.
int read_compute_units(const Element& element) {
  const Element* const property = element.property("compute_units");
  if (property == nullptr) return 0;
  const long units = parse_whole(property->required("value"));
  if (units < 0) refuse(element, *property, "must be a whole number");
  check_bounds(element, *property, PlatformQuantity::kComputeUnits, static_cast<double>(units));
  return static_cast<int>(units);
}

// None: the file does not say.
template <class Costs>
CostMap<Costs> read_costs(const Element& element, const char* id, const CostTable<Costs>& table) {
  const Element* const property = element.property(id);
  if (property == nullptr) return {};
  try {
    return parse_costs(property->required("value"), table);
  } catch (const std::invalid_argument& error) {
    throw InputError(property->where,
                     fmt::format("{} of {}: {}", id, describe(element), error.what()));
  }
}

// What the catalogue calls it, and what else decides which libraries and protocols it has.
void read_identity(const Element& element, Device& device) {
  device.gpu = read_text(element, "gpu");
  const auto vendor = read_word<Vendor>(element, "vendor", vendor_named, names_of_vendors());
  if (vendor) device.vendor = to_text(*vendor);
  device.architecture = read_text(element, "architecture");
  device.scale_up =
      read_word<ScaleUpTopology>(element, "scale_up", topology_named, names_of_topologies());
}

}  // namespace

std::vector<std::string> required_properties() {
  std::vector<std::string> names;
  for (const Figure& figure : figures()) {
    if (figure.required) names.push_back(figure.name);
  }
  return names;
}

bool describes_gpus(const Element& element) {
  if (element.name != "host" && element.name != "cluster" && element.name != "cabinet")
    return false;
  return std::any_of(figures().begin(), figures().end(), [&](const Figure& figure) {
    return element.property(figure.name) != nullptr;
  });
}

Device read_device(const Element& element) {
  check_figures(element);
  Device device;
  device.peak = read_peak(element);
  device.peak_fp8 = read_figure(element, "peak_fp8", parse_flops_rate, PlatformQuantity::kPeak);
  device.peak_int8 = read_figure(element, "peak_int8", parse_flops_rate, PlatformQuantity::kPeak);
  device.peak_fp4 = read_figure(element, "peak_fp4", parse_flops_rate, PlatformQuantity::kPeak);
  device.peak_fp32 = read_figure(element, "peak_fp32", parse_flops_rate, PlatformQuantity::kPeak);
  device.compute_efficiency = read_share(element, *element.property("compute_efficiency"));
  device.memory = read_figure(element, "memory", parse_bytes, PlatformQuantity::kMemory);
  device.memory_bandwidth =
      read_figure(element, "memory_bandwidth", parse_bandwidth, PlatformQuantity::kBandwidth);
  device.memory_efficiency = read_share(element, *element.property("memory_efficiency"));
  device.kernel_launch =
      read_figure(element, "kernel_launch", parse_seconds, PlatformQuantity::kLaunch);
  device.collective_launch =
      read_figure(element, "collective_launch", parse_seconds, PlatformQuantity::kLaunch);
  device.compute_units = read_compute_units(element);
  read_identity(element, device);
  if (const Element* const share = element.property("network_share")) {
    device.network_share = read_share(element, *share);
  }
  device.collectives = read_costs(element, "collectives", kCollectiveTable);
  device.operators = read_costs(element, "operators", kOperatorTable);
  return device;
}

std::optional<double> read_rate(const Element& element, const std::string& id,
                                const std::string& unit, PlatformQuantity quantity) {
  const Element* property = element.property(id);
  if (property == nullptr) return std::nullopt;
  const std::string& text = property->required("value");
  double rate = 0;
  const auto [rest, failure] = std::from_chars(text.data(), text.data() + text.size(), rate);
  if (failure != std::errc{} || std::string(rest) != unit) {
    refuse(element, *property, fmt::format("must be a number with its unit, as 2.5{}", unit));
  }
  check_bounds(element, *property, quantity, rate);
  return rate;
}

long read_whole(const Element& element, const std::string& id, long least) {
  const Element& property = *element.property(id);
  const long number = parse_whole(property.required("value"));
  if (number < least || number > kMostGpus) {
    refuse(element, property,
           number > kMostGpus ? fmt::format("must be at most {}", kMostGpus)
                              : fmt::format("must be a whole number of at least {}", least));
  }
  return number;
}

void check_near_miss(const Element& element, const std::vector<std::string>& known) {
  for (const Element& child : element.children) {
    if (child.name != "prop") continue;
    const std::string& id = child.required("id");
    if (std::find(known.begin(), known.end(), id) != known.end()) continue;
    for (const std::string& name : known) {
      constexpr std::size_t kLongest = 100;  // the table of edits has the product of both sizes
      if (id.size() > kLongest) break;
      // A short word is few edits away from too many others: "name" from "node", "cpu" from "gpu".
      const std::size_t limit = name.size() <= 3 ? 0 : name.size() <= 6 ? 1 : 2;
      if (edit_distance(plain(id), name) > limit) continue;
      throw InputError(child.where, fmt::format("unknown property \"{}\" of {}: did you mean "
                                                "\"{}\"?",
                                                id, describe(element), name));
    }
  }
}

}  // namespace rehearse
