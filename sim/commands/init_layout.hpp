// The layout that `rehearse init` proposes: the fewest GPUs for a copy of the model that leave room
// for enough requests, by the memory of `rehearse show` and of the engines.
#pragma once

#include <optional>
#include <vector>

#include "devices/device_sheet.hpp"
#include "model/model.hpp"
#include "plan/plan.hpp"
#include "platform/platform.hpp"

namespace rehearse {

// GPUs and how they come: a server, a rack, a torus' hosts.
struct InitSite {
  const DeviceSheet& gpu;
  int per_node = 1;    // of one scale-up domain
  int gpus = 1;        // that a plan may use
  int whole_node = 1;  // as one can have it, where `gpus` are less
};

// So many of these GPUs, of which only the memory is asked for.
Platform bare_platform(const InitSite& site, int gpus);

// What a GPU of the fullest stage would hold.
struct InitMemory {
  Bytes usable;
  Bytes weights;
  Bytes cache_of_request;  // keys, values and states of one, as long as they get
  Bytes activations;
  Bytes buffers;

  Bytes needed(int requests) const {
    return weights + activations + buffers + cache_of_request * requests;
  }
  bool holds(int requests) const { return needed(requests) <= usable; }
  int requests() const;  // that have room at once; below 0: not even the weights have
};

// One copy of the model.
struct InitCopy {
  Layout layout;
  InitMemory memory;
};

struct InitLayout {
  std::vector<InitCopy> smaller;   // the best of each smaller number of GPUs, which do not do
  std::optional<InitCopy> chosen;  // absent: nothing fits on the site's GPUs
  InitCopy best_of_site;           // on as many as a copy can use, whether it fits or not
  std::optional<InitCopy> fewest;  // where nothing fits: on more GPUs of that kind
};

// Requests that shall have room on each GPU's share of the requests, where any layout gives it.
constexpr int kInitRequests = 16;

// `plan`: with its job, engine and lengths; its layout is not looked at. Throws InputError where
// the engine refuses what the plan tells it.
InitLayout choose_layout(const Plan& plan, const Model& model, const InitSite& site);

// The largest tensor degree that copies no keys and values, 1 where every rank has them all.
int tensor_without_copies(const Model& model, int most);

}  // namespace rehearse
