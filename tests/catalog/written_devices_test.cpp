// What a device file says of a GPU is what is read of it again: from a written platform, and from
// hosts of a foreign file.
#include <gtest/gtest.h>

#include "catalog/gpu_properties.hpp"
#include "catalog/write_platform.hpp"
#include "cluster_xml/check_platform_xml.hpp"
#include "collectives/libraries/measured_costs.hpp"

namespace rehearse {
namespace {

PlatformRequest request_of(const DeviceSheet& sheet) {
  PlatformRequest request;
  request.gpu = sheet.name;
  request.fabric = sheet.topology == ScaleUpTopology::kTorus ? "" : "star";
  request.nodes = 4;
  return request;
}

Device written(const PlatformRequest& request, const DeviceSheet& sheet) {
  const PlatformFile file = check_platform_text(platform_xml(request, sheet), "written.xml");
  for (const GpuHosts& each : file.gpus) EXPECT_EQ(each.device, file.gpus.front().device);
  return file.gpus.front().device;
}

Device from_outside(const DeviceSheet& sheet, const DeviceCatalog& catalog) {
  const char* const foreign =
      "<?xml version=\"1.0\"?>\n<!DOCTYPE platform SYSTEM "
      "\"https://simgrid.org/simgrid.dtd\">\n<platform version=\"4.1\"><zone id=\"z\" "
      "routing=\"Full\"><host id=\"g\" speed=\"1f\"/></zone></platform>\n";
  return check_platform_text(foreign, "foreign.xml", {gpus_at("*=" + sheet.name, catalog)})
      .gpus.at(0)
      .device;
}

// The sheet's rows, number by number.
template <class Rows, class Costs>
CostMap<Costs> costs_of(const Rows& rows, const CostTable<Costs>& table) {
  CostMap<Costs> costs;
  for (const auto& each : rows) {
    Costs& row = costs[each.row];
    row.assumed = each.origin.kind == FigureKind::kAssumed;
    for (std::size_t i = 0; i < table.fields.size(); ++i) {
      if (each.numbers[i]) table.fields[i].set(row, each.numbers[i]->value);
    }
  }
  return costs;
}

TEST(WrittenDevices, AreThoseOfTheirFiles) {
  const DeviceCatalog catalog;
  for (const std::string& name : catalog.names()) {
    const DeviceSheet sheet = catalog.find(name);
    const Device device = written(request_of(sheet), sheet);
    EXPECT_EQ(device.gpu, name);
    EXPECT_EQ(device.vendor, to_text(sheet.vendor)) << name;
    EXPECT_EQ(device.architecture, sheet.architecture) << name;
    EXPECT_EQ(device.scale_up, sheet.topology) << name;
    EXPECT_EQ(device.memory.value, sheet.at(FigureId::kMemoryCapacity).value) << name;
    EXPECT_EQ(device.collectives, costs_of(sheet.collectives, kCollectiveTable)) << name;
    EXPECT_EQ(device.operators, costs_of(sheet.operators, kOperatorTable)) << name;
    const DeviceFigure* const share = sheet.find(FigureId::kServerNetworkShare);
    const auto said = share == nullptr ? std::nullopt : std::optional(share->value);
    EXPECT_EQ(device.network_share, said) << name;
    Device outside = from_outside(sheet, catalog);
    EXPECT_FALSE(outside.network_share) << "of its own NICs";
    outside.network_share = device.network_share;
    EXPECT_EQ(device, outside) << name;
  }
}

// Of a network of other NICs nobody knows it.
TEST(WrittenDevices, HaveTheShareOfTheirNetwork) {
  const DeviceSheet sheet = DeviceCatalog().find("h100");
  PlatformRequest request = request_of(sheet);
  EXPECT_EQ(written(request, sheet).network_share, 0.94);
  request.nic = "200Gbps";
  EXPECT_FALSE(written(request, sheet).network_share);
  request.network_share = 0.6;
  EXPECT_EQ(written(request, sheet).network_share, 0.6);
}

// tools/fit writes both: no hand has changed one of them. A launch is a device's own, or left out.
TEST(UnmeasuredCosts, AreTheMeansOfTheMeasuredDevices) {
  const DeviceCatalog catalog;
  ASSERT_EQ(unmeasured_costs().size(), kCostRowCount);
  for (std::size_t i = 0; i < kCostRowCount; ++i) {
    const NamedCosts& mean = unmeasured_costs()[i];
    EXPECT_EQ(mean.row, kCostRows[i].name);
    std::vector<ProtocolCosts> measured;
    for (const char* const name : {"a100", "h100", "gb200-nvl72"}) {
      const DeviceSheet sheet = catalog.find(name);
      const CollectiveCosts rows = costs_of(sheet.collectives, kCollectiveTable);
      const auto row = rows.find(mean.row);
      if (row != rows.end() && !row->second.assumed) measured.push_back(row->second);
    }
    if (measured.empty()) continue;
    const auto expect_mean = [&](auto of, const char* what) {
      double sum = 0;
      for (const ProtocolCosts& each : measured) sum += of(each);
      const double expected = sum / static_cast<double>(measured.size());
      EXPECT_NEAR(of(mean.costs), expected, 0.005 * expected) << mean.row << " " << what;
    };
    expect_mean([](const ProtocolCosts& costs) { return costs.inside; }, "inside");
    expect_mean([](const ProtocolCosts& costs) { return costs.across; }, "across");
    expect_mean([](const ProtocolCosts& costs) { return costs.fill.value; }, "fill");
    expect_mean([](const ProtocolCosts& costs) { return costs.step_inside.value; }, "step_inside");
    expect_mean([](const ProtocolCosts& costs) { return costs.step_across.value; }, "step_across");
    expect_mean([](const ProtocolCosts& costs) { return costs.copy; }, "copy");
  }
}

// What joins the GPUs of this file, not of the device file.
TEST(WrittenDevices, OfCardsWithoutTheirBridgesAreJoinedByPcie) {
  const DeviceSheet sheet = DeviceCatalog().find("h100-nvl");
  PlatformRequest request = request_of(sheet);
  EXPECT_EQ(written(request, sheet).scale_up, ScaleUpTopology::kBridges);
  request.unbridged = true;
  EXPECT_EQ(written(request, sheet).scale_up, ScaleUpTopology::kPcie);
}

}  // namespace
}  // namespace rehearse
