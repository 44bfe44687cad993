// Who asks when: at a date, so long after another request has ended, or, where only so many are
// served at a time, as soon as one has ended.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "serving/agenda.hpp"

namespace rehearse::serving {

class Clients {
 public:
  // Puts the first arrivals on the agenda, and the others when their time comes. Both have to live
  // as long. concurrency 0: no limit.
  Clients(const std::vector<Offered>& offered, int concurrency, Agenda& agenda);

  void arrived() { --to_come_; }
  bool all_came() const { return to_come_ == 0; }
  // It has ended, or was refused: who waited for it comes.
  void gone(int request, Picoseconds now);
  bool all_gone() const { return gone_ == offered_.size(); }

 private:
  void next_in_line(Picoseconds now);

  const std::vector<Offered>& offered_;
  const int concurrency_;
  Agenda& agenda_;
  std::vector<std::vector<int>> turns_after_;
  std::size_t next_in_line_ = 0;  // with a limited concurrency
  std::size_t to_come_ = 0;
  std::size_t gone_ = 0;
};

}  // namespace rehearse::serving
