// serve { } field by field. A pool's engine is serve.engine with what the pool writes laid over it,
// as messages, so that absent stays absent; faults of what both share are told of serve.engine,
// which is read first.
#include "input/serve_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/nearest_name.hpp"
#include "input/field_checks.hpp"
#include "input/textproto.hpp"
#include "input/traffic_fields.hpp"
#include "input/written_layout.hpp"

namespace rehearse {
namespace {

// Engines that have a default for everything but their name.
constexpr std::array kEngines = {"vllm", "sglang", "tensorrt_llm"};
constexpr const char* kStatic = "static";

bool has_defaults(const std::string& name) {
  return std::find(kEngines.begin(), kEngines.end(), name) != kEngines.end();
}

std::string engine_hint(const std::string& name) {
  const std::string near = nearest_name(name, {kEngines.begin(), kEngines.end()});
  return near.empty() ? "" : fmt::format("; did you mean the engine \"{}\"?", near);
}

// Which of two words, the first being the default; nothing: not written.
std::optional<bool> is_second(bool written, const std::string& word, const char* first,
                              const char* second, const std::string& field,
                              const FieldLocations& where) {
  if (!written) return std::nullopt;
  if (word == first || word == second) return word == second;
  refuse_field(where, field, fmt::format(" = \"{}\": must be {} or {}", word, first, second));
}

SpeculativeChoice speculative_of(const proto::Speculative& written, const std::string& path,
                                 const FieldLocations& where) {
  require_field(written, path, "tokens", where);
  SpeculativeChoice choice;
  choice.tokens = written.tokens();
  const std::string field = path + ".acceptance";
  if (written.acceptance_size() == 0) {
    refuse_field(where, field, " is missing: how likely each position is accepted");
  }
  if (written.acceptance_size() > choice.tokens) {
    refuse_field(where, field,
                 fmt::format(" has {} values: {}.tokens = {}", written.acceptance_size(), path,
                             choice.tokens));
  }
  for (int at = 0; at < written.acceptance_size(); ++at) {
    check_between(0, written.acceptance(at), 1, false, fmt::format("{}[{}]", field, at), where);
    choice.acceptance.push_back(written.acceptance(at));
  }
  choice.looked_up =
      is_second(written.has_method(), written.method(), "mtp", "ngram", path + ".method", where);
  return choice;
}

StepTime step_time_of(const proto::StepTime& written, const std::string& path,
                      const FieldLocations& where) {
  StepTime time;
  const auto take = [&](bool has, const std::string& text, const char* name, Seconds& into) {
    if (has) into = seconds_of(text, fmt::format("{}.{}", path, name), where);
  };
  take(written.has_fixed(), written.fixed(), "fixed", time.fixed);
  take(written.has_per_token(), written.per_token(), "per_token", time.per_token);
  take(written.has_per_context(), written.per_context(), "per_context", time.per_context);
  constexpr double kPicosecond = 1e-12;  // in which dates are counted
  if (time.fixed.value >= kPicosecond || time.per_token.value >= kPicosecond) return time;
  refuse_field(where, path, ": a pass takes time: fixed or per_token must be above 0");
}

void take_limits(const proto::Engine& written, EngineChoice& engine) {
  const auto take = [](bool has, auto value, auto& into) {
    if (has) into = value;
  };
  take(written.has_max_sequences(), written.max_sequences(), engine.max_sequences);
  take(written.has_max_tokens_per_pass(), written.max_tokens_per_pass(),
       engine.max_tokens_per_pass);
  take(written.has_max_model_len(), written.max_model_len(), engine.max_model_len);
  take(written.has_chunked_prefill(), written.chunked_prefill(), engine.chunked_prefill);
  take(written.has_prefix_cache(), written.prefix_cache(), engine.prefix_cache);
  take(written.has_asynchronous(), written.asynchronous(), engine.asynchronous);
  take(written.has_cuda_graphs(), written.cuda_graphs(), engine.cuda_graphs);
  take(written.has_block_tokens(), written.block_tokens(), engine.block_tokens);
  take(written.has_kv_blocks(), written.kv_blocks(), engine.kv_blocks);
  engine.log_steps = written.log_steps();
}

EngineChoice engine_of(const proto::Engine& written, const std::string& path,
                       const FieldLocations& where) {
  require_field(written, path, "name", where);
  EngineChoice engine;
  engine.name = written.name();
  take_limits(written, engine);
  if (written.has_memory_fraction()) {
    engine.memory_fraction = written.memory_fraction();
    check_between(0, *engine.memory_fraction, 1, true, path + ".memory_fraction", where);
  }
  engine.by_priority = is_second(written.has_policy(), written.policy(), "fcfs", "priority",
                                 path + ".policy", where);
  engine.max_utilization =
      is_second(written.has_capacity(), written.capacity(), "guaranteed_no_evict",
                "max_utilization", path + ".capacity", where);
  if (written.has_speculative()) {
    engine.speculative = speculative_of(written.speculative(), path + ".speculative", where);
  }
  const std::string host = path + ".host";
  if (written.host().has_per_step()) {
    engine.host_per_step = seconds_of(written.host().per_step(), host + ".per_step", where);
  }
  if (written.host().has_per_request()) {
    engine.host_per_request =
        seconds_of(written.host().per_request(), host + ".per_request", where);
  }
  if (written.has_step_time()) {
    engine.step_time = step_time_of(written.step_time(), path + ".step_time", where);
  }
  return engine;
}

void require_sequences(const proto::Engine& written, const std::string& path,
                       const FieldLocations& where) {
  if (!has_defaults(written.name()) && !written.has_max_sequences()) {
    refuse_field(where, path + ".max_sequences",
                 " is missing: it has no default" + engine_hint(written.name()));
  }
}

ServingPool pool_of(const proto::Pool& written, const proto::Engine& shared,
                    const std::string& path, FieldLocations& where) {
  ServingPool pool;
  pool.layout = layout_of(written.layout(), path + ".layout", where);
  if (written.has_replicas()) pool.replicas = written.replicas();
  proto::Engine engine = shared;
  if (written.engine().speculative().acceptance_size() > 0) {  // a merge would append them
    engine.mutable_speculative()->clear_acceptance();
  }
  engine.MergeFrom(written.engine());
  if (written.engine().has_log_steps()) {
    refuse_field(where, path + ".engine.log_steps",
                 ": steps are written down of all pools, by serve.engine.log_steps");
  }
  const std::string own = path + ".engine";
  if (engine.name() != shared.name()) {
    refuse_field(where, own + ".name",
                 fmt::format(" = \"{}\": one engine runs both pools, serve.engine.name = \"{}\"",
                             engine.name(), shared.name()));
  }
  require_sequences(engine, own, where);
  pool.engine = engine_of(engine, own, where);
  return pool;
}

// What is said of `layout` stands where the pool's is written.
void place_layout(const std::string& path, FieldLocations& where) {
  where.place("layout", where.at(path));
  for (const std::string& field : field_names(*proto::Layout::descriptor())) {
    where.place(fmt::format("layout.{}", field), where.at(fmt::format("{}.{}", path, field)));
  }
}

ServingPools pools_of(const proto::Plan& plan, FieldLocations& where) {
  const proto::Pools& written = plan.serve().pools();
  const std::string path = "serve.pools";
  if (plan.has_layout()) {
    refuse_field(where, "layout", ": with serve.pools each pool has a layout of its own");
  }
  if (plan.serve().has_replicas()) {
    refuse_field(where, "serve.replicas", ": with serve.pools each pool has replicas of its own");
  }
  for (const char* pool : {"prefill", "decode"}) require_field(written, path, pool, where);
  ServingPools pools;
  const proto::Engine& engine = plan.serve().engine();
  pools.prefill = pool_of(written.prefill(), engine, path + ".prefill", where);
  pools.decode = pool_of(written.decode(), engine, path + ".decode", where);
  pools.transfer = static_cast<KvTransfer>(written.transfer());
  place_layout(path + ".prefill.layout", where);
  return pools;
}
static_assert(proto::Pools::push == static_cast<int>(KvTransfer::kPush));

Slo slo_of(const proto::Slo& written, const FieldLocations& where) {
  Slo slo;
  const auto take = [&](bool has, const std::string& text, const std::string& field,
                        std::optional<Seconds>& into) {
    if (!has) return;
    into = seconds_of(text, field, where);
    above_zero(into->value, field, where);
  };
  take(written.has_ttft(), written.ttft(), "serve.slo.ttft", slo.ttft);
  take(written.has_tpot(), written.tpot(), "serve.slo.tpot", slo.tpot);
  if (!slo.ttft && !slo.tpot) {
    refuse_field(where, "serve.slo", " needs ttft or tpot: what requests have to keep");
  }
  if (written.has_quantile()) slo.quantile = written.quantile();
  check_between(0, slo.quantile, 1, true, "serve.slo.quantile", where);
  return slo;
}

// int would not hold what Serve::gpus multiplies.
void check_all_gpus(const Serve& serve, const Layout& layout, const FieldLocations& where) {
  const auto gpus = [](const Layout& of, int replicas) { return 1.0 * of.gpus() * replicas; };
  if (!serve.pools) return check_gpus(gpus(layout, serve.replicas), "serve", where);
  const ServingPool& prefill = serve.pools->prefill;
  const ServingPool& decode = serve.pools->decode;
  check_gpus(gpus(prefill.layout, prefill.replicas) + gpus(decode.layout, decode.replicas),
             "serve.pools", where);
}

}  // namespace

bool is_scheduler(const std::string& name) { return name == kStatic || has_defaults(name); }

void take_serve(const proto::Plan& plan, FieldLocations& where, Plan& into) {
  const proto::Serve& written = plan.serve();
  require_field(written, "serve", "traffic", where);
  require_field(written, "serve", "engine", where);
  Serve serve;
  serve.engine = engine_of(written.engine(), "serve.engine", where);
  if (!written.has_pools()) require_sequences(written.engine(), "serve.engine", where);
  take_traffic(written.traffic(), where, serve);
  if (written.has_replicas()) serve.replicas = written.replicas();
  if (written.has_router()) serve.router = written.router();
  if (written.has_pools()) {
    serve.pools = pools_of(plan, where);
    into.layout = serve.pools->prefill.layout;
  }
  if (written.has_slo()) serve.slo = slo_of(written.slo(), where);
  check_all_gpus(serve, into.layout, where);
  into.serve = std::move(serve);
}

}  // namespace rehearse
