// The processes of a trace: the ranks that it shows, under their numbers in the whole plan. Where
// one replica was simulated for others that are alike, a rank that was simulated has as many
// processes as copies of it are shown.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "program/rank_copies.hpp"
#include "trace/gzip_stream.hpp"
#include "trace/trace_options.hpp"

namespace rehearse {

class TraceRows {
 public:
  // `wanted` empty: every rank that was simulated. Throws InputError for a rank that the plan does
  // not have. REQUIRES: `programs` outlives this.
  TraceRows(const Programs& programs, const std::vector<RankRange>& wanted);

  const RankCopies& copies() const { return copies_; }
  const std::vector<int>& replicas() const { return replicas_; }  // of which a rank is shown

  // Rows are counted from 0 in the order of ranks. By rank with a program:
  std::span<const int> rows_of(Rank image) const {
    return {rows_.data() + first_row_[image], rows_.data() + first_row_[image + 1]};
  }
  bool shows(Rank image) const { return !rows_of(image).empty(); }
  int row_of(Rank image, int replica) const {  // -1: that copy is not shown
    return row_of_copy_[copies_.copy_of(image, replica)];
  }
  // Members of the group, of those with programs, that have rows.
  int shown_in_group(int group) const { return shown_in_group_[group]; }

  Rank number_of(int row) const { return copies_.number_of(shown_[row]); }
  // `},"pid":3,"tid":101,"ts":`
  std::string_view thread(int row, Stream stream) const {
    return threads_[row][static_cast<std::size_t>(stream)];
  }
  // The number of the rank that the row's message goes to or comes from.
  Rank peer_of(int row, const Instruction& message) const {
    return copies_.number_of(
        groups_.of(shown_[row], message.axis).on_from(shown_[row], message.peer));
  }
  // `,"Group size":8,"Process Group Name":"5","Process Group Ranks":"[0, 1]"`
  std::string_view group_text(int row, Axis axis) const {
    return group_texts_[groups_.of_rank[shown_[row]][static_cast<std::size_t>(axis)]];
  }

  // The opening of the file, and the names of processes and threads.
  void write_head(const std::string& title, GzipStream& out) const;

 private:
  void choose(const std::vector<RankRange>& wanted);
  void render();

  const Programs& programs_;
  const RankCopies copies_;
  const ProcessGroups groups_;  // of the copies
  std::vector<Rank> shown_;     // copies, by row
  std::vector<int> row_of_copy_;
  std::vector<int> replicas_;
  std::vector<int> rows_;       // image by image, and a last one that is none
  std::vector<int> first_row_;  // by image, and the end: in rows_
  std::vector<int> shown_in_group_;
  std::vector<std::array<std::string, kStreams>> threads_;  // by row
  std::vector<std::string> group_texts_;                    // of groups that rows are in
};

}  // namespace rehearse
