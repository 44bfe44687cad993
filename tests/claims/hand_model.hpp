// The 24-GPU plan worked out by hand, independent of the code under test: closed forms over the
// plan's dimensions that a person can follow with a pocket calculator. Seconds, bytes, FLOPs.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

namespace rehearse::by_hand {

// A reading of the plan on a platform, as it is or with an alternative.
struct Scene {
  double width = 38016;  // of an expert
  double top_k = 16;
  bool nvlink = false;
  double tp = 2, pp = 2, dp = 3, ep = 2;
  double requests = 128;
  double micro_batches = 0;  // of a replica; 0: one per request

  double replicas() const { return dp * ep; }
  double gpus() const { return tp * pp * dp * ep; }
  // Requests of the busiest replica, each a micro-batch of its own.
  double most() const { return std::ceil(requests / replicas()); }
  double layers() const { return 16 / pp; }  // of a stage
  // Requests of the largest micro-batch.
  double size() const { return micro_batches == 0 ? 1 : std::ceil(most() / micro_batches); }
};

inline Scene scene_of(const std::string& reading, const std::string& platform,
                      const std::string& alternative) {
  Scene scene;
  scene.width = reading == "as-listed" ? 1024 : 38016;
  scene.top_k = reading == "declared-dense" ? 16 : 1;
  scene.nvlink = platform == "nvlink";
  if (alternative == "one-gpu") scene.tp = scene.pp = scene.dp = scene.ep = 1;
  if (alternative == "gpus-16") scene.dp = 2;
  if (alternative == "gpus-40") scene.dp = 5;
  if (alternative == "pipeline-4") scene.tp = 1, scene.pp = 4;
  if (alternative == "batch-64") scene.requests = 64;
  const std::string micro_batches = "micro-batches-";
  if (alternative.starts_with(micro_batches)) {
    scene.micro_batches = std::stod(alternative.substr(micro_batches.size()));
  }
  return scene;
}

constexpr double kFlops = 400e12 * 0.60;   // per second
constexpr double kMemory = 1.8e12 * 0.80;  // bytes per second
constexpr double kRow = 512 * 2;           // bytes of a token's activations, FP16
constexpr double kPrompt = 10240;
constexpr double kOutput = 128;

// A kernel: 3.5 us to launch on the as-bought platform, then the roofline.
inline double kernel(const Scene& s, double flops, double bytes) {
  return (s.nvlink ? 3.5e-6 : 0) + std::max(flops / kFlops, bytes / kMemory);
}

// A pair inside a node exchanges `bytes` each way, in `rounds` of 0.4 us up and 0.4 us down; the
// assumed platform has 1.44 TB/s and no latency.
inline double exchange(const Scene& s, double bytes, double rounds) {
  return s.nvlink ? 4.5e-6 + rounds * 0.8e-6 + bytes / 450e9 : bytes / 1.44e12;
}

// What a layer's pass over `tokens` takes on one GPU.
struct Times {
  double compute = 0;    // all kernels
  double attention = 0;  // of it
  double routing = 0;    // of it: router, permute, combine
  double tensor = 0;     // waiting for the tensor group
  double expert = 0;     // waiting for the expert group
  double all() const { return compute + tensor + expert; }
};

// One layer. Norms, QKV, output projection, router, permutation and two expert matrices; attention
// comes in. `touched`: experts of this GPU whose weights are read.
inline Times layer(const Scene& s, double tokens, double attention, double touched) {
  const double t = tokens;
  const double local = 512 / s.tp;  // attention width on this GPU
  Times times;
  const double norm = kernel(s, 0, 4 * t * kRow);
  const double qkv =
      kernel(s, 2 * t * 512 * 3 * local, 512 * 3 * local * 2 + t * kRow + t * 6 * local);
  const double out = kernel(s, 2 * t * local * 512, 512 * local * 2 + t * 2 * local + t * kRow);
  const double router = kernel(s, 2 * t * 512 * 16, t * kRow);
  const double permute = kernel(s, 0, (1 + s.top_k) * t * kRow);
  // (token, expert) pairs that arrive: ep replicas send top_k copies each, spread over ep GPUs.
  const double copies = t * s.top_k;
  const double columns = s.width / s.tp;
  const double matrix = kernel(s, 2 * copies * 512 * columns,
                               touched * 512 * columns * 2 + copies * kRow + copies * columns * 2);
  times.attention = attention;
  times.routing = router + 2 * permute;
  times.compute = 2 * norm + qkv + attention + out + times.routing + 2 * matrix;
  if (s.tp > 1) times.tensor = 2 * exchange(s, t * kRow, 2);
  if (s.ep > 1) times.expert = 2 * exchange(s, copies * kRow / 2, 1);
  return times;
}

// A prompt through one layer: causal attention over 10240 x 10241 / 2 pairs.
inline Times prefill_layer(const Scene& s) {
  const double local = 512 / s.tp;
  const double attention = kernel(s, 4 * local * kPrompt * 10241 / 2, kPrompt * local * 2 * 6);
  return layer(s, kPrompt, attention, 16 / s.ep);
}

// One new token of each of `sequences` requests through one layer, half-way through the output:
// 10,304 tokens of context, K and V.
inline Times decode_layer(const Scene& s, double sequences) {
  const double local = 512 / s.tp;
  const double context = kPrompt + kOutput / 2;
  const double attention =
      kernel(s, 4 * local * context * sequences, 2 * context * local * 2 * sequences);
  // Of the experts of a GPU, those that one of the group's tokens picks.
  const double touched = 16 / s.ep * (1 - std::pow(1 - s.top_k / 16, sequences * s.ep));
  return layer(s, sequences, attention, touched);
}

// Between stages: two links of 1.35 us at 50 GB/s across nodes.
inline double send(const Scene& s, double bytes) {
  if (s.pp == 1) return 0;
  return s.nvlink ? 4.5e-6 + 2.7e-6 + bytes / 50e9 : bytes / 1.44e12;
}

// A GPU's messages between two stages: half of the GPUs send activations, half receive them, and
// the last stage tells the first which tokens it sampled. Those that the sender's launch holds up
// take 7.2 us each.
inline double messages(const Scene& s) {
  const double mean = s.requests / s.replicas();
  const double bytes = mean * (kPrompt + kOutput - 1) * kRow;
  if (!s.nvlink) return bytes / 1.44e12;
  return (mean + 2 * (kOutput - 1) * s.pp) * 7.2e-6 + bytes / 50e9;
}

// The first stage looks tokens up: half of the rows from each tensor rank, then an all-reduce.
inline double embedding(const Scene& s) {
  return kernel(s, 0, kPrompt * kRow * (1 + 1 / s.tp)) +
         (s.tp > 1 ? exchange(s, kPrompt * kRow, 2) : 0);
}

// Filling the pipeline: micro-batches + stages - 1 times the slower stage, the first. With several
// requests in a micro-batch all of them pass the stages once, and the largest fills them: 22 in 5
// are 5 + 5 + 4 + 4 + 4, so 22 + 5 requests' time in a stage.
inline double ttft_max(const Scene& s) {
  const double stage = embedding(s) + s.layers() * prefill_layer(s).all();
  return (s.most() + (s.pp - 1) * s.size()) * stage +
         (s.pp - 1) * send(s, s.size() * kPrompt * kRow);
}

// As many micro-batches as stages follow each other; a step is one round through all stages, then
// the tokens go back to the first. The head: final norm, a matrix of 32,000 columns, sampling.
inline double decode_step(const Scene& s) {
  const double sequences = s.most() / s.pp;
  const double head = kernel(s, 0, 512 * 32000 * 2 / s.tp) + 2 * kernel(s, 0, 0) +
                      (s.tp > 1 ? exchange(s, sequences * 32000, 1) : 0);
  const double lookup = kernel(s, 0, 0) + (s.tp > 1 ? exchange(s, sequences * kRow, 2) : 0);
  const double stages = s.pp * (s.layers() * decode_layer(s, sequences).all() + send(s, 0));
  return stages + lookup + head;
}

inline double makespan(const Scene& s) { return ttft_max(s) + (kOutput - 1) * decode_step(s); }

// (prompt + output tokens) per ms and GPU.
inline double throughput(const Scene& s) {
  return s.requests * (kPrompt + kOutput) / (makespan(s) * 1e3) / s.gpus();
}

// Passes of the average GPU: every request's prompt, and pp decode micro-batches per step.
inline double over_passes(const Scene& s, double prefill, double decode) {
  const double mean = s.requests / s.replicas();
  return s.layers() * (mean * prefill + (kOutput - 1) * s.pp * decode);
}

inline Times total(const Scene& s) {
  const Times prefill = prefill_layer(s);
  const Times decode = decode_layer(s, s.requests / s.replicas() / s.pp);
  Times sum;
  sum.compute = over_passes(s, prefill.compute, decode.compute);
  sum.attention = over_passes(s, prefill.attention, decode.attention);
  sum.routing = over_passes(s, prefill.routing, decode.routing);
  sum.tensor = over_passes(s, prefill.tensor, decode.tensor);
  sum.expert = over_passes(s, prefill.expert, decode.expert);
  return sum;
}

// Prompts and output tokens, 2 x 512 x 2 bytes in each layer of the stage, over the tensor ranks.
inline double kv_bytes(const Scene& s) {
  return s.most() * (kPrompt + kOutput - 1) * 2 * kRow / s.tp * s.layers();
}

// Attention (4 matrices of 512 x 512) and experts of a stage; the first stage, and with tied
// embeddings the last one too, has the 32,000 x 512 embedding.
inline double weight_bytes(const Scene& s) {
  return 2 * (s.layers() * (4 * 512 * 512 / s.tp + 16 / s.ep * 2 * 512 * s.width / s.tp) +
              32000.0 * 512 / s.tp);
}

// The most is live in the up projection: what goes in and what comes out of it, for top_k copies of
// each token, beside the residual stream; or, with narrow experts, in the QKV projection: residual,
// normed row, Q, K and V.
inline double activation_bytes(const Scene& s) {
  const double scores = 16 * 2;  // of the router, kept to weigh the copies
  const double up = kRow + scores + s.top_k * (kRow + s.width / s.tp * 2);
  const double qkv = 2 * kRow + 3 * kRow / s.tp;
  return s.size() * kPrompt * std::max(up, qkv);
}

inline double memory_bytes(const Scene& s) {
  return weight_bytes(s) + kv_bytes(s) + activation_bytes(s) + 1e9;
}

// Matrix products and attention of a prompt token; the LM head once per prompt.
inline double flops_per_token(const Scene& s) {
  const double matrices = 4.0 * 512 * 512 + 512 * 16 + s.top_k * 2 * 512 * s.width;
  return 16 * (2 * matrices + 4 * 512 * 10241 / 2.0) + 2 * 512 * 32000 / kPrompt;
}

// Without the LM head's copy: 16 layers x (16 experts x 2 matrices + 4 of attention + router), the
// embedding, 33 norms.
inline double parameters(const Scene& s) {
  return 16 * (16 * 2 * 512 * s.width + 4 * 512 * 512 + 512 * 16) + 32000.0 * 512 + 33 * 512;
}

}  // namespace rehearse::by_hand
