#include "simulation/prepared.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "cost/native_arithmetic.hpp"
#include "routing/token_routing.hpp"
#include "service/pools_of_plan.hpp"
#include "service/service_run.hpp"

namespace rehearse {
namespace {

int gpus_of(const PlatformFile& file) {
  std::int64_t gpus = 0;
  for (const GpuHosts& hosts : file.gpus) {
    gpus += std::max<std::int64_t>(1, hosts.names.count());
  }
  return static_cast<int>(gpus);
}

std::vector<const Device*> devices_of(const PlatformFile& file) {
  std::vector<const Device*> devices;
  devices.reserve(file.gpus.size());
  for (const GpuHosts& hosts : file.gpus) devices.push_back(&hosts.device);
  return devices;
}

}  // namespace

PreparedPlan::PreparedPlan(Plan plan, Model model)
    : plan_(std::move(plan)),
      model_(std::move(model)),
      platform_(check_platform_xml(plan_.platform_path, plan_.gpus_at)),
      gpus_(gpus_of(platform_)) {
  use_native_arithmetic(model_, devices_of(platform_));
  check_layouts(plan_, model_, gpus_);
  check_routing(plan_, model_);
  if (plan_.serve) check_service(plan_, model_, gpus_);
}

}  // namespace rehearse
