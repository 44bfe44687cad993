// Rate and objective are a beginning: a rate at which a few requests are with each engine at a
// time, and limits that users of a chat accept, or what a GPU's memory allows where that is slower.
// Both come from the times of reading the weights and of computing a prompt at a part of the peaks;
// what the plan really takes is what `rehearse run` is for.
#include "commands/init_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "commands/plan_texts.hpp"
#include "input/traffic_fields.hpp"
#include "layout/layout.hpp"
#include "metrics/arrival_window.hpp"
#include "model/weights.hpp"

namespace rehearse {
namespace {

constexpr double kRange = 0.5;        // of lengths, to both sides of the mean
constexpr int kFewestRequests = 200;  // so that p99 is of some
constexpr int kMostRequests = 20000;  // seconds of simulation
constexpr double kAtATime = 4;        // requests with each engine
constexpr double kOfBandwidth = 0.5;  // of the memory's, as steps of few requests reach it
constexpr double kOfPeak = 0.3;       // of prompts
// An example for the user to change. MLPerf Inference asks of Llama-2-70B 2 s to the first token
// and 200 ms between tokens in conversations, 450 and 40 ms where they are interactive.
constexpr double kTtft = 2;
constexpr double kTpot = 0.05;

// One significant digit, downwards: 4, 0.3, 20.
double modest(double value) {
  const double digit = std::pow(10, std::floor(std::log10(value)));
  return std::floor(value / digit + 1e-9) * digit;
}

double round_up(double value, double step) { return std::ceil(value / step - 1e-9) * step; }

// Of one copy, by hand.
struct RoughTimes {
  double step_s = 0;    // a token to each of a few requests
  double prompt_s = 0;  // to the first token
};

RoughTimes rough_times(const InitDraft& draft, const InitCopy& copy) {
  const DeviceSheet& sheet = draft.sheet;
  const InitRequest& request = draft.request;
  const double stages = copy.layout.pipeline;
  RoughTimes times;
  const ParameterCount count = count_parameters(draft.model);
  const double visited =
      std::min(count.total, count.active * kAtATime * copy.layout.dense_data()) / count.total;
  times.step_s = copy.memory.weights.value * visited * stages /
                 (sheet.at(FigureId::kMemoryBandwidth).value * kOfBandwidth);
  const double flops = 2 * count.active * request.prompt_tokens;
  const double gpus = copy.layout.tensor;
  times.prompt_s = flops / (gpus * sheet.at(FigureId::kPeakBf16).value * kOfPeak) + times.step_s;
  return times;
}

int copies_of(const InitDraft& draft) {
  return draft.request.gpus / draft.layout->chosen->layout.gpus();
}

double request_time(const InitDraft& draft, const RoughTimes& times) {
  return times.prompt_s + draft.request.output_tokens * times.step_s;
}

std::string rate_of(const InitDraft& draft) {
  if (draft.request.rate) return *draft.request.rate;
  if (draft.layout == nullptr) return "1/s";
  const InitCopy& copy = *draft.layout->chosen;
  const RoughTimes times = rough_times(draft, copy);
  const double request_s = request_time(draft, times);
  const double engines = copies_of(draft) * copy.layout.dense_data();
  const double rate = modest(kAtATime * engines / request_s);
  constexpr double kPerMinute = 60;
  if (rate >= 1) return fmt::format("{:.0f}/s", rate);
  return fmt::format("{:.6g}/min", modest(rate * kPerMinute));
}

std::string milliseconds(double seconds) { return fmt::format("{:.0f}ms", seconds * 1000); }

std::string ttft_of(const InitDraft& draft) {
  if (draft.layout == nullptr) return "2s";
  const double times = 4 * rough_times(draft, *draft.layout->chosen).prompt_s;
  return fmt::format("{:.0f}s", std::max(kTtft, round_up(times, 1)));
}

std::string tpot_of(const InitDraft& draft) {
  if (draft.layout == nullptr) return "50ms";
  const RoughTimes rough = rough_times(draft, *draft.layout->chosen);
  return milliseconds(std::max(kTpot, round_up(3 * rough.step_s, kTpot)));
}

std::string gpus_text(int gpus) { return fmt::format("{} GPU{}", gpus, gpus == 1 ? "" : "s"); }

std::string layout_words(const Layout& layout) {
  std::vector<std::string> parts;
  const auto add = [&](const char* name, int degree) {
    if (degree > 1) parts.push_back(fmt::format("{} {}", name, degree));
  };
  add("tensor", layout.tensor);
  add("pipeline", layout.pipeline);
  add("expert", layout.expert);
  if (parts.empty()) return "not cut";
  return fmt::format("{}", fmt::join(parts, " x "));
}

// "2 GPUs have room for 3 requests at once"; empty: nothing smaller was tried.
std::string why_not_smaller(const InitLayout& found) {
  if (found.smaller.empty()) return {};
  const InitCopy& last = found.smaller.back();
  const int gpus = last.layout.gpus();
  const int requests = last.memory.requests();
  if (requests >= 0) {
    return fmt::format("{} ha{} room for {} request{} at once", gpus_text(gpus),
                       gpus == 1 ? "s" : "ve", requests, requests == 1 ? "" : "s");
  }
  return fmt::format("{} would need {} {}before the first request, {} are usable", gpus_text(gpus),
                     to_text(last.memory.needed(0)), gpus == 1 ? "" : "each ",
                     to_text(last.memory.usable));
}

// "room for 240 requests of 1280 tokens at once"
std::string room_text(const InitDraft& draft) {
  const InitCopy& copy = *draft.layout->chosen;
  constexpr int kCounted = 1'000'000;
  const int each = copy.memory.requests();
  const long counted = std::min(each, kCounted);
  return fmt::format("room for {}{} requests of {} tokens at once",
                     each > kCounted ? "more than " : "", counted * copy.layout.dense_data(),
                     longest_of(draft.request));
}

// `  tensor: 2  # ...` with the comments in one column.
class Lines {
 public:
  explicit Lines(std::string indent) : indent_(std::move(indent)) {}

  void add(const std::string& field, const std::string& comment) {
    text_ += fmt::format("{}{:<26}  # {}\n", indent_, field, comment);
  }
  void plain(const std::string& line) { text_ += indent_ + line + "\n"; }
  const std::string& text() const { return text_; }

 private:
  std::string indent_;
  std::string text_;
};

void add_experts(const InitDraft& draft, Lines& lines) {
  const Layout& layout = draft.layout->chosen->layout;
  const int experts = draft.model.moe->experts;
  if (layout.expert > 1) {
    const bool latent = tensor_without_copies(draft.model, layout.expert) == 1;
    lines.add(fmt::format("expert: {}", layout.expert),
              fmt::format("{} of a layer's {} experts each; {} copies of the attention{}",
                          experts / expert_group_size(layout), experts, layout.dense_data(),
                          latent ? " (tensor ranks would each hold all keys and values)" : ""));
  }
  if (layout.expert_tensor == 1 && layout.tensor > 1) {
    lines.add("expert_tensor: 1", fmt::format("experts stay whole: {} of a layer's {} on each GPU",
                                              experts / expert_group_size(layout), experts));
  }
}

std::string layout_text(const InitDraft& draft) {
  if (draft.layout == nullptr) return "";
  const InitCopy& copy = *draft.layout->chosen;
  const Layout& layout = copy.layout;
  Lines lines("  ");
  lines.add(fmt::format("tensor: {}", layout.tensor),
            layout.tensor == 1 ? "matrices are whole on each GPU"
                               : "GPUs of a server that share each matrix, and divide its heads");
  if (layout.pipeline > 1) {
    lines.add(fmt::format("pipeline: {}", layout.pipeline),
              "stages: they send less than tensor ranks between servers would");
  }
  if (draft.model.moe) add_experts(draft, lines);
  const int copies = copies_of(draft);
  if (!draft.request.serves) {
    lines.add(fmt::format("data: {}", copies),
              fmt::format("copies of that: {} together", gpus_text(copies * layout.gpus())));
  }
  const std::string fewer = why_not_smaller(*draft.layout);
  return fmt::format("\n# A copy of the model takes {}, with {}.\n{}layout {{\n{}}}\n",
                     gpus_text(layout.gpus()), room_text(draft),
                     fewer.empty() ? "" : fmt::format("# Fewer do not do: {}.\n", fewer),
                     lines.text());
}

// Between the first and the last arrival a service has to come to what it does all day, or the
// queue that fills looks like a backlog.
int requests_of(const InitDraft& draft) {
  if (draft.layout == nullptr) return kFewestRequests;
  const double per_second = parse_request_rate(rate_of(draft));
  const double life = request_time(draft, rough_times(draft, *draft.layout->chosen));
  constexpr double kRounded = 100;
  return static_cast<int>(std::clamp<double>(round_up(kLivesEnough * life * per_second, kRounded),
                                             kFewestRequests, kMostRequests));
}

std::string serve_text(const InitDraft& draft) {
  const InitRequest& request = draft.request;
  const int copies = draft.layout == nullptr ? 1 : copies_of(draft);
  Lines traffic("    ");
  traffic.add("rate: " + quoted(rate_of(draft)),
              request.rate ? "as asked" : "modest: `rehearse size` finds the largest");
  traffic.add(fmt::format("requests: {}", requests_of(draft)), "drawn, the same ones for a seed");
  traffic.plain(fmt::format("prompt {{ tokens: {} range: {} }}", request.prompt_tokens, kRange));
  traffic.plain(fmt::format("output {{ tokens: {} range: {} }}", request.output_tokens, kRange));
  Lines lines("  ");
  lines.add("engine { name: \"vllm\" }", "or sglang, tensorrt_llm: each with its own defaults");
  lines.add(fmt::format("replicas: {}", copies),
            draft.layout == nullptr
                ? ""
                : fmt::format("copies of that: {} together",
                              gpus_text(copies * draft.layout->chosen->layout.gpus())));
  lines.add(fmt::format("slo {{ ttft: \"{}\" tpot: \"{}\" }}", ttft_of(draft), tpot_of(draft)),
            "an example: what your users accept");
  return fmt::format("\nserve {{\n  traffic {{\n{}  }}\n{}}}\n", traffic.text(), lines.text());
}

std::string batch_text(const InitDraft& draft) {
  const InitRequest& request = draft.request;
  const int ranks =
      draft.layout == nullptr ? 1 : draft.layout->chosen->layout.dense_data() * copies_of(draft);
  const int each = draft.layout == nullptr
                       ? 1
                       : std::clamp(draft.layout->chosen->memory.requests(), 1, kInitRequests);
  Lines lines("  ");
  lines.add(fmt::format("sequences: {}", each * ranks),
            fmt::format("{} for each of {} cop{} of the attention", each, ranks,
                        ranks == 1 ? "y" : "ies"));
  lines.add(fmt::format("prompt_tokens: {}", request.prompt_tokens), "all there at time 0");
  lines.plain(fmt::format("output_tokens: {}", request.output_tokens));
  return fmt::format(
      "\nbatch {{\n{}}}\nengine: \"vllm\"  # the software: `rehearse engines` lists what there "
      "is\n",
      lines.text());
}

std::string unused_text(const InitDraft& draft) {
  const int used = copies_of(draft) * draft.layout->chosen->layout.gpus();
  const int left = draft.request.gpus - used;
  if (left == 0) return "";
  return fmt::format("{} of {} stay idle: no further copy fits on them", left,
                     gpus_text(draft.request.gpus));
}

}  // namespace

int longest_of(const InitRequest& request) {
  const double longer = request.serves ? 1 + kRange : 1;
  return static_cast<int>(std::ceil(request.prompt_tokens * longer)) +
         static_cast<int>(std::ceil(request.output_tokens * longer));
}

std::string plan_text(const InitDraft& draft) {
  const InitRequest& request = draft.request;
  const Model& model = draft.model;
  const ParameterCount count = count_parameters(model);
  std::string text = fmt::format(
      "# {} on {} of {}, {}. Written by rehearse init, to be changed;\n"
      "# all fields: workloads/schema/plan.proto. The platform is of\n"
      "#   {}\n"
      "model: {}  # {:.3g} G parameters, {:.3g} G of a token; {} in {}\n"
      "platform: {}\n",
      model.name, gpus_text(request.gpus), request.gpu,
      request.serves ? "serving requests" : "computing a batch",
      platform_command(draft.platform, draft.platform_name), quoted(draft.model_name),
      count.total / 1e9, count.active / 1e9, to_text(stored_bytes(model)), storage_text(model),
      quoted(draft.platform_name));
  text += layout_text(draft);
  text += request.serves ? serve_text(draft) : batch_text(draft);
  if (draft.layout == nullptr) return text;
  const std::string unused = unused_text(draft);
  if (!unused.empty()) text += "# " + unused + "\n";
  return text;
}

std::string decisions(const InitDraft& draft) {
  const InitCopy& copy = *draft.layout->chosen;
  const int copies = copies_of(draft);
  const std::string fewer = why_not_smaller(*draft.layout);
  std::string text = fmt::format(
      "model     {}: {} of weights in {}\n"
      "copy      {} ({}){}\n"
      "memory    {} of {} usable on a GPU: weights {}, activations {}, communication {}; {}\n"
      "copies    {}: {}\n",
      draft.model.name, to_text(stored_bytes(draft.model)), storage_text(draft.model),
      gpus_text(copy.layout.gpus()), layout_words(copy.layout),
      fewer.empty() ? "" : "; fewer do not do: " + fewer, to_text(copy.memory.needed(0)),
      to_text(copy.memory.usable), to_text(copy.memory.weights), to_text(copy.memory.activations),
      to_text(copy.memory.buffers), room_text(draft), copies,
      gpus_text(copies * copy.layout.gpus()));
  if (const std::string unused = unused_text(draft); !unused.empty()) {
    text += "idle      " + unused + "\n";
  }
  if (draft.request.serves) {
    text += fmt::format("traffic   {}, {} requests; objective TTFT {}, TPOT {}\n", rate_of(draft),
                        requests_of(draft), ttft_of(draft), tpot_of(draft));
  }
  return text;
}

std::string nothing_fits(const InitDraft& draft, const InitLayout& found) {
  const InitMemory& memory = found.best_of_site.memory;
  std::string text = fmt::format(
      "{} does not fit on {} of {}: the best layout ({}) needs {} on a GPU with one request of {} "
      "tokens (weights {}, activations {}, communication {}), {} are usable: {} too much\n",
      draft.model.name, gpus_text(draft.request.gpus), draft.request.gpu,
      layout_words(found.best_of_site.layout), to_text(memory.needed(1)), longest_of(draft.request),
      to_text(memory.weights), to_text(memory.activations), to_text(memory.buffers),
      to_text(memory.usable), to_text(memory.needed(1) - memory.usable));
  if (!found.fewest) return text + "no number of these GPUs that was tried has room for it\n";
  return text + fmt::format("the fewest that have room: {} ({})\n",
                            gpus_text(found.fewest->layout.gpus()),
                            layout_words(found.fewest->layout));
}

}  // namespace rehearse
