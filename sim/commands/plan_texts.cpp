#include "commands/plan_texts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "catalog/servers.hpp"
#include "input/input.hpp"
#include "simulation/prepared.hpp"

namespace rehearse {
namespace {

namespace fs = std::filesystem;

}  // namespace

std::string quoted(const std::string& text) {
  std::string inside;
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') inside += '\\';
    inside += letter == '\n' ? ' ' : letter;
  }
  return "\"" + inside + "\"";
}

std::string model_beside(const std::string& model, const std::string& out) {
  std::error_code error;
  if (out.empty() || !fs::exists(model, error)) return model;
  const fs::path folder = fs::absolute(out).lexically_normal().parent_path();
  return fs::absolute(model).lexically_normal().lexically_relative(folder).string();
}

std::string platform_beside(const std::string& out, const std::string& gpu, int gpus) {
  if (out.empty()) return fmt::format("{}-{}gpu.xml", gpu, gpus);
  return fs::path(out).replace_extension(".xml").string();
}

PlatformRequest platform_of_gpus(const std::string& gpu, const std::vector<std::string>& devices,
                                 const DeviceSheet& sheet, int gpus, const SourceLocation& place) {
  PlatformRequest platform;
  platform.gpu = gpu;
  platform.device_folders = devices;
  const int per_node = most_gpus_of_a_node(sheet);
  constexpr int kLeastOfAPlatform = 2;
  const int most = std::max(gpus, kLeastOfAPlatform);
  platform.nodes = (most + per_node - 1) / per_node;
  if (sheet.topology == ScaleUpTopology::kTorus) return platform;
  if (most < per_node) platform.gpus_per_node = most;
  if (platform.nodes > 1 && sheet.find(FigureId::kServerNics) == nullptr) {
    throw InputError(place, fmt::format("a server of {} has {} GPUs, and its device file has no "
                                        "NICs that could join several: at most {}",
                                        gpu, per_node, per_node));
  }
  platform.fabric = platform.nodes > 1 ? "rail" : "star";
  return platform;
}

std::string platform_command(const PlatformRequest& platform, const std::string& file) {
  const std::string per_node =
      platform.gpus_per_node ? fmt::format(" --gpus-per-node {}", *platform.gpus_per_node) : "";
  const std::string fabric = platform.fabric.empty() ? "" : " --fabric " + platform.fabric;
  return fmt::format("rehearse platform --gpu {} --nodes {}{}{} --out {}", platform.gpu,
                     platform.nodes, per_node, fabric, file);
}

std::string said_by(const InputError& error) {
  constexpr std::string_view kSaid = ": error: ";
  const std::string what = error.what();
  const std::size_t at = what.find(kSaid);
  return at == std::string::npos ? what : what.substr(at + kSaid.size());
}

Plan PlanTexts::read(const std::string& model_path) const {
  PlanRequest request;
  request.path = plan_.path();
  request.platform = platform_.path();
  request.model = model_path;
  return read_plan(request);
}

void PlanTexts::check(const std::string& model_path, const Model& model) const {
  const PreparedPlan checked(read(model_path), model);
}

}  // namespace rehearse
