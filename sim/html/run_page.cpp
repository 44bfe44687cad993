#include "html/run_page.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "html/assets.hpp"
#include "html/page.hpp"

namespace rehearse {
namespace {

using Json = nlohmann::ordered_json;

static_assert(std::endian::native == std::endian::little, "the page reads little-endian numbers");

// Times of slices are written as 32-bit numbers of ticks: a makespan of 1 s in steps of 0.25 ns.
constexpr double kTicks = 4e9;

// As page/timeline.js reads it.
struct PackedSlice {
  std::uint32_t start = 0;     // ticks
  std::uint32_t duration = 0;  // ticks
  std::uint16_t operator_index = 0;
  std::int16_t layer = -1;
  std::int32_t micro_batch = -1;
  std::int32_t step = 0;
  std::uint32_t spans = 1;
  float busy_s = 0;
  float amount = 0;
  float wait_s = 0;
};
static_assert(sizeof(PackedSlice) == 36);

PackedSlice pack(const TimelineSlice& slice, double tick) {
  PackedSlice packed;
  packed.start = static_cast<std::uint32_t>(std::llround(slice.start / tick));
  packed.duration = static_cast<std::uint32_t>(std::llround(slice.end / tick)) - packed.start;
  packed.operator_index = slice.operator_index;
  packed.layer = slice.layer;
  packed.micro_batch = slice.micro_batch;
  packed.step = slice.step;
  packed.spans = slice.spans;
  packed.busy_s = slice.busy;
  packed.amount = slice.amount;
  packed.wait_s = slice.wait;
  return packed;
}

// The bytes of each distinct series once: ranks that are alike share them.
class Shared {
 public:
  int index_of(std::string bytes) {
    const auto [at, is_new] =
        indices_.try_emplace(std::move(bytes), static_cast<int>(indices_.size()));
    if (is_new) series_.push_back(to_base64(at->first.data(), at->first.size()));
    return at->second;
  }
  Json take() { return Json(std::move(series_)); }

 private:
  std::map<std::string, int> indices_;
  std::vector<std::string> series_;
};

template <class Element>
std::string bytes_of(const std::vector<Element>& elements) {
  return {reinterpret_cast<const char*>(elements.data()), elements.size() * sizeof(Element)};
}

Json slices_json(const RunRecorder& run) {
  const double tick = run.makespan() > 0 ? run.makespan() / kTicks : 1;
  Shared shared;
  std::vector<int> series;
  for (std::size_t track = 0; track < run.slices().tracks(); ++track) {
    std::vector<PackedSlice> packed;
    for (const TimelineSlice& slice : run.slices().track(track))
      packed.push_back(pack(slice, tick));
    series.push_back(shared.index_of(bytes_of(packed)));
  }
  Json tracks = Json::array();
  for (std::size_t row = 0; row < run.shown().size(); ++row) {
    for (std::size_t stream = 0; stream < kStreams; ++stream) {
      tracks.push_back(series[run.recorded(row) * kStreams + stream]);
    }
  }
  return {{"tick_s", tick},
          {"resolution_s", run.slices().resolution().value},
          {"tracks", std::move(tracks)},
          {"series", shared.take()}};
}

Json memory_json(const RunRecorder& run) {
  Shared shared;
  std::vector<int> series;
  for (std::size_t rank = 0; rank < run.memory_over_time().ranks(); ++rank) {
    series.push_back(shared.index_of(bytes_of(run.memory_over_time().rank(rank))));
  }
  Json ranks = Json::array();
  for (std::size_t row = 0; row < run.shown().size(); ++row) {
    ranks.push_back(series[run.recorded(row)]);
  }
  Json categories = Json::array();
  for (int each = 0; each < static_cast<int>(MemoryCategory::kCount); ++each) {
    categories.push_back(to_text(static_cast<MemoryCategory>(each)));
  }
  return {{"width_s", run.memory_over_time().width().value},
          {"categories", std::move(categories)},
          {"ranks", std::move(ranks)},
          {"series", shared.take()}};
}

// What fits before the end of the run.
std::vector<double> until_end(const RunRecorder& run, const SumsOverTime& over_time,
                              std::size_t row) {
  std::vector<double> sums = over_time.row(row);
  const auto used = static_cast<std::size_t>(std::ceil(run.makespan() / over_time.width().value));
  sums.resize(std::min(sums.size(), std::max<std::size_t>(used, 1)));
  return sums;
}

Json activity_json(const RunRecorder& run) {
  Json axes = Json::array();
  for (std::size_t axis = 0; axis < kAxes; ++axis) {
    std::vector<double> busy = until_end(run, run.activity(), 1 + axis);
    if (std::all_of(busy.begin(), busy.end(), [](double each) { return each == 0; })) continue;
    axes.push_back({{"axis", to_text(static_cast<Axis>(axis))},
                    {"busy_s", std::move(busy)},
                    {"bytes", until_end(run, run.activity(), 1 + kAxes + axis)}});
  }
  return {{"width_s", run.activity().width().value},
          {"compute_s", until_end(run, run.activity(), 0)},
          {"axes", std::move(axes)}};
}

Json operators_json(const RunRecorder& run) {
  Json operators = Json::array();
  for (const OperatorTotal& each : run.operators()) {
    operators.push_back({{"name", run.operator_names()[each.name]},
                         {"phase", to_text(each.phase)},
                         {"kind", each.communication ? to_text(each.axis) : to_text(each.op_class)},
                         {"communication", each.communication},
                         {"busy_s", each.busy_s},
                         {"flops", each.flops},
                         {"bytes", each.bytes},
                         {"spans", each.spans}});
  }
  return operators;
}

Json rank_times_json(const RunRecorder& run) {
  const auto column = [&run](const auto& part) {
    std::vector<double> values;
    for (std::size_t row = 0; row < run.shown().size(); ++row) {
      values.push_back(part(run.time_of(row)));
    }
    return values;
  };
  Json network = Json::object();
  for (std::size_t axis = 0; axis < kAxes; ++axis) {
    std::vector<double> values = column([axis](const GpuTime& time) { return time.network[axis]; });
    if (std::all_of(values.begin(), values.end(), [](double each) { return each == 0; })) continue;
    network[to_text(static_cast<Axis>(axis))] = std::move(values);
  }
  return {{"compute", column([](const GpuTime& time) { return time.compute; })},
          {"network", std::move(network)},
          {"peer_wait", column([](const GpuTime& time) { return time.peer_wait; })},
          {"bubble", column([](const GpuTime& time) { return time.bubble; })},
          {"no_work", column([](const GpuTime& time) { return time.no_work; })},
          {"host", column([](const GpuTime& time) { return time.host; })}};
}

// The words for what a GPU's time goes into, by the last part of their field in result.json.
Json gpu_time_words_json() {
  Json words = Json::object();
  for (int kind = 0; kind < kGpuTimeKinds; ++kind) {
    const GpuTimeWord& word = word_of(static_cast<GpuTimeKind>(kind));
    words[word.key] = {{"name", word.name}, {"field", word.field}, {"definition", word.definition}};
  }
  return words;
}

// The busiest of them, and those of which the page has a line over time.
constexpr std::size_t kLinksShown = kMostAlikeNamed;
constexpr std::size_t kLinksOverTime = 40;

// By interval, of each link that is recorded over time, what it carried over what it could have.
struct LinkShares {
  std::vector<double> highest;
  std::vector<double> mean;
  std::vector<std::vector<double>> of;  // by LinkFlow::link
};

LinkShares link_shares(const RunRecorder& run) {
  LinkShares shares;
  const SumsOverTime& bytes = run.link_bytes();
  shares.of.resize(bytes.rows());
  double links = 0;
  for (const LinkUse& link : run.link_use()) {
    if (link.link >= static_cast<int>(bytes.rows())) continue;
    std::vector<double>& shown = shares.of[link.link] = until_end(run, bytes, link.link);
    shares.highest.resize(shown.size());
    shares.mean.resize(shown.size());
    links += 1 + link.alike;
    for (std::size_t at = 0; at < shown.size(); ++at) {
      const double begin = static_cast<double>(at) * bytes.width().value;
      const double width = std::min(bytes.width().value, run.makespan() - begin);
      // Rounding may make a full link fuller.
      shown[at] = width > 0 ? std::min(1.0, shown[at] / (link.bandwidth.value * width)) : 0;
      shares.highest[at] = std::max(shares.highest[at], shown[at]);
      shares.mean[at] += shown[at] * (1 + link.alike);
    }
  }
  for (double& each : shares.mean) each /= links;
  return shares;
}

Json links_json(const RunRecorder& run) {
  std::vector<LinkUse> links = run.link_use();
  const auto share = [](const LinkUse& link) { return link.carried.value / link.bandwidth.value; };
  std::stable_sort(links.begin(), links.end(),
                   [&](const LinkUse& a, const LinkUse& b) { return share(a) > share(b); });
  LinkShares shares = link_shares(run);
  Json busiest = Json::array();
  std::size_t used = 0;
  for (const LinkUse& link : links) {
    used += 1 + static_cast<std::size_t>(link.alike);
    const auto add = [&](const std::string& name) {
      if (busiest.size() == kLinksShown) return;
      const bool over_time =
          busiest.size() < kLinksOverTime && link.link < static_cast<int>(shares.of.size());
      Json& json = busiest.emplace_back();
      json = {{"name", name},
              {"bandwidth", link.bandwidth.value},
              {"carried_bytes", link.carried.value},
              {"utilization", share(link) / run.makespan()}};
      if (over_time) json["over_time"] = shares.of[link.link];
    };
    add(link.name);
    for (const std::string& name : link.alike_names) add(name);
  }
  return {{"used", used},
          {"width_s", run.link_bytes().width().value},
          {"highest", std::move(shares.highest)},
          {"mean", std::move(shares.mean)},
          {"busiest", std::move(busiest)}};
}

}  // namespace

std::string run_page(const std::string& title, const std::string& result, const RunRecorder& run,
                     const PageAbout& about) {
  Json data = {{"kind", "run"},
               {"title", title},
               {"about", json_of(about)},
               {"result", Json::parse(result)},
               {"makespan_s", run.makespan()},
               {"ranks", run.ranks()},
               {"alike_replicas", run.alike_replicas()},
               {"shown", run.shown()},
               {"shown_names", run.shown_names()}};
  Json streams = Json::array();
  for (int stream = 0; stream < kStreams; ++stream) {
    streams.push_back(to_text(static_cast<Stream>(stream)));
  }
  data["streams"] = std::move(streams);
  data["operators"] = operators_json(run);
  data["rank_times"] = rank_times_json(run);
  data["gpu_time_words"] = gpu_time_words_json();
  data["slices"] = slices_json(run);
  data["memory"] = memory_json(run);
  data["activity"] = activity_json(run);
  data["links"] = links_json(run);
  const ExpertLoad& experts = run.experts();
  if (!experts.copies.empty()) {
    data["experts"] = {
        {"layers", experts.layers}, {"experts", experts.experts}, {"copies", experts.copies}};
  }
  return html_page(title, data, {kAssetTimeline, kAssetRun});
}

}  // namespace rehearse
