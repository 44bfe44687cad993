// What a buyer can choose in a platform: compute, memory bandwidth, classes of links; and a
// platform with one of them faster.
#pragma once

#include <string>
#include <vector>

#include "cluster_xml/host_names.hpp"
#include "cluster_xml/xml_element.hpp"
#include "platform/platform.hpp"

namespace rehearse {

// Links of the file that are bought together.
struct LinkFamily {
  std::string resource;      // "nvlink links", "gpus backbone": the id without its digits
  std::string cluster = {};  // the links of this <cluster>
  bool backbone = false;     // of the cluster: only that one
  NameRange names = {};      // without a cluster: of a <link> or <backbone> (prefix only), or of
                             // the links of a <cabinet>
};

struct Resources {
  // In the file's order, each once: "FLOP/s", "memory bandwidth", and those of the links.
  std::vector<std::string> names;
  std::vector<LinkFamily> links;
};

// Of a platform file that has been checked.
Resources find_resources(const Element& platform);

// One resource `factor` times as fast; latencies and launches stay. Empty: nothing is.
struct Faster {
  std::string resource = {};
  double factor = 1;
};
void make_faster(Device& device, const Faster& faster);

}  // namespace rehearse
