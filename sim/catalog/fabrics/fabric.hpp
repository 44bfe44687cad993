// Scale-out fabrics: how the NICs of all GPUs are joined. One file and one line of table.cpp each.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/units.hpp"

namespace rehearse {

// What a fabric joins, checked: all counts are at least 1, oversubscription at least 1.
struct FabricRequest {
  std::int64_t gpus = 0;
  std::int64_t gpus_per_node = 1;
  std::int64_t rails = 1;  // NICs of a server; divides gpus
  double oversubscription = 1;
  BytesPerSecond nic;          // per GPU and direction
  std::string nic_typed;       // as --nic says it
  std::string gpu_figures;     // attribute speed="..." of a <cluster> of GPUs
  std::string gpu_properties;  // its <prop> elements, one per line
};

struct Fabric {
  const char* name;
  const char* what;
  bool takes_oversubscription;
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
