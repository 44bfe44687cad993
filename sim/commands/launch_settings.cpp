// Flags are looked up by their whole names, as documents write them; argparse would also take the
// beginning of a name, which may mean another flag in the engine's next version.
#include "commands/launch_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/error.hpp"
#include "base/nearest_name.hpp"
#include "commands/launch_values.hpp"
#include "commands/launch_words.hpp"

namespace rehearse {
namespace {

constexpr std::string_view kNo = "--no-";
constexpr std::string_view kSecrets =
    "--api-key --admin-api-key --hf-token HF_TOKEN HUGGING_FACE_HUB_TOKEN";

std::vector<std::string> names_of(const LaunchTable& table) {
  std::vector<std::string> names;
  for (const FlagRow& row : table.rows) {
    names.emplace_back(row.names.substr(0, row.names.find(' ')));
  }
  return names;
}

std::string with_dashes(std::string name) {
  if (name.starts_with("--")) std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

bool is_flag(const std::string& word) {
  return word.size() > 1 && word[0] == '-' &&
         std::isdigit(static_cast<unsigned char>(word[1])) == 0;
}

class Reader {
 public:
  Reader(const LaunchTable& table, std::vector<LaunchWord> words, LaunchAnswer& lists)
      : table_(table), words_(std::move(words)), lists_(lists) {}

  LaunchSettings read() {
    skip_program();
    while (at_ < words_.size()) take_word();
    const std::string why = values_.settle_drafts();
    if (!why.empty()) refuse_line(FlagUse::kSpeculativeMethod, why, settings_, lists_);
    if (settings_.model.empty()) {
      refuse(words_.back(), "names no model");
    }
    return std::move(settings_);
  }

 private:
  [[noreturn]] void refuse(const LaunchWord& word, const std::string& rule) const {
    throw InputError({table_.option, 1, word.column}, rule);
  }

  // VARIABLE=VALUE before the program, then `vllm serve` or `python -m MODULE`.
  void skip_program() {
    while (at_ < words_.size() && words_[at_].text.find('=') != std::string::npos &&
           !is_flag(words_[at_].text)) {
      take_variable(words_[at_++].text);
    }
    const bool vllm = std::string_view(table_.engine) == "vllm";
    const char* const example =
        vllm ? "vllm serve MODEL ..." : "python -m sglang.launch_server --model-path MODEL ...";
    if (words_.size() < at_ + 2) {
      throw InputError({table_.option, 1, 1}, fmt::format("is no launch command: {}", example));
    }
    const std::string& program = words_[at_].text;
    const bool python = program.substr(program.rfind('/') + 1).starts_with("python");
    if (python && words_.size() > at_ + 2 && words_[at_ + 1].text == "-m") {
      const std::string& module = words_[at_ + 2].text;
      const bool known = vllm ? module == "vllm.entrypoints.openai.api_server" ||
                                    module == "vllm.entrypoints.api_server"
                              : module == "sglang.launch_server";
      if (!known) refuse(words_[at_ + 2], fmt::format("\"{}\" is no server: {}", module, example));
      at_ += 3;
      return;
    }
    const bool serves =
        program.substr(program.rfind('/') + 1) == table_.engine && words_[at_ + 1].text == "serve";
    if (!serves)
      refuse(words_[at_], fmt::format("\"{}\" is no launch command: {}", program, example));
    at_ += 2;
  }

  void take_variable(const std::string& text) {
    const std::string name = text.substr(0, text.find('='));
    constexpr std::string_view kHarmless =
        "CUDA_VISIBLE_DEVICES HIP_VISIBLE_DEVICES ROCR_VISIBLE_DEVICES HF_HOME "
        "HF_HUB_OFFLINE VLLM_LOGGING_LEVEL VLLM_HOST_IP "
        "VLLM_WORKER_MULTIPROC_METHOD NCCL_DEBUG GLOO_SOCKET_IFNAME NCCL_SOCKET_IFNAME";
    if (is_among(kSecrets, name)) {
      settings_.secrets.push_back(text.substr(text.find('=') + 1));
      lists_.ignored.push_back({name + "=***", "how weights are loaded"});
    } else if (is_among(kHarmless, name)) {
      lists_.ignored.push_back({text, "which devices, where files are, what is logged"});
    } else {
      lists_.refused.push_back({text, "variables of the environment are not modelled"});
    }
  }

  void take_word() {
    const LaunchWord word = words_[at_++];
    if (!is_flag(word.text)) {
      const bool first = std::string_view(table_.engine) == "vllm" && settings_.model.empty();
      if (!first) refuse(word, fmt::format("\"{}\" belongs to no flag", word.text));
      settings_.model = word.text;
      add_used(FlagUse::kModel, word.text, "model");
      return;
    }
    const std::size_t equals = word.text.find('=');
    std::string name = with_dashes(word.text.substr(0, equals));
    const FlagRow* row = row_named(table_, name);
    bool on = true;
    if (row == nullptr && name.starts_with(kNo)) {
      const FlagRow* const other = row_named(table_, "--" + name.substr(kNo.size()));
      if (other != nullptr && other->value == FlagValue::kSwitch) {
        row = other;
        on = false;
      }
    }
    if (row == nullptr && name.starts_with("-O")) row = row_named(table_, "-O");  // -O3
    if (row == nullptr) {
      take_unknown(word);
      return;
    }
    std::vector<std::string> values;
    if (equals != std::string::npos) values = {word.text.substr(equals + 1)};
    take_values(*row, word, values);
    take_flag(*row, word, on, values);
  }

  void take_values(const FlagRow& row, const LaunchWord& word, std::vector<std::string>& values) {
    if (row.value == FlagValue::kNone || row.value == FlagValue::kSwitch || !values.empty()) return;
    if (word.text.starts_with("-O") && word.text.size() > 2) return;
    const auto more = [&] { return at_ < words_.size() && !is_flag(words_[at_].text); };
    if (row.value == FlagValue::kOne && !more()) {
      refuse(word, fmt::format("{} needs a value", word.text));
    }
    while (more()) {
      values.push_back(words_[at_++].text);
      if (row.value != FlagValue::kSeveral) return;
    }
  }

  // With what may be its value.
  void take_unknown(const LaunchWord& word) {
    std::string typed = word.text;
    while (at_ < words_.size() && !is_flag(words_[at_].text)) typed += " " + words_[at_++].text;
    const std::string near = nearest_name(with_dashes(word.text), names_of(table_));
    lists_.refused.push_back(
        {typed, near.empty()
                    ? fmt::format("is not known ({})", table_.follows)
                    : fmt::format("is not known ({}); did you mean {}?", table_.follows, near)});
  }

  // Without what nobody else should read: a plan goes from hand to hand.
  std::string typed(const FlagRow& row, const LaunchWord& word,
                    const std::vector<std::string>& values) {
    if (is_among(kSecrets, row.names)) {
      settings_.secrets.insert(settings_.secrets.end(), values.begin(), values.end());
      return word.text.substr(0, word.text.find('=')) + " ***";
    }
    if (word.text.find('=') != std::string::npos) return word.text;
    std::string text = word.text;
    for (const std::string& value : values) text += " " + value;
    return text;
  }

  void take_flag(const FlagRow& row, const LaunchWord& word, bool on,
                 const std::vector<std::string>& values) {
    const std::string text = typed(row, word, values);
    const std::string what(row.what);
    if (row.use == FlagUse::kIgnored) {
      lists_.ignored.push_back({text, what});
    } else if (row.use == FlagUse::kRefused) {
      const bool harmless = !on || (values.size() == 1 && is_among(row.neutral, values.front()));
      if (harmless) {
        lists_.ignored.push_back({text, "as without it"});
      } else {
        lists_.refused.push_back({text, what});
      }
    } else {
      const std::string value = values.empty() ? "" : values.front();
      const std::string why = values_.use(row, word, on, value);
      if (why.empty()) {
        const std::string said =
            values.empty() ? (on == is_positive(row.use) ? "true" : "false") : value;
        add_used(row.use, text, fmt::format("{} = {}", what, said));
      } else if (why == LaunchValues::kHarmless) {
        lists_.ignored.push_back({text, "as without it"});
      } else {
        lists_.refused.push_back({text, why});
      }
    }
  }

  static bool is_positive(FlagUse use) {
    return use != FlagUse::kNoPrefixCache && use != FlagUse::kNoAsync && use != FlagUse::kNoGraphs;
  }

  void add_used(FlagUse use, const std::string& text, const std::string& what) {
    settings_.place[use] = lists_.used.size();
    lists_.used.push_back({text, what});
  }

  const LaunchTable& table_;
  const std::vector<LaunchWord> words_;
  LaunchAnswer& lists_;
  std::size_t at_ = 0;
  LaunchSettings settings_;
  LaunchValues values_{table_, settings_};
};

}  // namespace

const LaunchTable& flags_of(LaunchEngine engine) {
  return engine == LaunchEngine::kVllm ? vllm_flags() : sglang_flags();
}

const FlagRow* row_named(const LaunchTable& table, std::string_view name) {
  for (const FlagRow& row : table.rows) {
    if (is_among(row.names, name)) return &row;
  }
  return nullptr;
}

void refuse_line(FlagUse use, const std::string& why, const LaunchSettings& settings,
                 LaunchAnswer& lists) {
  const auto found = settings.place.find(use);
  if (found == settings.place.end()) return;
  lists.refused.push_back({lists.used[found->second].typed, why});
  lists.used[found->second].typed.clear();  // places of the others stay
}

LaunchSettings read_launch(LaunchEngine engine, const std::string& command, LaunchAnswer& lists) {
  const LaunchTable& table = flags_of(engine);
  return Reader(table, words_of_command(table.option, command), lists).read();
}

}  // namespace rehearse
