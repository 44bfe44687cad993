#include "cluster/cluster.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <simgrid/Exception.hpp>
#include <simgrid/kernel/routing/StarZone.hpp>
#include <simgrid/s4u.hpp>
#include <stdexcept>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/error.hpp"
#include "base/interrupts.hpp"
#include "cluster/composed_routes.hpp"
#include "cluster/crash_guard.hpp"
#include "cluster_xml/check_platform_xml.hpp"

namespace rehearse {
namespace {

namespace s4u = simgrid::s4u;

// "Parse error at FILE:LINE: WHAT" is how SimGrid words a ParseError; the rest of its exceptions
// know no place.
InputError input_error(const std::string& path, const std::string& text) {
  const std::string start = fmt::format("Parse error at {}:", path);
  SourceLocation where{path, 1, 1};
  std::string what = text;
  if (text.starts_with(start)) {
    std::size_t digits = 0;
    where.line = std::stoi(text.substr(start.size()), &digits);
    what = text.substr(std::min(start.size() + digits + 2, text.size()));
  }
  // One line per error: SimGrid appends lists of what exists.
  what.resize(std::min(what.find('\n'), what.size()));
  return InputError(where, fmt::format("SimGrid cannot load this platform: {}", what));
}

// Runs a call into SimGrid; what it throws about the user's mistake becomes an InputError.
template <class Call>
void translated(const std::string& path, const Call& call) {
  try {
    call();
  } catch (const simgrid::Exception& error) {  // AssertionError, ParseError
    throw input_error(path, error.what());
  } catch (const std::invalid_argument& error) {
    throw input_error(path, error.what());
  } catch (const std::out_of_range& error) {
    throw input_error(path, error.what());
  }
}

// The same where SimGrid might abort: that ends as one line (CrashGuard).
template <class Call>
void guarded(const std::string& path, const Call& call) {
  translated(path, [&] {
    const CrashGuard guard(path);
    call();
  });
}

// The network model is the datasheet: no protocol overhead (CM02 instead of LV08, which multiplies
// latencies by 13.01 and bandwidths by 0.97), no traffic of acknowledgements, no cap by window over
// latency, shares that do not depend on the latency of the route (weight-S), and events apart by
// less than a nanosecond kept apart (precision). Who sends waits for the latency (latency-factor):
// a protocol may add to it.
std::unique_ptr<s4u::Engine> configure_simgrid() {
  SIM_CHECK(!s4u::Engine::is_initialized(), "SimGrid runs one simulation per process");
  // Guards are off, because 32k actors with one exhaust vm.max_map_count.
  std::vector<std::string> options = {"rehearse",
                                      "--log=root.thresh:critical",
                                      "--cfg=network/model:CM02",
                                      "--cfg=network/crosstraffic:0",
                                      "--cfg=network/TCP-gamma:1e20",
                                      "--cfg=network/weight-S:1e9",
                                      "--cfg=network/latency-factor:0",
                                      "--cfg=surf/precision:1e-12",
                                      fmt::format("--cfg=contexts/stack-size:{}", kActorStackKiB),
                                      "--cfg=contexts/guard-size:0"};
  std::vector<char*> arguments;
  arguments.reserve(options.size() + 1);
  for (std::string& option : options) arguments.push_back(option.data());
  int count = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  const HandlersKept handlers;  // SimGrid's end the program with exit code 1
  auto engine = std::make_unique<s4u::Engine>(&count, arguments.data());
  SIM_CHECK(count == 1, "SimGrid did not take all of its options");
  return engine;
}

std::vector<std::string> materialise(const NameRange& names) {
  if (names.numbers.empty()) return {names.prefix};
  std::vector<std::string> all;
  all.reserve(static_cast<std::size_t>(names.count()));
  for (const auto& [first, last] : names.numbers) {
    for (std::int64_t number = first; number <= last; ++number) {
      all.push_back(fmt::format("{}{}{}", names.prefix, number, names.suffix));
    }
  }
  return all;
}

// From file order, where the hosts of a rail stand together, to the order of ranks, where the rails
// take turns.
template <class Item>
std::vector<Item> by_rank(std::vector<Item> in_file, int rails) {
  if (rails == 1) return in_file;
  std::vector<Item> ordered;
  ordered.reserve(in_file.size());
  const std::size_t rail_size = in_file.size() / rails;
  for (std::size_t host = 0; host < rail_size; ++host) {
    for (int rail = 0; rail < rails; ++rail) {
      ordered.push_back(std::move(in_file[rail * rail_size + host]));
    }
  }
  return ordered;
}

Platform describe_platform(const std::string& path, const PlatformFile& file) {
  Platform platform;
  platform.path = path;
  platform.cost = cost_per_gpu(file);
  platform.assumed = guesses_of(file);
  for (const GpuHosts& group : file.gpus) {
    const auto known = std::find(platform.devices.begin(), platform.devices.end(), group.device);
    const int device = static_cast<int>(known - platform.devices.begin());
    if (known == platform.devices.end()) platform.devices.push_back(group.device);
    for (std::string& host : materialise(group.names)) {
      platform.gpus.push_back({std::move(host), device, group.domain, ""});
    }
  }
  platform.gpus = by_rank(std::move(platform.gpus), file.rails);
  if (!file.ports) return platform;
  std::vector<std::string> ports = materialise(file.ports->names);
  for (std::size_t gpu = 0; gpu < platform.gpus.size(); ++gpu) {
    platform.gpus[gpu].port = std::move(ports[gpu]);
    platform.gpus[gpu].domain = static_cast<int>(gpu) / file.ports->gpus_per_domain;
  }
  return platform;
}

Link describe_link(const s4u::Link& link) {
  return {link.get_name(),
          {link.get_bandwidth()},
          link.get_sharing_policy() != s4u::Link::SharingPolicy::FATPIPE};
}

// SimGrid's links of a family; a SPLITDUPLEX link is two.
std::vector<s4u::Link*> links_of(const s4u::Engine& engine, const LinkFamily& family) {
  std::vector<s4u::Link*> links;
  if (!family.cluster.empty()) {
    const s4u::NetZone* const zone = engine.netzone_by_name_or_null(family.cluster);
    SIM_CHECK(zone != nullptr, "SimGrid has no zone of the cluster " + family.cluster);
    for (s4u::Link* const link : zone->get_impl()->get_all_links()) {
      const std::string& name = link->get_name();
      if (name.ends_with("_loopback") || name.ends_with("_limiter")) continue;
      if ((name == family.cluster + "_backbone") == family.backbone) links.push_back(link);
    }
    return links;
  }
  for (const std::string& name : materialise(family.names)) {
    for (const char* const direction : {"", "_UP", "_DOWN"}) {
      s4u::Link* const link = engine.link_by_name_or_null(name + direction);
      if (link != nullptr) links.push_back(link);
    }
  }
  return links;
}

void make_links_faster(const s4u::Engine& engine, const PlatformFile& file, const Faster& faster) {
  for (const LinkFamily& family : file.resources.links) {
    if (family.resource != faster.resource) continue;
    const std::vector<s4u::Link*> links = links_of(engine, family);
    SIM_CHECK(!links.empty(), "SimGrid has none of the " + family.resource);
    for (s4u::Link* const link : links) link->set_bandwidth(link->get_bandwidth() * faster.factor);
  }
}

// A GPU's hosts in SimGrid; no port in a single-fabric platform.
struct Ends {
  s4u::Host* host = nullptr;
  s4u::Host* port = nullptr;
  std::int64_t group = 0;  // the <host> or <cluster> in the file
};

// SimGrid looks for a host in each zone in turn.
class HostsByName {
 public:
  explicit HostsByName(const s4u::Engine& engine) {
    const std::vector<s4u::Host*> all = engine.get_all_hosts();
    hosts_.reserve(all.size());
    for (s4u::Host* const host : all) hosts_.emplace(host->get_name(), host);
  }
  s4u::Host* find(const std::string& name) const {
    const auto known = hosts_.find(name);
    return known == hosts_.end() ? s4u::Host::by_name(name) : known->second;  // which throws
  }

 private:
  std::unordered_map<std::string_view, s4u::Host*> hosts_;
};

// Numbers the star zones (`<cluster>` without a topology) in the order in which hosts name them.
class StarZones {
 public:
  int index_of(const s4u::Host* host) {
    if (host == nullptr) return ComposedRoutes::kNoZone;
    const s4u::NetZone* zone = host->get_englobing_zone();
    if (dynamic_cast<const simgrid::kernel::routing::StarZone*>(zone->get_impl()) == nullptr) {
      return ComposedRoutes::kNoZone;
    }
    return index_.try_emplace(zone, static_cast<int>(index_.size())).first->second;
  }

 private:
  std::unordered_map<const s4u::NetZone*, int> index_;
};

}  // namespace

struct Cluster::State {
  Platform platform;
  std::unique_ptr<s4u::Engine> engine;
  std::vector<Ends> ends;  // per GPU
  std::vector<Link> links;
  std::unordered_map<const s4u::Link*, int> index_of;
  std::vector<s4u::Link*> crossed;  // the route in hand; kept for its memory
  std::unordered_set<std::int64_t> proven;
  ComposedRoutes composed;  // ends: 2 x GPU its host, 2 x GPU + 1 its port
  Route found;

  void find_ends(const PlatformFile& file);
  Route look_up(int from, int to, bool scale_up);

  int index(const s4u::Link* link);
  bool is_proven(int from, int to, bool scale_up);
};

int Cluster::State::index(const s4u::Link* link) {
  const auto [at, fresh] = index_of.try_emplace(link, static_cast<int>(links.size()));
  if (fresh) links.push_back(describe_link(*link));
  return at->second;
}

// Whether a route between the same two <cluster>s (or <host>s) was found before: then this one
// takes the same zones and cannot abort either, and the guard, dearer than the lookup, can be left
// out.
bool Cluster::State::is_proven(int from, int to, bool scale_up) {
  const auto groups = ends.back().group + 1;
  const std::int64_t pair = ends[from].group * groups + ends[to].group;
  return !proven.insert(2 * pair + (scale_up ? 1 : 0)).second;
}

void Cluster::State::find_ends(const PlatformFile& file) {
  const HostsByName hosts(*engine);
  ends.reserve(platform.gpus.size());
  for (const Gpu& gpu : platform.gpus) {
    ends.push_back({hosts.find(gpu.host), gpu.port.empty() ? nullptr : hosts.find(gpu.port)});
  }
  StarZones stars;
  for (const Ends& each : ends) {
    composed.add_end(stars.index_of(each.host));
    composed.add_end(stars.index_of(each.port));
  }
  composed.finish_ends();
  std::vector<std::int64_t> groups;
  for (std::size_t group = 0; group < file.gpus.size(); ++group) {
    const std::int64_t size = std::max<std::int64_t>(file.gpus[group].names.count(), 1);
    groups.insert(groups.end(), size, static_cast<std::int64_t>(group));
  }
  groups = by_rank(std::move(groups), file.rails);
  for (std::size_t gpu = 0; gpu < groups.size(); ++gpu) ends[gpu].group = groups[gpu];
}

Cluster::Cluster(std::unique_ptr<State> state) : state_(std::move(state)) {}
Cluster::Cluster(Cluster&&) noexcept = default;
Cluster::~Cluster() = default;

const Platform& Cluster::platform() const { return state_->platform; }
const std::vector<Link>& Cluster::links() const { return state_->links; }
const ComposedRoutes& Cluster::composed() const { return state_->composed; }

std::vector<Link> Cluster::all_links() const {
  std::vector<Link> all;
  for (const s4u::Link* link : state_->engine->get_all_links()) {
    if (!link->get_name().starts_with("__")) all.push_back(describe_link(*link));  // __loopback__
  }
  std::sort(all.begin(), all.end(), [](const Link& a, const Link& b) { return a.name < b.name; });
  return all;
}

Route Cluster::State::look_up(int from, int to, bool scale_up) {
  const s4u::Host* source = scale_up ? ends[from].port : ends[from].host;
  const s4u::Host* target = scale_up ? ends[to].port : ends[to].host;
  crossed.clear();
  double latency = 0;
  const auto ask = [&] { source->route_to(target, crossed, &latency); };
  if (is_proven(from, to, scale_up)) {
    translated(platform.path, ask);
  } else {
    guarded(platform.path, ask);
  }
  if (crossed.empty()) {
    throw InputError({platform.path, 1, 1},
                     fmt::format("the platform has no route from \"{}\" to \"{}\"",
                                 source->get_name(), target->get_name()));
  }
  Route route;
  route.latency = {latency};
  route.links.reserve(crossed.size());
  for (const s4u::Link* link : crossed) route.links.push_back(index(link));
  return route;
}

const Route& Cluster::route(int from, int to) {
  State& state = *state_;
  SIM_CHECK(from != to, "a GPU has no route to itself");
  const bool scale_up = joined_by_ports(state.platform.gpus[from], state.platform.gpus[to]);
  const int port = scale_up ? 1 : 0;
  if (state.composed.knows(2 * from + port, 2 * to + port)) {
    state.composed.compose(2 * from + port, 2 * to + port, state.found);
    return state.found;
  }
  Route route = state.look_up(from, to, scale_up);
  state.composed.learn(2 * from + port, 2 * to + port, route, [&](int other_from, int other_to) {
    return state.look_up(other_from / 2, other_to / 2, scale_up);
  });
  state.found = std::move(route);
  return state.found;
}

Route Cluster::route_in_simgrid(int from, int to) {
  return state_->look_up(from, to,
                         joined_by_ports(state_->platform.gpus[from], state_->platform.gpus[to]));
}

Cluster load_cluster(const std::string& path, const Faster& faster,
                     const std::vector<GpusAt>& gpus_at) {
  const PlatformFile file = check_platform_xml(path, gpus_at);
  auto state = std::make_unique<Cluster::State>();
  state->platform = describe_platform(path, file);
  for (Device& device : state->platform.devices) make_faster(device, faster);
  state->engine = configure_simgrid();
  guarded(path, [&] {
    state->engine->load_platform(path);
    state->engine->seal_platform();
    make_links_faster(*state->engine, file, faster);
  });
  translated(path, [&] { state->find_ends(file); });
  state->index_of.reserve(4 * state->ends.size());
  return Cluster(std::move(state));
}

}  // namespace rehearse
