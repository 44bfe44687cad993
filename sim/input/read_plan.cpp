#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "base/files.hpp"
#include "base/nearest_name.hpp"
#include "base/option_place.hpp"
#include "base/utf8.hpp"
#include "input/field_set.hpp"
#include "input/input.hpp"
#include "input/measured_lists.hpp"
#include "input/model_gallery.hpp"
#include "input/plan_fields.hpp"
#include "input/read_engine.hpp"
#include "input/serve_fields.hpp"
#include "input/source_text.hpp"
#include "input/textproto.hpp"
#include "input/traces/request_trace.hpp"
#include "layout/prefill_passes.hpp"
#include "proto/model.pb.h"
#include "proto/plan.pb.h"
#include "traffic/generate.hpp"

namespace rehearse {
namespace {

// Sets a field of the plan; one of its model is checked and given back: which model it is for may
// still change.
std::optional<FieldSet> set_checked(const FieldSet& set, proto::Plan& plan, FieldLocations& where) {
  if (set.text.starts_with("default_variant=")) {
    throw InputError(set.begins, "default_variant cannot be set: --variant names the variant");
  }
  std::optional<FieldSet> of_model = set_of_model(set);
  if (of_model) {
    proto::Model scratch;
    FieldLocations unused;
    set_field(*of_model, scratch, unused);
  } else {
    set_field(set, plan, where);
  }
  return of_model;
}

// A plan file with what has been laid over it so far.
class Draft {
 public:
  explicit Draft(const SourceText& source) : source_(source), where_(source.path) {
    parse_textproto(source_, plan_, where_);
  }

  const std::string& path() const { return source_.path; }
  const proto::Plan& plan() const { return plan_; }
  const FieldLocations& where() const { return where_; }
  const std::vector<std::string>& model_sets() const { return model_sets_; }
  const std::map<std::string, std::string>& written_platforms() const { return written_platforms_; }

  void apply(const FieldSet& set) {
    if (const auto of_model = set_checked(set, plan_, where_)) {
      model_sets_.push_back(of_model->text);
    }
  }

  void apply_variant(int index) {
    const proto::Variant variant = plan_.variant(index);
    for (int i = 0; i < variant.set_size(); ++i) {
      apply({variant.set(i), place_of_set(index, i)});
    }
  }

  // Where a variant's i-th FIELD=VALUE begins.
  SourceLocation place_of_set(int variant, int i) const {
    return source_.quoted_behind(where_.at(fmt::format("variant[{}].set[{}]", variant, i)),
                                 plan_.variant(variant).set(i));
  }

  // Paths in the file start at its folder.
  void resolve_paths() {
    if (plan_.has_model()) {
      written_model_ = plan_.model();
      resolved_model_ = written_model_.empty() ? "" : resolved(written_model_);
      plan_.set_model(resolved_model_);
    }
    if (plan_.has_platform()) plan_.set_platform(resolved_platform(plan_.platform()));
    if (plan_.has_claims()) plan_.set_claims(resolved(plan_.claims()));
    if (plan_.batch().lengths().has_file()) {
      plan_.mutable_batch()->mutable_lengths()->set_file(resolved(plan_.batch().lengths().file()));
    }
    if (plan_.serve().has_traffic()) resolve_paths_of(*plan_.mutable_serve()->mutable_traffic());
    if (plan_.routing().has_table()) {
      plan_.mutable_routing()->set_table(resolved(plan_.routing().table()));
    }
    if (plan_.has_search()) {
      for (std::string& platform : *plan_.mutable_search()->mutable_platform()) {
        platform = resolved_platform(platform);
      }
    }
  }

  // The file that the model is, which may be called by its name. After all that may replace it.
  void look_up_model() {
    if (!plan_.has_model()) return;
    const std::string model = plan_.model();
    const bool of_file = model == resolved_model_;
    plan_.set_model(find_model(of_file ? written_model_ : model, model, where_.at("model")));
  }

  // `--FIELD VALUE`, without the messages that the field is in.
  void apply_option(const std::string& field, const std::string& value) {
    apply_option(field, field.substr(field.rfind('.') + 1), value);
  }
  void apply_option(const std::string& field, const std::string& option, const std::string& value) {
    const SourceLocation place = option_place("--" + option, value);
    FieldSet set{field + "=" + value, place};
    set.begins.column -= static_cast<int>(field.size()) + 1;  // so that VALUE is where it was typed
    set_field(set, plan_, where_);
    where_.place(field, place);
  }

 private:
  std::string resolved(const std::string& path) const {
    // Standard input has no folder: its paths start where the command does.
    const auto folder = is_descriptor(source_.path)
                            ? std::filesystem::path()
                            : std::filesystem::path(source_.path).parent_path();
    return (folder / path).lexically_normal().string();
  }

  std::string resolved_platform(const std::string& path) {
    std::string full = resolved(path);
    const bool only_here = full.starts_with('/') && !path.starts_with('/');
    if (only_here) written_platforms_[full] = path;
    return full;
  }

  void resolve_paths_of(proto::Traffic& traffic) const {
    if (traffic.has_trace()) traffic.set_trace(resolved(traffic.trace()));
    for (proto::RequestLengths* const lengths :
         {traffic.has_prompt() ? traffic.mutable_prompt() : nullptr,
          traffic.has_output() ? traffic.mutable_output() : nullptr}) {
      if (lengths != nullptr && lengths->has_file()) lengths->set_file(resolved(lengths->file()));
    }
  }

  const SourceText& source_;
  proto::Plan plan_;
  FieldLocations where_;
  std::string written_model_;   // in the file
  std::string resolved_model_;  // the same as a path from the working directory
  std::vector<std::string> model_sets_;
  std::map<std::string, std::string> written_platforms_;
};

std::vector<std::string> variant_names(const proto::Plan& plan) {
  std::vector<std::string> names;
  for (const proto::Variant& variant : plan.variant()) names.push_back(variant.name());
  return names;
}

// Every variant, so that a fault does not wait for the day its variant is chosen. Whether a field
// can be set does not depend on the rest of the plan, so none of it is copied.
void check_variants(const Draft& draft) {
  std::set<std::string> names;
  for (int i = 0; i < draft.plan().variant_size(); ++i) {
    const proto::Variant& variant = draft.plan().variant(i);
    const std::string path = fmt::format("variant[{}]", i);
    require_field(variant, path, "name", draft.where());
    if (!names.insert(variant.name()).second) {
      throw InputError(
          draft.where().at(path + ".name"),
          fmt::format("variant \"{}\" is given twice: names are unique", variant.name()));
    }
    proto::Plan scratch;
    FieldLocations unused;
    for (int set = 0; set < variant.set_size(); ++set) {
      set_checked({variant.set(set), draft.place_of_set(i, set)}, scratch, unused);
    }
  }
}

// Index of the variant that holds; -1: the plan as written.
int chosen_variant(const PlanRequest& request, const Draft& draft) {
  const proto::Plan& plan = draft.plan();
  if (!request.variant && !plan.has_default_variant()) return -1;
  const std::string name = request.variant.value_or(plan.default_variant());
  const std::vector<std::string> names = variant_names(plan);
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<int>(found - names.begin());
  constexpr std::size_t kShown = 20;
  std::string known =
      names.empty()
          ? "has no variants"
          : fmt::format("has {}", fmt::join(names.begin(),
                                            names.begin() + std::min(names.size(), kShown), " "));
  if (names.size() > kShown) known += fmt::format(" and {} more", names.size() - kShown);
  throw InputError(
      request.variant ? option_place("--variant", name) : draft.where().at("default_variant"),
      fmt::format("unknown variant \"{}\": {} {}{}", shortened(name), draft.path(), known,
                  hint(name, names)));
}

// Puts together the requests of engines whose own scheduler is not modelled.
constexpr const char* kOtherwise = "static";

// Of the pools, too: they have the engine of the plan.
void name_engine(Serve& serve, const std::string& name) {
  serve.engine.name = name;
  if (!serve.pools) return;
  serve.pools->prefill.engine.name = name;
  serve.pools->decode.engine.name = name;
}

// Its engine, from the engine's file. What the plan writes itself stays.
void take_engine(const std::vector<std::string>& folders, Plan& plan) {
  const bool serves = plan.serve.has_value();
  if (plan.engine.name.empty() && !serves) return;
  const EngineCatalog catalog(folders);
  std::string field = "engine";
  std::string note;
  if (serves && catalog.has(plan.serve->engine.name)) {
    const std::string served = plan.serve->engine.name;
    if (plan.engine.name.empty()) {
      plan.engine.name = served;
      field = "serve.engine.name";
    }
    if (!is_scheduler(served)) {
      note = fmt::format(
          "; requests are put together by the scheduler {}: the engine's own is not "
          "modelled",
          kOtherwise);
      name_engine(*plan.serve, kOtherwise);
    }
  }
  if (plan.engine.name.empty()) return;
  plan.engine = plan_engine(catalog.find(plan.engine.name, plan.where.at(field)));
  plan.engine.assumption += note;
  if (plan.default_memory_fraction && plan.engine.memory_fraction) {
    plan.memory_fraction = *plan.engine.memory_fraction;
  }
  if (plan.default_communication_buffers && plan.engine.communication_buffers) {
    plan.communication_buffers = *plan.engine.communication_buffers;
  }
}

// Drawn ones.
void draw_requests(const Plan& plan, Serve& serve) {
  const std::pair<const char*, LengthLaw*> laws[] = {{"prompt", &serve.law->prompt},
                                                     {"output", &serve.law->output}};
  for (const auto& [name, law] : laws) {
    if (law->file.empty()) continue;
    const std::string field = fmt::format("serve.traffic.{}.file", name);
    check_readable(law->file, field, plan.where.at(field));
    law->of_file = read_prompt_lengths(law->file);
  }
  serve.requests = generate_requests(
      *serve.law, plan.seed,
      {plan.where.at("serve.traffic.duration"), plan.where.at("serve.traffic.turns"),
       plan.where.at("serve.traffic.prefix")});
  if (describes_blocks(*serve.law)) serve.block_tokens = kDrawnBlockTokens;
}

// Some requests have to count. In a closed loop, and of turns, nobody knows yet when they come.
void check_warm_up(const Serve& serve, const FieldLocations& where) {
  const bool known = serve.concurrency == 0 && (!serve.law || serve.law->turns == 1);
  const Seconds last = serve.requests.back().arrival;
  if (!known || serve.warm_up.value == 0 || serve.warm_up < last) return;
  const std::string field = "serve.traffic.warm_up";
  throw InputError(where.at(field),
                   fmt::format("{} = {}: must be below {}, when the last request arrives", field,
                               to_text(serve.warm_up), to_text(last)));
}

// Of the trace, or drawn.
void take_requests(Plan& plan) {
  Serve& serve = *plan.serve;
  if (serve.law) {
    draw_requests(plan, serve);
  } else {
    check_readable(serve.trace_path, "serve.traffic.trace", plan.where.at("serve.traffic.trace"));
    RequestTrace trace = read_request_trace(serve.trace_path);
    if (trace.block_tokens > 0) serve.block_tokens = trace.block_tokens;
    serve.requests = std::move(trace.requests);
  }
  check_warm_up(serve, plan.where);
}

// `gallery`: whether the model may be a name, for which the program's folder is looked at.
Plan plan_from(const SourceText& source, const PlanRequest& request, bool gallery) {
  Draft draft(source);
  check_variants(draft);
  const int variant = chosen_variant(request, draft);
  if (variant >= 0) draft.apply_variant(variant);
  draft.resolve_paths();
  if (request.model) draft.apply_option("model", *request.model);
  if (request.platform) draft.apply_option("platform", *request.platform);
  if (request.network) draft.apply_option("network", *request.network);
  if (request.seed) draft.apply_option("seed", *request.seed);
  if (request.library) draft.apply_option("collectives.library", *request.library);
  if (request.engine) {
    draft.apply_option("engine", *request.engine);
    // Of a service it is who puts requests together, too.
    if (draft.plan().has_serve())
      draft.apply_option("serve.engine.name", "engine", *request.engine);
  }
  for (const std::string& set : request.sets) draft.apply(option_set(set));
  if (gallery) draft.look_up_model();

  Plan plan = plan_of(draft.plan(), draft.where());
  plan.name = draft.plan().has_name() ? draft.plan().name()
                                      : std::filesystem::path(source.path).stem().string();
  if (variant >= 0) plan.variant = draft.plan().variant(variant).name();
  plan.variants = variant_names(draft.plan());
  plan.model_sets = draft.model_sets();
  plan.written_platforms = draft.written_platforms();
  plan.gpus_at = request.gpus_at;
  return plan;
}

}  // namespace

Plan parse_plan(const SourceText& source, const PlanRequest& request) {
  return plan_from(source, request, false);
}

Plan read_plan(const PlanRequest& request) {
  Plan plan = plan_from(read_source(request.path, "a plan"), request, true);
  take_engine(request.engine_folders, plan);
  check_readable(plan.model_path, "model", plan.where.at("model"));
  check_readable(plan.platform_path, "platform", plan.where.at("platform"));
  PromptLengths& lengths = plan.batch.lengths;
  if (!lengths.file.empty()) {
    const SourceLocation place = plan.where.at("batch.lengths.file");
    check_readable(lengths.file, "batch.lengths.file", place);
    lengths.of_file = read_prompt_lengths(lengths.file);
    if (static_cast<int>(lengths.of_file.size()) < plan.batch.sequences) {
      throw InputError(place, fmt::format("batch.lengths.file has {} lengths, batch.sequences = {} "
                                          "needs as many",
                                          lengths.of_file.size(), plan.batch.sequences));
    }
  }
  choose_prefill_passes(plan);
  if (plan.serve) take_requests(plan);
  if (!plan.routing.table_path.empty()) {
    check_readable(plan.routing.table_path, "routing.table", plan.where.at("routing.table"));
    plan.routing.table = read_load_table(plan.routing.table_path);
  }
  return plan;
}

}  // namespace rehearse
