#include "cluster_xml/resources.hpp"

#include <algorithm>

#include "cluster_xml/device_properties.hpp"

namespace rehearse {
namespace {

constexpr const char* kFlops = "FLOP/s";
constexpr const char* kMemory = "memory bandwidth";

bool is_separator(char c) { return c == '-' || c == '_' || c == '.'; }

// "leaf-12-spine-3" is one of the "leaf-spine".
std::string without_digits(const std::string& id) {
  std::string text;
  for (const char c : id) {
    if (c >= '0' && c <= '9') continue;
    if (is_separator(c) && (text.empty() || text.back() == c)) continue;
    text += c;
  }
  while (!text.empty() && is_separator(text.back())) text.pop_back();
  return text.empty() ? "links" : text;
}

void add_name(const std::string& name, Resources& found) {
  if (std::find(found.names.begin(), found.names.end(), name) == found.names.end()) {
    found.names.push_back(name);
  }
}

void add_links(LinkFamily family, Resources& found) {
  add_name(family.resource, found);
  found.links.push_back(std::move(family));
}

void find_in(const Element& element, Resources& found) {
  if (describes_gpus(element)) add_name(kFlops, found);
  if (element.name == "cluster") {
    const std::string& id = element.required("id");
    add_links({without_digits(id) + " links", id}, found);
    const std::string* backbone = element.attribute("bb_bw");
    if (backbone != nullptr && !backbone->empty()) {
      add_links({without_digits(id) + " backbone", id, true}, found);
    }
  } else if (element.name == "cabinet") {
    NameRange names = generated_names(element);
    names.prefix.insert(0, "link_");  // as SimGrid calls them
    add_links({without_digits(element.required("id")) + " links", "", false, std::move(names)},
              found);
  } else if (element.name == "link" || element.name == "backbone") {
    const std::string& id = element.required("id");
    add_links({without_digits(id) + " links", "", false, {id, "", {}}}, found);
  }
  if (describes_gpus(element)) add_name(kMemory, found);
  for (const Element& child : element.children) find_in(child, found);
}

}  // namespace

Resources find_resources(const Element& platform) {
  Resources found;
  find_in(platform, found);
  return found;
}

void make_faster(Device& device, const Faster& faster) {
  if (faster.resource == kFlops) {
    for (const auto peak : {&Device::peak, &Device::peak_fp8, &Device::peak_int8, &Device::peak_fp4,
                            &Device::peak_fp32}) {
      device.*peak *= faster.factor;
    }
  }
  if (faster.resource == kMemory) device.memory_bandwidth *= faster.factor;
}

}  // namespace rehearse
