#include "commands/launch_room.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "catalog/servers.hpp"
#include "commands/init_layout.hpp"
#include "commands/plan_texts.hpp"
#include "input/input.hpp"
#include "layout/memory_rule.hpp"
#include "service/engine_of_plan.hpp"

namespace rehearse {

void say_room(const LaunchRequest& request, const DeviceSheet& sheet, int gpus, const Plan& plan,
              LaunchAnswer& answer) {
  const Model model = read_model(plan.model_path, plan.model_sets);
  const int node = most_gpus_of_a_node(sheet);
  const InitSite site{sheet, std::min(node, gpus), gpus, node};
  try {
    const PlannedEngine engine = advised_engine_of(plan, plan.serve->engine, model,
                                                   bare_platform(site, gpus), "serve.engine");
    const KvRoom& room = engine.room;
    const std::int64_t tokens =
        std::int64_t{engine.settings.kv_blocks} * engine.settings.block_tokens;
    const std::int64_t each = request.prompt_tokens + request.output_tokens;
    answer.memory = fmt::format(
        "fits: of {} usable on a GPU weights take {}, activations {}, communication {}; the rest "
        "is room for {} tokens of keys and values, {} requests of {}",
        to_text(room.usable), to_text(room.weights), to_text(room.activations),
        to_text(room.buffers), tokens, tokens / each, each);
  } catch (const DoesNotFit& error) {
    answer.fits = false;
    answer.memory = said_by(error);
  } catch (const InputError& error) {
    answer.why_not = said_by(error);
  }
}

}  // namespace rehearse
