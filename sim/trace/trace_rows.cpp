#include "trace/trace_rows.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "trace/event_text.hpp"

namespace rehearse {

TraceRows::TraceRows(const Programs& programs, const std::vector<RankRange>& wanted)
    : programs_(programs),
      copies_(programs, wanted.empty() ? RankCopies::Which::kSimulated : RankCopies::Which::kAll),
      groups_(copies_.groups()),
      row_of_copy_(copies_.size(), -1) {
  choose(wanted);
  render();
}

void TraceRows::choose(const std::vector<RankRange>& wanted) {
  std::vector<char> chosen(copies_.size(), wanted.empty() ? 1 : 0);
  for (const RankRange& range : wanted) {
    if (range.last >= copies_.size()) {
      throw InputError(range.where, fmt::format("rank {} does not exist: the plan's ranks are 0-{}",
                                                range.last, copies_.size() - 1));
    }
    std::fill(chosen.begin() + range.first, chosen.begin() + range.last + 1, 1);
  }
  std::vector<char> shown(copies_.replicas(), 0);
  for (Rank copy = 0; copy < copies_.size(); ++copy) {
    if (chosen[copy] == 0) continue;
    row_of_copy_[copy] = static_cast<int>(shown_.size());
    shown_.push_back(copy);
    shown[copies_.replica_of(copy)] = 1;
  }
  for (int replica = 0; replica < copies_.replicas(); ++replica) {
    if (shown[replica] != 0) replicas_.push_back(replica);
  }
  for (Rank image = 0; image < static_cast<Rank>(programs_.ranks.size()); ++image) {
    first_row_.push_back(static_cast<int>(rows_.size()));
    for (const int replica : replicas_) {
      if (row_of(image, replica) >= 0) rows_.push_back(row_of(image, replica));
    }
  }
  first_row_.push_back(static_cast<int>(rows_.size()));
  rows_.push_back(-1);
  for (const ProcessGroup& group : programs_.groups.groups) {
    shown_in_group_.push_back(static_cast<int>(std::count_if(
        group.ranks.begin(), group.ranks.end(), [this](Rank image) { return shows(image); })));
  }
}

void TraceRows::render() {
  const std::uint32_t base = thread_base(programs_);
  group_texts_.resize(groups_.groups.size());
  for (int row = 0; row < static_cast<int>(shown_.size()); ++row) {
    std::array<std::string, kStreams>& threads = threads_.emplace_back();
    for (std::uint32_t stream = 0; stream < kStreams; ++stream) {
      threads[stream] =
          render_thread(static_cast<std::uint32_t>(number_of(row)), base + stream + 1);
    }
    for (const int group : groups_.of_rank[shown_[row]]) {
      if (!group_texts_[group].empty()) continue;
      group_texts_[group] = render_group(copies_, group, groups_.groups[group]);
    }
  }
}

void TraceRows::write_head(const std::string& title, GzipStream& out) const {
  const Rank first = shown_.empty() ? 0 : number_of(0);
  out.write(render_container(copies_, groups_, title, first, programs_.all_ranks()));
  const std::uint32_t base = thread_base(programs_);
  // The requests' process comes first on the screen, and its name first in the file: every later
  // event can then begin with a comma.
  const auto requests = static_cast<std::uint32_t>(programs_.all_ranks());
  out.write(render_name("process_name", requests, 0, "requests"));
  out.write(",\n" + render_sort_index("process_sort_index", requests, 0, -1));
  for (int row = 0; row < static_cast<int>(shown_.size()); ++row) {
    const auto pid = static_cast<std::uint32_t>(number_of(row));
    out.write(",\n" +
              render_name("process_name", pid, 0, describe_rank(programs_, copies_, shown_[row])));
    out.write(",\n" + render_sort_index("process_sort_index", pid, 0, number_of(row)));
    for (int stream = 0; stream < kStreams; ++stream) {
      const std::uint32_t tid = base + static_cast<std::uint32_t>(stream) + 1;
      const char* name = to_text(static_cast<Stream>(stream));
      out.write(",\n" + render_name("thread_name", pid, tid, name));
      out.write(",\n" + render_sort_index("thread_sort_index", pid, tid, stream));
    }
  }
}

}  // namespace rehearse
