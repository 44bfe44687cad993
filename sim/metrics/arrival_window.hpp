// For how long requests come, against how long one lives in the service: whether figures are of a
// service that goes on, or of one that fills.
#pragma once

#include <string>

#include "plan/serve.hpp"

namespace rehearse {

// So often a life has to fit between the first and the last arrival. A service fills for a life and
// longer, so that of ten lives a tenth of the requests meets an emptier one. Largest rates of a 70B
// model on 4 H100 (workloads/plans/llama-70b-serve.textproto and two of its kind with longer
// outputs, five seeds each): from ten lives on their means are within 5 % of those of 25 and more;
// at two or three lives single seeds are half or one and a half times as large.
constexpr double kLivesEnough = 10;

// What comes at dates of its own: requests, or sessions, whose later turns come when those before
// them have ended.
struct ArrivalWindow {
  bool sessions = false;
  double arrivals_s = 0;  // from the first arrival to the last, the warm-up included
  // Mean. Of a request from its first step to its last token: its wait in the queue grows for as
  // long as requests come, where too many do. Of a session from its first request to its last
  // token, without such waits, with the times to think.
  double life_s = 0;
  int requests = 0;  // all turns

  double lives() const { return arrivals_s / life_s; }
  bool is_enough() const { return lives() >= kLivesEnough; }
  // Rounded up, to two digits.
  double requests_needed() const;
};

// "requests arrive for 22.6 s, 3.1 times as long as one is in an engine (7.27 s on average), ...",
// and how many would be enough; empty: it is enough. `serve`: the plan's, which says how they are
// had.
std::string short_window_text(const ArrivalWindow& window, const Serve& serve);

}  // namespace rehearse
