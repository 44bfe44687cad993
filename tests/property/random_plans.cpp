#include "property/random_plans.hpp"

#include <fmt/format.h>
#include <rapidcheck.h>

#include <algorithm>

#include "layout/prefill_passes.hpp"

namespace rehearse {
namespace {

// `least` to `most`, each as likely: rapidcheck would begin with the small ones.
int between(int least, int most) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(least, most + 1));
}
bool coin() { return *rc::gen::arbitrary<bool>(); }
int power_of_two(int most_doublings) { return 1 << between(0, most_doublings); }

Layout draw_degrees(int gpus, bool experts) {
  Layout layout;
  const auto left = [&] { return gpus / layout.gpus(); };
  layout.tensor = std::min(power_of_two(2), left());
  if (layout.tensor == 3) layout.tensor = 2;
  if (experts) layout.expert = left() >= 4 ? power_of_two(2) : 1;
  layout.pipeline = between(1, std::min(3, left()));
  layout.data = between(1, std::min(3, left()));
  layout.expert_tensor = between(0, 1);
  layout.sequence_parallel = coin();
  std::vector<std::string> axes = {"tp", "cp", "ep", "dp", "pp"};
  for (int place = 4; place > 0; --place) std::swap(axes[place], axes[between(0, place)]);
  layout.order = fmt::format("{}-{}-{}-{}-{}", axes[0], axes[1], axes[2], axes[3], axes[4]);
  return layout;
}

FeedForward draw_ffn() { return {4 * between(1, 3), coin(), coin()}; }

Model draw_model(int layers, bool experts) {
  Model model;
  model.name = "random";
  model.layers = layers;
  model.hidden = 8 * between(1, 3);
  model.attention.resize(1);
  model.attention[0].heads = 4 * between(1, 2);
  model.attention[0].kv_heads = power_of_two(2);
  model.attention[0].head_dim = between(1, 4);
  model.attention[0].bias = coin();
  model.vocab = between(1, 50);
  model.tied_embeddings = coin();
  const Dtype dtypes[] = {Dtype::kFp32, Dtype::kBf16, Dtype::kFp8};
  model.weight_dtype = dtypes[between(0, 2)];
  model.activation_dtype = dtypes[between(0, 2)];
  model.kv_dtype = dtypes[between(0, 2)];
  if (experts) {
    model.moe = MixtureOfExperts{.experts = 16,
                                 .top_k = between(1, 16),
                                 .expert = draw_ffn(),
                                 .shared_experts = between(0, 2),
                                 .shared = draw_ffn(),
                                 .first_dense_layers = between(0, layers)};
  }
  if (!experts || model.moe->first_dense_layers > 0) model.dense = {draw_ffn()};
  return model;
}

RandomPlan draw(int gpus, bool experts) {
  RandomPlan drawn;
  drawn.plan.name = "random";
  Layout& layout = drawn.plan.layout;
  layout = draw_degrees(gpus, experts);
  if (layout.pipeline > 1) layout.virtual_stages = between(1, 2);
  const int layers = layout.stages() + between(0, 3);
  drawn.model = draw_model(layers, experts);
  if (coin()) {  // all surplus layers in the last stage
    layout.layers_per_stage.assign(layout.stages(), 1);
    layout.layers_per_stage.back() += layers - layout.stages();
  }
  Batch& batch = drawn.plan.batch;
  batch.sequences = between(1, 3 * layout.dense_data());
  const int largest = share_of(batch.sequences, layout.dense_data(), 0).count;
  batch.prompt_tokens = between(1, 6);
  batch.output_tokens = between(1, 4);
  batch.micro_batches = between(1, largest);
  batch.decode_micro_batches = between(0, largest);
  drawn.plan.communication_buffers = Bytes{1e3};
  validate(drawn.model);
  check_layout(drawn.plan, drawn.model, gpus, "random.xml");
  return drawn;
}

}  // namespace

std::string RandomPlan::text() const {
  const Layout& l = plan.layout;
  const Batch& b = plan.batch;
  return fmt::format(
      "tp{} pp{}x{} dp{} ep{} etp{} sp{} {}; {} requests of {}+{} in {} and {} micro-batches; {} "
      "layers, "
      "hidden {}, heads {}/{}x{}, {}",
      l.tensor, l.pipeline, l.virtual_stages, l.data, l.expert, l.expert_tensor,
      l.sequence_parallel, l.order, b.sequences, b.prompt_tokens, b.output_tokens, b.micro_batches,
      b.decode_micro_batches, model.layers, model.hidden, model.attention[0].heads,
      model.attention[0].kv_heads, model.attention[0].head_dim,
      model.moe ? fmt::format("top {} of 16 experts, {} shared, first {} dense", model.moe->top_k,
                              model.moe->shared_experts, model.moe->first_dense_layers)
                : "dense");
}

RandomPlan draw_plan(int gpus) { return draw(gpus, coin()); }

RandomPlan draw_moe_plan(int gpus) { return draw(gpus, true); }

RandomPlan draw_plan_of_lengths(int gpus) {
  RandomPlan drawn = draw_plan(gpus);
  Batch& batch = drawn.plan.batch;
  batch.lengths.given = true;
  batch.lengths.padded = coin();
  for (int request = 0; request < batch.sequences; ++request) {
    batch.lengths.of_file.push_back(coin() ? between(1, 6) : between(2000, 9000));
  }
  batch.default_passes = true;
  choose_prefill_passes(drawn.plan);
  return drawn;
}

namespace {

Attention grouped_heads() {
  Attention attention;
  attention.heads = 4 * between(1, 2);
  attention.kv_heads = power_of_two(2);
  attention.head_dim = between(1, 4);
  return attention;
}

Attention decorated_heads() {
  Attention attention = grouped_heads();
  attention.value_dim = coin() ? between(1, 4) : 0;
  attention.qk_norm = static_cast<QkNorm>(between(0, 3));
  attention.gate = static_cast<OutputGate>(between(0, 2));
  attention.sinks = coin();
  attention.keys_are_values = attention.value_dim == 0 && coin();
  attention.window = coin() ? between(1, 6) : 0;
  attention.chunk = attention.window == 0 && coin() ? between(1, 6) : 0;
  attention.shares_kv = coin();
  attention.kv_weights = attention.shares_kv && coin();
  return attention;
}

// One of each kind, some of them with what they can have beside.
std::vector<Attention> draw_attentions() {
  std::vector<Attention> all(9);
  all[0] = decorated_heads();
  all[1] = grouped_heads();
  all[1].kind = BlockSparse{between(1, 2), between(1, 3), between(1, 2), between(1, 3)};
  all[2].heads = 4 * between(1, 2);
  all[2].gate = static_cast<OutputGate>(between(0, 2));
  Latent latent{between(1, 4), between(1, 5), between(1, 3), between(0, 2), between(1, 3)};
  if (coin()) latent.indexer = Indexer{between(1, 2), between(1, 3), between(1, 5), coin()};
  all[2].kind = latent;
  all[3] = grouped_heads();
  all[3].window = between(1, 5);
  Compressed compressed{between(1, 4), 0, between(0, 3), 4, between(1, 3)};
  if (compressed.ratio > 0 && coin()) {
    compressed.indexer = Indexer{between(1, 2), between(1, 3), between(1, 4)};
  }
  all[3].kind = compressed;
  all[4].kind = GatedDelta{4, 4 * between(1, 2), between(1, 3), between(1, 3), between(1, 4)};
  all[5].kind = KimiDelta{4, between(1, 3), between(1, 4), coin()};
  all[6] = grouped_heads();
  all[6].kind = Lightning{between(1, 8)};
  all[7].kind = Mamba2{4, between(1, 3), 4, between(1, 3), between(1, 4), between(1, 8)};
  all[8].kind = Mamba{4 * between(1, 3), between(1, 3), between(1, 4), between(1, 3), coin()};
  return all;
}

void draw_mixture(MixtureOfExperts& moe) {
  moe.router_bias = coin();
  moe.score_correction = coin();
  moe.shared_gate = coin();
  moe.latent = coin() ? between(1, 6) : 0;
  moe.latent_norm = coin();
  moe.zero_experts = coin() ? between(1, 8) : 0;
  moe.first_dense_layers = 0;
}

}  // namespace

// Who shares what another layer keeps or chooses has such a layer before it.
void give_owners(Model& model) {
  constexpr int kHeads = 0;
  constexpr int kLatents = 2;
  for (const int sharing : {kHeads, kLatents}) {
    Attention owner = model.attention[sharing];
    auto* const latent = std::get_if<Latent>(&owner.kind);
    const bool chooses = latent != nullptr && latent->indexer && latent->indexer->shared;
    if (!owner.shares_kv && !chooses) continue;
    owner.shares_kv = owner.kv_weights = false;
    if (chooses) latent->indexer->shared = false;
    model.attention.push_back(owner);
    const auto first =
        std::find_if(model.pattern.begin(), model.pattern.end(),
                     [&](const LayerKind& kind) { return kind.attention == sharing; });
    if (first != model.pattern.end()) {
      first->attention = static_cast<int>(model.attention.size()) - 1;
    }
  }
}

RandomPlan draw_plan_of_kinds(int gpus) {
  RandomPlan drawn = draw_moe_plan(gpus);
  Model& model = drawn.model;
  draw_mixture(*model.moe);
  model.weight_dtype = model.activation_dtype = model.kv_dtype = Dtype::kBf16;
  model.attention = draw_attentions();
  FeedForward linear;
  linear.linear = true;
  model.dense = {draw_ffn(), linear};
  model.pattern.clear();
  if (drawn.plan.layout.layers_per_stage.empty()) {
    model.layers += drawn.plan.layout.stages() * between(0, 3);
  }
  // Layers take turns, or each is drawn.
  const int turn = coin() ? between(1, 3) : model.layers;
  for (int layer = 0; layer < model.layers; ++layer) {
    if (layer >= turn) {
      model.pattern.push_back(model.pattern[layer - turn]);
      continue;
    }
    LayerKind kind;
    kind.attention = between(-1, static_cast<int>(model.attention.size()) - 1);
    kind.dense = between(-1, 1);
    kind.experts = coin();
    model.pattern.push_back(kind);
  }
  give_owners(model);
  model.norms_per_layer = coin() ? between(1, 5) : 0;
  model.norm_bias = coin();
  model.residual_streams = between(1, 3);
  drawn.plan.batch.prompt_tokens = between(1, 12);
  drawn.plan.batch.output_tokens = between(1, 9);
  validate(model);
  check_layout(drawn.plan, model, gpus, "random.xml");
  return drawn;
}

RandomPlan draw_routed_plan(int gpus) {
  RandomPlan drawn = draw_moe_plan(gpus);
  // A model whose layers are all dense routes nothing.
  while (drawn.model.moe->first_dense_layers >= drawn.model.layers) drawn = draw_moe_plan(gpus);
  Plan& plan = drawn.plan;
  plan.routing.model = between(0, 3) == 0 ? "uniform" : "zipf";
  plan.routing.exponent = between(0, 20) / 10.0;
  plan.routing.drift_iterations = between(0, 1) * between(1, 4);
  plan.capacity.limited = between(0, 1) == 1;
  plan.capacity.policy = static_cast<CapacityPolicy>(between(0, 2));
  plan.capacity.factor = between(1, 30) / 10.0;
  plan.capacity.adaptive = between(0, 1) == 1;
  plan.capacity.adapt_every = between(1, 3);
  plan.placement.policy = static_cast<PlacementPolicy>(between(0, 2));
  if (plan.placement.policy == PlacementPolicy::kGreedy) {
    const int members = expert_group_size(plan.layout);
    plan.placement.redundant_experts = members > 1 ? members * between(0, 1) : 0;
    plan.placement.rebalance_every = between(0, 3);
  }
  plan.seed = between(0, 100);
  return drawn;
}

}  // namespace rehearse
