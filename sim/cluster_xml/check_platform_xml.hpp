// Everything about a platform file that can be known before SimGrid sees it. SimGrid 3.32 aborts on
// many mistakes and overlooks others; a user gets one line with the place for each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cluster_xml/host_names.hpp"
#include "cluster_xml/resources.hpp"
#include "platform/gpus_at.hpp"
#include "platform/platform.hpp"

namespace rehearse {

// A <host>, <cluster> or <cabinet> of GPUs: one GPU per name, in the order of the numbers.
struct GpuHosts {
  NameRange names;  // of a <host>: its id as the prefix, and no numbers
  Device device;
  RunningCost cost;       // of a GPU: <prop id="price" value="2.99USD/h"/>, "power" "700W"
  RunningCost link_cost;  // of its link, NIC and switch port: "link_price", "link_power"
  int domain = -1;        // <prop id="node">, or -1
  int rail = -1;          // <prop id="rail">, or -1
  std::string assumed;    // <prop id="assumed">: which of these figures are guesses; or empty
  SourceLocation where;
};

// A <cluster> with a `domain` property: the scale-up fabric, one port per GPU in the same order.
struct PortHosts {
  NameRange names;
  int gpus_per_domain = 1;
  RunningCost cost;  // of a port: "price", "power"
  SourceLocation where;
};

struct PlatformFile {
  // All hosts that SimGrid will create, GPUs or not. SimGrid needs 5 to 6 kB for each (its links
  // included; measured at 32,768), so ask before load_cluster when this is large.
  std::int64_t hosts = 0;
  std::vector<GpuHosts> gpus;  // in file order
  int rails = 1;               // clusters that take turns in the numbering of the GPUs
  std::optional<PortHosts> ports;
  Resources resources;
};

// What a GPU costs with its link and its port, the mean over the file's GPUs; links and ports
// without a price or power count nothing. Nothing where only some of the GPUs have one.
RunningCost cost_per_gpu(const PlatformFile& file);

// What the file says of guesses among its GPUs' figures, each once.
std::vector<std::string> guesses_of(const PlatformFile& file);

// Which hosts are GPUs, and their properties:
//   <host> or <cluster> with <prop id="memory" value="80GB"/> and memory_bandwidth,
//     compute_efficiency, memory_efficiency, kernel_launch, collective_launch (all required),
//     peak_fp8, peak_int8 (else that of fp8), peak_fp4, peak_fp32 (optional); the speed is the
//     dense 16-bit peak;
//     <prop id="gpu" value="h100"/>, vendor, architecture, scale_up (optional): what the catalogue
//     calls it, who made it, and how GPUs of a domain reach each other: by them a collective
//     library tells whether it runs and what it takes
//     <prop id="compute_units" value="132"/> (optional): SMs, CUs, of which collectives hold some
//     <prop id="network_share" value="0.94"/> (optional): of its network links' rates, what
//     transfers reach on this fabric
//     <prop id="operators" value="gemm.bf16 launch 3us compute 0.8 memory 0.85"/> (optional): what
//     kernels reach (platform/operator_costs.hpp)
//     <prop id="collectives" value="nccl.ring.ll inside 0.278 fill 2us; nccl.message assumed inside
//     0.7"/> (optional): what protocols reach on it (platform/collective_costs.hpp)
//     <prop id="assumed" value="memory_efficiency of a100"/> (optional): which figures are guesses;
//     printed beside every result
//     <prop id="node" value="0"/>: the scale-up domain, on all GPUs of the file or on none
//     <prop id="rail" value="3"/>: the cluster is the GPUs of one rail switch. Clusters with the
//     rails 0, 1, ..., R - 1 stand one after the other and have as many GPUs each; GPU g of the
//     file is host g / R of rail g % R. On all GPUs of the file or on none.
//   <cluster> with <prop id="domain" value="8"/>: scale-up ports, 8 GPUs per domain
// Throws InputError (file:line:col of the element) for the first mistake.
// `gpus_at`: GPUs among the file's hosts that the command line names (gpus_from_outside.hpp); a
// <cabinet> can be GPUs only so, because SimGrid allows it no properties.
PlatformFile check_platform_xml(const std::string& path, const std::vector<GpusAt>& gpus_at = {});
PlatformFile check_platform_text(const std::string& text, const std::string& path,
                                 const std::vector<GpusAt>& gpus_at = {});

}  // namespace rehearse
