#include "trace/importer_rules.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

namespace rehearse {
namespace {

std::string describe(const ImportedEvent& event) {
  return std::string("event ") + event.phase + " \"" + event.name + "\" (pid " +
         std::to_string(event.pid) + ", tid " + std::to_string(event.tid) + ", ts " +
         std::to_string(event.ts) + " ns, dur " + std::to_string(event.dur) + " ns, id " +
         (event.id.empty() ? event.bind_id : event.id) + ")";
}

// Goes through the events as the importer does: by time, those of one time in the file's order.
class Importer {
 public:
  explicit Importer(std::vector<std::string> violations) : violations_(std::move(violations)) {}

  void take(const ImportedEvent& event) {
    switch (event.phase) {
      case 'X':
        return take_slice(event);
      case 's':
      case 't':
      case 'f':
        return take_flow(event);
      case 'C':
        return take_counter(event);
      case 'b':
      case 'n':
      case 'e':
        return take_async(event);
      case 'M':
        return take_metadata(event);
      default:
        return;
    }
  }

  std::vector<std::string> finish() {
    for (const auto& [identity, flow] : flows_) {
      if (flow.arrows == 0) violate(*flow.start, "starts a flow that goes nowhere");
    }
    for (const auto& [identity, open] : asyncs_) {
      for (const ImportedEvent* event : open) violate(*event, "is begun and never ended");
    }
    return std::move(violations_);
  }

 private:
  using Thread = std::pair<std::uint32_t, std::uint32_t>;
  using Identity = std::tuple<std::string, std::string, std::string>;
  struct Slice {
    std::int64_t start = 0;
    std::int64_t end = 0;
  };
  struct Flow {
    const ImportedEvent* start = nullptr;
    int arrows = 0;
  };

  void violate(const ImportedEvent& event, const std::string& what) {
    violations_.push_back(describe(event) + " " + what);
  }

  std::vector<Slice>& open_slices(const ImportedEvent& event) {
    std::vector<Slice>& stack = slices_[{event.pid, event.tid}];
    while (!stack.empty() && stack.back().end <= event.ts) stack.pop_back();
    return stack;
  }

  void take_slice(const ImportedEvent& event) {
    std::vector<Slice>& stack = open_slices(event);
    const Slice slice = {event.ts, event.ts + event.dur};
    if (!stack.empty() && slice.end > stack.back().end) {
      return violate(event, "overlaps in part a slice that ends at " +
                                std::to_string(stack.back().end) + " ns");
    }
    stack.push_back(slice);
    if (!event.bind_id.empty()) take_bound_flow(event);
  }

  void take_bound_flow(const ImportedEvent& event) {
    if (!event.flow_in && !event.flow_out) return violate(event, "has a bind_id, no direction");
    const Identity identity = {"bind_id", event.bind_id, ""};
    if (event.flow_in) {
      arrive(event, identity);
    } else {
      start(event, identity);
    }
  }

  void take_flow(const ImportedEvent& event) {
    if (event.id.empty()) return violate(event, "has no id");
    if (open_slices(event).empty()) violate(event, "stands in no open slice of its thread");
    const Identity identity = {event.id, event.cat, event.name};
    if (event.phase == 's') return start(event, identity);
    if (event.phase == 'f' && !event.binds_enclosing) {
      violate(event, "without \"bp\":\"e\" binds to the next slice");
    }
    arrive(event, identity);
  }

  void start(const ImportedEvent& event, const Identity& identity) {
    if (!flows_.try_emplace(identity, Flow{&event, 0}).second) {
      violate(event, "starts a flow of an id that is taken");
    }
  }

  void arrive(const ImportedEvent& event, const Identity& identity) {
    const auto flow = flows_.find(identity);
    if (flow == flows_.end()) return violate(event, "ends a flow that has not started");
    ++flow->second.arrows;
  }

  void take_counter(const ImportedEvent& event) {
    if (!event.args.is_object() || event.args.empty()) return violate(event, "has no args");
    for (const auto& [key, value] : event.args.items()) {
      if (!value.is_number() && !is_numeric_text(value)) {
        violate(event, "has a series \"" + key + "\" that is not a number");
      }
    }
  }

  static bool is_numeric_text(const nlohmann::json& value) {
    if (!value.is_string()) return false;
    const std::string& text = value.get_ref<const std::string&>();
    std::size_t used = 0;
    try {
      std::stod(text, &used);
    } catch (const std::exception&) {
      return false;
    }
    return used == text.size();
  }

  void take_async(const ImportedEvent& event) {
    if (event.id.empty()) return violate(event, "has no id");
    std::vector<const ImportedEvent*>& open = asyncs_[{event.cat, event.id}];
    if (event.phase == 'b') {
      open.push_back(&event);
    } else if (open.empty()) {
      violate(event, "stands outside any begun one of its cat and id");
    } else if (event.phase == 'e') {
      if (open.back()->name != event.name) violate(event, "ends one of another name");
      open.pop_back();
    }
  }

  void take_metadata(const ImportedEvent& event) {
    static const std::map<std::string_view, const char*> kArguments = {
        {"process_name", "name"},
        {"process_labels", "labels"},
        {"process_sort_index", "sort_index"},
        {"thread_name", "name"},
        {"thread_sort_index", "sort_index"}};
    const auto known = kArguments.find(event.name);
    if (known == kArguments.end()) return violate(event, "is unknown metadata");
    if (!event.args.is_object() || !event.args.contains(known->second)) {
      return violate(event, std::string("has no args.") + known->second);
    }
    const nlohmann::json& value = event.args[known->second];
    const bool is_text = value.is_string() && !value.get_ref<const std::string&>().empty();
    const bool wants_text = std::string_view(known->second) != "sort_index";
    if (wants_text ? !is_text : !value.is_number_integer()) {
      violate(event, std::string("has an args.") + known->second + " of the wrong type");
    }
  }

  std::vector<std::string> violations_;
  std::map<Thread, std::vector<Slice>> slices_;
  std::map<Identity, Flow> flows_;
  std::map<std::pair<std::string, std::string>, std::vector<const ImportedEvent*>> asyncs_;
};

}  // namespace

std::vector<std::string> check_importer_rules(const ImportedTrace& trace) {
  std::vector<const ImportedEvent*> order;
  order.reserve(trace.events.size());
  for (const ImportedEvent& event : trace.events) order.push_back(&event);
  std::stable_sort(order.begin(), order.end(),
                   [](const ImportedEvent* a, const ImportedEvent* b) { return a->ts < b->ts; });
  Importer importer(trace.violations);
  for (const ImportedEvent* event : order) importer.take(*event);
  return importer.finish();
}

}  // namespace rehearse
