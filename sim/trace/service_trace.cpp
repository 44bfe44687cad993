// All is known when this is written, so that it goes replica by replica, and request by request.
#include "trace/service_trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "trace/gzip_stream.hpp"
#include "trace/json_text.hpp"

namespace rehearse {
namespace {

using Nanoseconds = std::int64_t;
using serving::Phase;
using serving::Picoseconds;
using serving::ServiceResult;
using serving::Slice;

Nanoseconds rounded(Picoseconds date) { return (date + 500) / 1000; }

std::string microseconds(Nanoseconds time) {
  return fmt::format("{}.{:03}", time / 1000, time % 1000);
}

// What a step is for.
const char* name_of(const serving::Batch& batch) {
  if (batch.empty()) return "dummy";
  const auto is_prompt = [](const Slice& slice) { return slice.prompt; };
  if (std::ranges::all_of(batch, is_prompt)) return "prefill";
  return std::ranges::any_of(batch, is_prompt) ? "prefill and decode" : "decode";
}

class Writer {
 public:
  Writer(const Plan& plan, const ServiceResult& result, const TraceOptions& options)
      : plan_(plan),
        result_(result),
        options_(options),
        window_{to_nanoseconds(options.window.begin), to_nanoseconds(options.window.end)},
        prefilling_(result.prefill_engines * result.prefill_ranks),
        replicas_(prefilling_ +
                  (static_cast<int>(result.totals.size()) - result.prefill_engines) * result.ranks),
        shown_(replicas_, options.ranks.empty()),
        out_(options.path) {
    for (const RankRange& range : options.ranks) {
      if (range.last >= replicas_) {
        throw InputError(range.where, fmt::format("replica {} is not there: the service has {} "
                                                  "replicas, from 0 on",
                                                  range.last, replicas_));
      }
      std::fill(shown_.begin() + range.first, shown_.begin() + range.last + 1, true);
    }
    // Readers take the thread whose number is its process's for the main one: those of threads lie
    // above all processes.
    thread_ = 10;
    while (thread_ <= replicas_) thread_ *= 10;
  }

  void write() {
    out_.write(
        fmt::format("{{\"schemaVersion\":1,\"displayTimeUnit\":\"ms\",\"traceName\":\"{}\","
                    "\"traceEvents\":[\n",
                    escape_json(options_.title)));
    name_processes();
    write_steps();
    write_counters();
    for (int request = 0; request < static_cast<int>(result_.requests.size()); ++request) {
      write_request(request);
    }
    out_.write("\n]}\n");
    out_.finish(options_.together);
  }

 private:
  struct Window {
    Nanoseconds begin = 0;
    Nanoseconds end = 0;
    bool overlaps(Nanoseconds from, Nanoseconds to) const {
      return from < end && (to > begin || from >= begin);
    }
  };

  void event(const std::string& text) {
    if (!first_) out_.write(",\n");
    first_ = false;
    out_.write(text);
  }
  void name(const char* kind, int pid, int tid, const std::string& name) {
    event(
        fmt::format("{{\"ph\":\"M\",\"name\":\"{}\",\"pid\":{},\"tid\":{},\"args\":{{\"name\":"
                    "\"{}\"}}}}",
                    kind, pid, tid, name));
  }
  void sort(int pid, int index) {
    event(
        fmt::format("{{\"ph\":\"M\",\"name\":\"process_sort_index\",\"pid\":{},\"tid\":0,"
                    "\"args\":{{\"sort_index\":{}}}}}",
                    pid, index));
  }

  void name_processes() {
    name("process_name", replicas_, 0, "requests");
    sort(replicas_, -1);
    for (int replica = 0; replica < replicas_; ++replica) {
      if (!shown_[replica]) continue;
      name("process_name", replica, 0, name_of_replica(replica));
      sort(replica, replica);
    }
  }

  // Prefill replicas first.
  int replica_of(int engine, int rank) const {
    if (engine < result_.prefill_engines) return engine * result_.prefill_ranks + rank;
    return prefilling_ + (engine - result_.prefill_engines) * result_.ranks + rank;
  }
  std::string name_of_replica(int replica) const {
    if (prefilling_ == 0) return fmt::format("replica {}", replica);
    return replica < prefilling_ ? fmt::format("prefill replica {}", replica)
                                 : fmt::format("decode replica {}", replica - prefilling_);
  }

  // On the first of the replica's threads that is free.
  int lane(int replica, Nanoseconds start, Nanoseconds end) {
    std::vector<Nanoseconds>& ends = lanes_[replica];
    const auto free = std::ranges::find_if(ends, [&](Nanoseconds last) { return last <= start; });
    const auto found = static_cast<int>(free - ends.begin());
    if (free == ends.end()) {
      ends.push_back(end);
      name("thread_name", replica, thread_ + 1 + found,
           found == 0 ? "steps" : fmt::format("steps ({})", found + 1));
    }
    ends[found] = end;
    return found;
  }

  void write_steps() {
    for (const serving::LoggedStep& logged : result_.steps) {
      const serving::StepRecord& step = logged.step;
      const int replica = replica_of(logged.engine, step.rank);
      const Nanoseconds start = rounded(step.start);
      const Nanoseconds end = rounded(step.end);
      if (!shown_[replica] || !window_.overlaps(start, end)) continue;
      std::int64_t tokens = 0;
      std::int64_t context = 0;
      for (const Slice& slice : step.batch) {
        tokens += slice.tokens;
        context += slice.context;
      }
      const int thread = thread_ + 1 + lane(replica, start, end);
      event(
          fmt::format("{{\"ph\":\"X\",\"cat\":\"step\",\"name\":\"{}\",\"pid\":{},\"tid\":{},"
                      "\"ts\":{},\"dur\":{},\"args\":{{\"requests\":{},\"tokens\":{},"
                      "\"context\":{}}}}}",
                      name_of(step.batch), replica, thread, microseconds(start),
                      microseconds(end - start), step.batch.size(), tokens, context));
    }
  }

  // What changes at a date.
  struct Change {
    int waiting = 0;
    int running = 0;
  };

  void write_counters() {
    std::vector<std::map<Nanoseconds, Change>> changes(replicas_);
    for (const serving::ServedRequest& each : result_.requests) {
      if (each.phase != Phase::kFinished) continue;
      // Where there are pools, a prompt is of its prefill replica until it is done.
      const bool pools = prefilling_ > 0;
      const int decodes = replica_of(each.replica / result_.ranks, each.replica % result_.ranks);
      const int first = pools ? each.prefill_replica : decodes;
      ++changes[first][rounded(each.arrival)].waiting;
      Change& starts = changes[first][rounded(each.first_scheduled)];
      --starts.waiting;
      ++starts.running;
      if (pools) {
        --changes[first][rounded(each.prefilled)].running;
        ++changes[decodes][rounded(each.prefilled)].running;
      }
      --changes[decodes][rounded(each.last_token)].running;
    }
    for (int replica = 0; replica < replicas_; ++replica) {
      if (!shown_[replica]) continue;
      Change now;
      for (auto at = changes[replica].begin(); at != changes[replica].end(); ++at) {
        now.waiting += at->second.waiting;
        now.running += at->second.running;
        const auto next = std::next(at);
        const Nanoseconds until = next == changes[replica].end() ? at->first : next->first;
        if (!window_.overlaps(at->first, until)) continue;
        event(
            fmt::format("{{\"ph\":\"C\",\"name\":\"requests\",\"pid\":{},\"ts\":{},\"args\":{{"
                        "\"waiting\":{},\"running\":{}}}}}",
                        replica, microseconds(at->first), now.waiting, now.running));
      }
    }
  }

  void async(char phase, int request, const std::string& name, Nanoseconds date,
             const std::string& args = {}) {
    event(
        fmt::format("{{\"ph\":\"{}\",\"cat\":\"request\",\"id\":{},\"name\":\"{}\",\"pid\":{},"
                    "\"tid\":{},\"ts\":{}{}}}",
                    phase, request, name, replicas_, thread_, microseconds(date), args));
  }

  void write_request(int request) {
    const serving::ServedRequest& its = result_.requests[request];
    const Request& asked = plan_.serve->requests[request];
    const std::string name = fmt::format("request {}", request);
    const Nanoseconds arrival = rounded(its.arrival);
    if (its.phase != Phase::kFinished) {
      if (!window_.overlaps(arrival, arrival)) return;
      async('b', request, name + " refused", arrival);
      async('e', request, name + " refused", arrival);
      return;
    }
    const Nanoseconds scheduled = rounded(its.first_scheduled);
    const Nanoseconds first = rounded(its.first_token);
    const Nanoseconds last = rounded(its.last_token);
    if (!window_.overlaps(arrival, last)) return;
    async('b', request, name, arrival,
          fmt::format(",\"args\":{{\"replica\":{},\"prompt_tokens\":{},\"output_tokens\":{},"
                      "\"cached_tokens\":{},\"preemptions\":{},\"ttft_us\":{}}}",
                      its.replica, asked.prompt_tokens, asked.output_tokens, its.cached_tokens,
                      its.preemptions, microseconds(first - arrival)));
    const auto part = [&](const char* of, Nanoseconds from, Nanoseconds to) {
      if (from == to) return;
      async('b', request, of, from);
      async('e', request, of, to);
    };
    part("queue", arrival, scheduled);
    part("prefill", scheduled, first);
    part("decode", first, last);
    async('e', request, name, last);
  }

  const Plan& plan_;
  const ServiceResult& result_;
  const TraceOptions& options_;
  const Window window_;
  const int prefilling_;  // prefill replicas
  const int replicas_;
  std::vector<bool> shown_;  // by replica
  GzipStream out_;
  int thread_ = 0;
  bool first_ = true;
  std::map<int, std::vector<Nanoseconds>> lanes_;  // by replica: the end of the last step on each
};

}  // namespace

void service_trace(const Plan& plan, const ServiceResult& result, const TraceOptions& options) {
  SIM_CHECK(plan.serve && plan.serve->requests.size() == result.requests.size(),
            "a result of other requests");
  Writer(plan, result, options).write();
}

}  // namespace rehearse
