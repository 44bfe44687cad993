// Words that device files and platform files say of a GPU.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rehearse {

enum class Vendor { kNvidia, kAmd, kIntel, kGoogle };
std::string_view to_text(Vendor vendor);
std::optional<Vendor> vendor_named(std::string_view word);
std::string names_of_vendors();  // "nvidia amd ..."

// How GPUs of one domain reach each other.
enum class ScaleUpTopology { kSwitch, kMesh, kBridges, kPcie, kTorus };
std::string_view to_text(ScaleUpTopology topology);
std::optional<ScaleUpTopology> topology_named(std::string_view word);
std::string names_of_topologies();

}  // namespace rehearse
