#include "catalog/fabrics/elements.hpp"

#include <fmt/format.h>

#include "base/option_place.hpp"
#include "platform/bounds.hpp"

namespace rehearse {

std::string bandwidth_text(BytesPerSecond rate) { return fmt::format("{}GBps", rate.value / 1e9); }

std::string link_rate(const FabricRequest& request, BytesPerSecond rate) {
  const std::string rule = out_of_bounds(PlatformQuantity::kBandwidth, rate.value);
  if (!rule.empty()) {
    throw InputError(option_place("--nic", request.nic_typed),
                     fmt::format("\"{}\": makes a link of {}, and a bandwidth {}",
                                 request.nic_typed, bandwidth_text(rate), rule));
  }
  return bandwidth_text(rate);
}

std::string latency_text(double microseconds) { return fmt::format("{}us", microseconds); }

std::string radical_text(std::int64_t first, std::int64_t count, std::int64_t step) {
  if (step == 1) return fmt::format("{}-{}", first, first + count - 1);
  std::string text = std::to_string(first);
  for (std::int64_t i = 1; i < count; ++i) text += fmt::format(",{}", first + i * step);
  return text;
}

std::string place_property(const char* id, std::int64_t number) {
  return fmt::format("<prop id=\"{}\" value=\"{}\"/>\n", id, number);
}

std::string gpu_cluster(const FabricRequest& request, const std::string& id,
                        const std::string& radical, BytesPerSecond bandwidth,
                        const std::string& latency, const std::string& attributes,
                        const std::string& place) {
  const std::string text = fmt::format(
      "<cluster id=\"{}\" prefix=\"gpu\" suffix=\"\" radical=\"{}\" {} bw=\"{}\" lat=\"{}\" "
      "sharing_policy=\"SPLITDUPLEX\"{}{}>\n",
      id, radical, request.gpu_figures, link_rate(request, bandwidth), latency,
      attributes.empty() ? "" : " ", attributes);
  return text + place + request.gpu_properties + "</cluster>\n";
}

void refuse_oversubscribed_switch(const FabricRequest& request) {
  if (request.oversubscription <= 1) return;
  throw InputError(
      option_place("--oversubscription", request.oversubscription),
      fmt::format("one switch joins all {} GPUs: there is no tier to oversubscribe", request.gpus));
}

std::string two_tiers(const FabricRequest& request, const std::vector<Leaf>& leaves) {
  if (leaves.size() == 1) {
    refuse_oversubscribed_switch(request);
    return gpu_cluster(request, "leaf0", leaves[0].radical, request.nic,
                       latency_text(kNicLatencyUs), "", "");
  }
  const std::string name = leaves[0].rail < 0 ? "leaf" : "rail";
  std::string text = "<zone id=\"scaleout\" routing=\"Floyd\">\n";
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    const std::string place = leaves[i].rail < 0 ? "" : place_property("rail", leaves[i].rail);
    text += gpu_cluster(request, fmt::format("{}{}", name, i), leaves[i].radical, request.nic,
                        latency_text(kNicLatencyUs), "", place);
  }
  text += "<zone id=\"spine\" routing=\"None\"><router id=\"core\"/></zone>\n";
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    const BytesPerSecond trunk =
        request.nic * static_cast<double>(leaves[i].gpus) / request.oversubscription;
    text += fmt::format(
        "<link id=\"trunk{}\" bandwidth=\"{}\" latency=\"{}\" sharing_policy=\"SPLITDUPLEX\"/>\n",
        i, link_rate(request, trunk), latency_text(kSwitchLatencyUs));
  }
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    text += fmt::format(
        "<zoneRoute src=\"{0}{1}\" dst=\"spine\" gw_src=\"gpu{0}{1}_router\" gw_dst=\"core\">"
        "<link_ctn id=\"trunk{1}\" direction=\"UP\"/></zoneRoute>\n",
        name, i);
  }
  return text + "</zone>\n";
}

}  // namespace rehearse
