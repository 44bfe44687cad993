// The rules between the numbers of a device file. Each message names the number to add or to
// change.
#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "devices/device_sheet.hpp"

namespace rehearse {
namespace {

std::string_view path_of(FigureId id) { return kFigures[static_cast<std::size_t>(id)].path; }

class Rules {
 public:
  Rules(const DeviceSheet& sheet, const FieldLocations& where) : sheet_(sheet), where_(where) {}

  void check() const {
    need({FigureId::kPeakBf16, FigureId::kMemoryCapacity, FigureId::kMemoryBandwidth,
          FigureId::kServerGpus},
         "every GPU has it");
    check_constants();
    check_rows(sheet_.collectives);
    check_rows(sheet_.operators);
    check_scale_up();
    check_pcie();
    check_nics();
    check_guesses();
  }

 private:
  void need(std::initializer_list<FigureId> ids, const std::string& why) const {
    for (const FigureId id : ids) {
      if (sheet_.find(id) != nullptr) continue;
      const FigureRow& row = kFigures[static_cast<std::size_t>(id)];
      throw InputError(where_.at(std::string(row.path)),
                       fmt::format("{} is missing ({}): {}", row.path, row.meaning, why));
    }
  }

  void refuse(std::initializer_list<FigureId> ids, const std::string& why) const {
    for (const FigureId id : ids) {
      if (const DeviceFigure* const figure = sheet_.find(id)) fail(*figure, id, why);
    }
  }

  [[noreturn]] static void fail(const DeviceFigure& figure, FigureId id, const std::string& rule) {
    throw InputError(figure.where, fmt::format("{} = \"{}\": {}", path_of(id), figure.text, rule));
  }

  // `id` is a multiple of `by`.
  void divides(FigureId by, FigureId id) const {
    if (sheet_.count(id) % sheet_.count(by) == 0) return;
    fail(sheet_.at(by), by, fmt::format("must divide {} = {}", path_of(id), sheet_.count(id)));
  }

  void check_constants() const {
    for (const ConstantRow& row : kConstants) {
      const auto is_it = [&](const DeviceConstant& each) { return each.name == row.name; };
      const auto end = sheet_.constants.end();
      const auto first = std::find_if(sheet_.constants.begin(), end, is_it);
      if (first == end) {
        throw InputError(
            where_.at("constant"),
            fmt::format("constant {{ name: {} }} is missing ({})", row.text, row.meaning));
      }
      const auto second = std::find_if(std::next(first), end, is_it);
      if (second == end) continue;
      throw InputError(second->figure.where, fmt::format("{} is given twice, first in line {}",
                                                         row.text, first->figure.where.line));
    }
  }

  template <class Rows>
  static void check_rows(const Rows& rows) {
    for (auto each = rows.begin(); each != rows.end(); ++each) {
      const auto before = std::find_if(rows.begin(), each,
                                       [&](const auto& other) { return other.row == each->row; });
      if (before == each) continue;
      throw InputError(each->origin.where, fmt::format("{} is given twice, first in line {}",
                                                       each->row, before->origin.where.line));
    }
  }

  void check_scale_up() const {
    static constexpr auto kPorts = {FigureId::kScaleUpGpus, FigureId::kScaleUpPorts,
                                    FigureId::kScaleUpPortBandwidth, FigureId::kScaleUpLatency};
    static constexpr auto kOfTorus = {FigureId::kScaleUpDimensions, FigureId::kScaleUpWrapsAt,
                                      FigureId::kScaleUpWrapsAtMultiplesOf};
    if (!sheet_.topology) {
      refuse(kPorts, "needs scale_up.topology");
      refuse(kOfTorus, "needs scale_up.topology");
      return;
    }
    const std::string of = fmt::format("topology {}", to_text(*sheet_.topology));
    if (*sheet_.topology == ScaleUpTopology::kPcie) {
      refuse(kPorts, of + " has no ports of its own");
    } else {
      need(kPorts, of + " needs it");
    }
    if (*sheet_.topology == ScaleUpTopology::kTorus) return check_torus();
    refuse(kOfTorus, "belongs to topology torus");
    if (*sheet_.topology == ScaleUpTopology::kPcie) return;
    if (*sheet_.topology == ScaleUpTopology::kBridges) {
      return divides(FigureId::kScaleUpGpus, FigureId::kServerGpus);
    }
    divides(FigureId::kServerGpus, FigureId::kScaleUpGpus);
    if (*sheet_.topology == ScaleUpTopology::kMesh) check_mesh();
  }

  void check_mesh() const {
    const int peers = sheet_.count(FigureId::kScaleUpGpus) - 1;
    if (peers >= 1 && sheet_.count(FigureId::kScaleUpPorts) % peers == 0) return;
    fail(sheet_.at(FigureId::kScaleUpPorts), FigureId::kScaleUpPorts,
         fmt::format("a mesh has as many wires to each of the {} other GPUs", peers));
  }

  void check_torus() const {
    need({FigureId::kScaleUpDimensions}, "topology torus needs it");
    const int dimensions = sheet_.count(FigureId::kScaleUpDimensions);
    if (dimensions != 2 && dimensions != 3) {
      fail(sheet_.at(FigureId::kScaleUpDimensions), FigureId::kScaleUpDimensions, "must be 2 or 3");
    }
    if (sheet_.count(FigureId::kScaleUpPorts) != 2 * dimensions) {
      fail(sheet_.at(FigureId::kScaleUpPorts), FigureId::kScaleUpPorts,
           fmt::format("must be {}: two for each dimension", 2 * dimensions));
    }
    if (sheet_.find(FigureId::kScaleUpWrapsAt) != nullptr) {
      refuse({FigureId::kScaleUpWrapsAtMultiplesOf}, "scale_up.wraps_at is given as well");
    }
  }

  void check_pcie() const {
    const bool over_pcie =
        sheet_.topology == ScaleUpTopology::kPcie || sheet_.topology == ScaleUpTopology::kBridges;
    static constexpr auto kLink = {FigureId::kPcieGeneration, FigureId::kPcieLanes,
                                   FigureId::kPcieLatency};
    const bool any = std::any_of(kLink.begin(), kLink.end(),
                                 [&](FigureId id) { return sheet_.find(id) != nullptr; });
    if (over_pcie || any) need(kLink, "a PCIe link has all three");
    if (any) {
      const DeviceFigure& generation = sheet_.at(FigureId::kPcieGeneration);
      if (generation.value < 3 || generation.value > 6) {
        fail(generation, FigureId::kPcieGeneration, "must be 3, 4, 5 or 6");
      }
    }
    if (over_pcie) {
      need({FigureId::kServerSockets},
           fmt::format("topology {} needs it", to_text(*sheet_.topology)));
    }
    if (sheet_.find(FigureId::kServerSockets) == nullptr) {
      return refuse({FigureId::kServerSocketBandwidth}, "needs server.sockets");
    }
    divides(FigureId::kServerSockets, FigureId::kServerGpus);
    if (sheet_.count(FigureId::kServerSockets) > 2) {
      fail(sheet_.at(FigureId::kServerSockets), FigureId::kServerSockets, "must be 1 or 2");
    }
    if (sheet_.count(FigureId::kServerSockets) == 2) {
      need({FigureId::kServerSocketBandwidth}, "two sockets need it");
    }
  }

  void check_nics() const {
    if (sheet_.find(FigureId::kServerNics) == nullptr) {
      return refuse(
          {FigureId::kServerNicBandwidth, FigureId::kServerNicPower, FigureId::kServerNetworkShare},
          "needs server.nics");
    }
    need({FigureId::kServerNicBandwidth}, "NICs have a bandwidth");
    const int nics = sheet_.count(FigureId::kServerNics);
    const int gpus = sheet_.count(FigureId::kServerGpus);
    if (gpus % nics != 0 && nics % gpus != 0) {
      fail(sheet_.at(FigureId::kServerNics), FigureId::kServerNics,
           fmt::format("must divide the {} GPUs of a server, or be a multiple of them", gpus));
    }
  }

  void check_guesses() const {
    const auto assumed = [&](FigureId id) {
      const DeviceFigure* const figure = sheet_.find(id);
      return figure != nullptr && figure->kind == FigureKind::kAssumed;
    };
    static constexpr auto kWritten = {FigureId::kPeakBf16,       FigureId::kPeakFp8,
                                      FigureId::kPeakFp4,        FigureId::kPeakFp32,
                                      FigureId::kMemoryCapacity, FigureId::kMemoryBandwidth,
                                      FigureId::kScaleUpLatency, FigureId::kServerNetworkShare,
                                      FigureId::kComputeUnits};
    const auto assumed_row = [](const auto& each) {
      return each.origin.kind == FigureKind::kAssumed;
    };
    const bool any =
        std::any_of(kWritten.begin(), kWritten.end(), assumed) ||
        std::any_of(
            sheet_.constants.begin(), sheet_.constants.end(),
            [](const DeviceConstant& each) { return each.figure.kind == FigureKind::kAssumed; }) ||
        std::any_of(sheet_.collectives.begin(), sheet_.collectives.end(), assumed_row) ||
        std::any_of(sheet_.operators.begin(), sheet_.operators.end(), assumed_row);
    if (any == !sheet_.guesses.empty()) return;
    throw InputError(where_.at("guesses"),
                     any ? "guesses is missing: numbers of a platform file are assumed; say which "
                           "in a sentence"
                         : "guesses is given, but no number of a platform file is assumed");
  }

  const DeviceSheet& sheet_;
  const FieldLocations& where_;
};

}  // namespace

void check_sheet(const DeviceSheet& sheet, const FieldLocations& where) {
  Rules(sheet, where).check();
}

}  // namespace rehearse
