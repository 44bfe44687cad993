// Scale-out fabrics: how the NICs of all GPUs are joined. One file and one line of table.cpp each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/units.hpp"

namespace rehearse {

// GPUs of a server that share NICs, behind one host bridge or PCIe switch.
struct NicGroup {
  std::int64_t gpus = 0;
  std::int64_t nics = 0;
};
struct NicGroups {
  std::vector<NicGroup> of_server;      // empty: each GPU has NICs of its own
  BytesPerSecond nic;                   // of one NIC and direction
  BytesPerSecond pcie;                  // of a GPU's own link to what it shares
  std::string pcie_latency;             // as written: "0.5us"
  std::optional<BytesPerSecond> joint;  // between neighbouring groups (sockets); none: no link
  bool one_domain = false;  // the server is a scale-up domain, whose GPUs reach each other this way
};

// What a fabric joins, checked: all counts are at least 1, oversubscription at least 1.
struct FabricRequest {
  std::int64_t gpus = 0;
  std::int64_t gpus_per_node = 1;
  std::int64_t rails = 1;  // GPUs of a server with NICs of their own; divides gpus
  double oversubscription = 1;
  BytesPerSecond nic;  // per GPU and direction, of all its NICs
  NicGroups groups;
  std::string nic_typed;       // as --nic says it
  std::string gpu_figures;     // attribute speed="..." of a <cluster> of GPUs
  std::string gpu_properties;  // its <prop> elements, one per line
};

struct Fabric {
  const char* name;
  const char* what;
  bool takes_oversubscription;
  bool takes_groups;  // of GPUs that share NICs
  // The elements of the scale-out fabric, to stand in a <zone>, GPUs named gpu0, gpu1, ... in the
  // order of ranks. Throws InputError when the counts do not fit the fabric.
  std::string (*write)(const FabricRequest& request);
};

const std::vector<Fabric>& fabrics();

// Throws InputError with the known names.
const Fabric& find_fabric(const std::string& name);

std::string write_star(const FabricRequest& request);
std::string write_rail(const FabricRequest& request);
std::string write_leaf_spine(const FabricRequest& request);
std::string write_fat_tree(const FabricRequest& request);
std::string write_torus(const FabricRequest& request);
std::string write_dragonfly(const FabricRequest& request);

}  // namespace rehearse
