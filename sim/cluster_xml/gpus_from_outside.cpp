#include "cluster_xml/gpus_from_outside.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>

#include "base/option_place.hpp"
#include "cluster_xml/device_properties.hpp"
#include "cluster_xml/host_names.hpp"

namespace rehearse {
namespace {

bool has_hosts(const Element& element) {
  return element.name == "host" || element.name == "cluster" || element.name == "cabinet";
}

std::vector<std::string> names_of(const Element& element) {
  if (element.name == "host") return {element.required("id")};
  std::vector<std::string> names;
  const NameRange range = generated_names(element);
  names.reserve(static_cast<std::size_t>(range.count()));
  for (const auto& [first, last] : range.numbers) {
    for (std::int64_t number = first; number <= last; ++number) {
      names.push_back(fmt::format("{}{}{}", range.prefix, number, range.suffix));
    }
  }
  return names;
}

constexpr std::size_t kShown = 12;

// Until there is one more than are shown.
void collect_names(const Element& element, std::vector<std::string>& names) {
  if (has_hosts(element)) {
    for (std::string& name : names_of(element)) {
      if (names.size() <= kShown) names.push_back(std::move(name));
    }
  }
  for (const Element& child : element.children) {
    if (names.size() <= kShown) collect_names(child, names);
  }
}

class Adder {
 public:
  explicit Adder(const std::vector<GpusAt>& gpus_at)
      : gpus_at_(gpus_at), used_(gpus_at.size(), false) {}

  void visit(Element& element) {
    if (has_hosts(element) && element.property("domain") == nullptr) add(element);
    for (Element& child : element.children) visit(child);
  }

  void check_all_used(const Element& platform) const {
    for (std::size_t i = 0; i < gpus_at_.size(); ++i) {
      if (used_[i]) continue;
      throw InputError(option_place("--gpu-at", gpus_at_[i].typed),
                       fmt::format("no host is left for \"{}\": the file has {}",
                                   gpus_at_[i].pattern, hosts_text(platform)));
    }
  }

 private:
  void add(Element& element) {
    const std::vector<std::string> names = names_of(element);
    for (std::size_t i = 0; i < gpus_at_.size(); ++i) {
      const auto fitting = std::count_if(names.begin(), names.end(), [&](const std::string& name) {
        return matches(gpus_at_[i].pattern, name);
      });
      if (fitting == 0) continue;
      if (fitting != static_cast<std::ptrdiff_t>(names.size())) {
        throw InputError(element.where,
                         fmt::format("--gpu-at {} is for {} of the {} hosts of {}: "
                                     "give all of them the same GPU",
                                     gpus_at_[i].typed, fitting, names.size(), describe(element)));
      }
      if (describes_gpus(element)) {
        throw InputError(element.where, fmt::format("--gpu-at {} is for {}, which has the "
                                                    "properties of a GPU in the file",
                                                    gpus_at_[i].typed, describe(element)));
      }
      used_[i] = true;
      return put(gpus_at_[i], element);
    }
  }

  static void put(const GpusAt& gpu, Element& element) {
    for (auto& [key, value] : element.attributes) {
      if (key == "speed") value = gpu.speed;
    }
    std::erase_if(element.attributes, [](const auto& each) { return each.first == "pstate"; });
    for (const auto& [id, value] : gpu.properties) {
      // What the host says under that name (a price of its owner, a vendor's full name) is of
      // another kind.
      std::erase_if(element.children, [&id = id](const Element& child) {
        return child.name == "prop" && child.required("id") == id;
      });
      element.children.push_back({"prop", {{"id", id}, {"value", value}}, {}, element.where});
    }
  }

  const std::vector<GpusAt>& gpus_at_;
  std::vector<bool> used_;
};

}  // namespace

std::string hosts_text(const Element& platform) {
  std::vector<std::string> names;
  collect_names(platform, names);
  const bool more = names.size() > kShown;
  if (more) names.pop_back();
  return fmt::format("{}{}", fmt::join(names, " "), more ? " and more" : "");
}

void add_gpus(Element& platform, const std::vector<GpusAt>& gpus_at) {
  if (gpus_at.empty()) return;
  Adder adder(gpus_at);
  adder.visit(platform);
  adder.check_all_used(platform);
}

}  // namespace rehearse
