// Engine files of one's own: what is read, what is refused and where.
#include <gtest/gtest.h>

#include "input/input_texts.hpp"
#include "input/read_engine.hpp"

namespace rehearse {
namespace {

constexpr const char* kFile = R"(name: "own"
product: "An engine of our own"
source { key: "trace" text: "a trace of ours" date: "2026-11" }
per_operator { value: "3us" kind: measured source: "trace" }
per_collective { value: "2.5us" kind: measured source: "trace" }
per_step { value: "0.4ms" kind: assumed source: "trace" note: "half of a step" }
per_request { value: "0us" kind: measured source: "trace" }
scheduler_per_step { value: "1ms" kind: measured source: "trace" }
scheduler_per_request { value: "30us" kind: measured source: "trace" }
library { value: "nccl" kind: measured source: "trace" note: "its log" }
memory_fraction { value: "0.85" kind: datasheet source: "trace" }
communication_buffers { value: "2GB" kind: measured source: "trace" }
)";

EngineProfile parsed(const std::string& text) {
  return parse_engine_profile(source_of("own.textproto", text, "an engine"));
}

// The file with `word` replaced, refused.
std::string refusal_with(const std::string& word, const std::string& by) {
  std::string text = kFile;
  const auto at = text.find(word);
  if (at == std::string::npos) return "the file has no " + word;
  return refusal_of([&] { parsed(text.replace(at, word.size(), by)); });
}

TEST(EngineFile, IsReadNumberByNumber) {
  const EngineProfile own = parsed(kFile);
  EXPECT_EQ(own.name, "own");
  EXPECT_EQ(own.product, "An engine of our own");
  const PlanEngine engine = plan_engine(own);
  EXPECT_EQ(engine.name, "own");
  EXPECT_EQ(engine.path, "own.textproto");
  EXPECT_DOUBLE_EQ(engine.times.per_operator.value, 3e-6);
  EXPECT_DOUBLE_EQ(engine.times.per_collective.value, 2.5e-6);
  EXPECT_DOUBLE_EQ(engine.times.per_step.value, 0.4e-3);
  EXPECT_EQ(engine.times.per_request.value, 0);
  EXPECT_DOUBLE_EQ(engine.times.scheduler_per_step.value, 1e-3);
  EXPECT_DOUBLE_EQ(engine.times.scheduler_per_request.value, 30e-6);
  EXPECT_EQ(engine.library, "nccl");
  EXPECT_EQ(engine.memory_fraction, 0.85);
  EXPECT_EQ(engine.communication_buffers, Bytes{2e9});
  EXPECT_EQ(own.find(EngineFigureId::kPerStep)->note, "half of a step");
  EXPECT_EQ(own.find(EngineFigureId::kPerStep)->kind, FigureKind::kAssumed);
  EXPECT_EQ(own.library->source, "a trace of ours");
  EXPECT_EQ(own.library->date, "2026-11");
}

TEST(EngineFile, SaysWhatItAssumesAndWhatIsNotKnown) {
  EXPECT_EQ(plan_engine(parsed(kFile)).assumption,
            "engine own: 3us per operator (measured), 2.5us per collective (measured), 0.4ms per "
            "step (assumed), 0us per request (measured), 1ms scheduler per step (measured), "
            "30us scheduler per request (measured), 0.85 of the memory (datasheet), 2GB "
            "communication buffers (measured), collectives of nccl where that runs (measured)");
  EXPECT_EQ(plan_engine(parsed("name: \"own\" product: \"p\"")).assumption,
            "engine own: nothing is known; not known, and so nothing of it: per_operator, "
            "per_collective, per_step, per_request, scheduler_per_step, "
            "scheduler_per_request, memory_fraction, communication_buffers");
}

// What is not known adds nothing, and leaves the defaults that there are without an engine.
TEST(EngineFile, WithoutNumbersChangesNothing) {
  const PlanEngine engine = plan_engine(parsed("name: \"own\" product: \"p\""));
  EXPECT_EQ(engine.times.per_operator.value, 0);
  EXPECT_FALSE(engine.times.on_host());
  EXPECT_EQ(engine.library, "");
  EXPECT_FALSE(engine.memory_fraction.has_value());
  EXPECT_FALSE(engine.communication_buffers.has_value());
}

TEST(EngineFile, SaysWhereAMistakeStands) {
  const std::string file = "own.textproto";
  EXPECT_EQ(refusal_with(" source: \"trace\" }\nper_coll", " }\nper_coll"),
            file + ":4:1: error: per_operator.source is missing: it has no default");
  EXPECT_EQ(refusal_with(" kind: measured source: \"trace\" }\nper_coll",
                         " source: \"trace\" }\nper_coll"),
            file + ":4:1: error: per_operator.kind is missing: it has no default");
  EXPECT_EQ(refusal_with("per_step", "per_stop"),
            file +
                ":6:1: error: unknown field \"per_stop\" of EngineProfile: did you mean "
                "\"per_step\"?");
  EXPECT_EQ(
      refusal_with("3us", "3"),
      file + ":4:24: error: per_operator = \"3\" has no unit: a time needs one of s ms us ns");
  EXPECT_TRUE(
      refusal_with("3us", "-3us").starts_with(file + ":4:24: error: per_operator = \"-3us\""));
  EXPECT_EQ(refusal_with("0.85", "1.2"),
            file + ":11:27: error: memory_fraction = \"1.2\": must be at most 1");
  EXPECT_EQ(refusal_with("\"trace\" note: \"half", "\"tracy\" note: \"half"),
            file + ":6:50: error: unknown source \"tracy\" of per_step: did you mean \"trace\"?");
  EXPECT_EQ(refusal_with(" note: \"half of a step\"", ""),
            file + ":6:1: error: per_step is assumed: its note must say why this value");
  EXPECT_EQ(refusal_with("\"nccl\"", "\"ncl\"").substr(0, 56),
            file + ":10:19: error: library: unknown library \"nc");
  EXPECT_EQ(refusal_with("name: \"own\"", "name: \"other\""),
            file + ":1:8: error: name = \"other\": must be that of the file, \"own\"");
  EXPECT_EQ(refusal_with("2026-11", "2026-13"),
            file + ":3:54: error: date = \"2026-13\": must be 2024, 2024-05 or 2024-05-17");
  EXPECT_EQ(refusal_with("product: \"An engine of our own\"\n", ""),
            file + ":1:1: error: product is missing: it has no default");
  EXPECT_EQ(refusal_with("name: \"own\"\n",
                         "name: \"own\"\nsource { key: \"k\" text: \"t\" date: "
                         "\"2024\" }\n"),
            file + ":2:1: error: source \"k\" is named by no number: leave it out");
}

// Whatever is mistyped is read as something else or refused at its place, and never passed over.
TEST(EngineFile, WithACharacterChangedIsReadOrRefused) {
  int read = 0;
  int refused = 0;
  const std::string file = kFile;
  for (std::size_t at = 0; at < file.size(); ++at) {
    for (const char by : {'x', '"', '{', '9', ' ', '\n'}) {
      std::string text = file;
      text[at] = by;
      const std::string refusal = refusal_of([&] { parsed(text); });
      refusal == "accepted" ? ++read : ++refused;
      if (refusal != "accepted") {
        EXPECT_TRUE(refusal.starts_with("own.textproto:")) << refusal;
      }
    }
  }
  EXPECT_GT(read, 100);  // texts, digits and blanks
  EXPECT_GT(refused, 1000);
}

// A field's name with a letter less is no field.
TEST(EngineFile, WithANameCutIsRefused) {
  for (const EngineFigureRow& row : kEngineFigures) {
    const std::string name(row.path);
    const std::string refusal = refusal_with("\n" + name, "\n" + name.substr(1));
    EXPECT_NE(refusal.find("did you mean \"" + name + "\"?"), std::string::npos) << refusal;
  }
}

TEST(EngineCatalog, FindsTheUsersFileBeforeTheProgramsOwn) {
  std::string text = kFile;
  text.replace(text.find("own"), 3, "vllm");
  const std::string path = written_file("vllm.textproto", text);
  const std::string folder = std::filesystem::path(path).parent_path();
  const EngineCatalog catalog({folder});
  EXPECT_DOUBLE_EQ(plan_engine(catalog.find("vllm", {})).times.per_operator.value, 3e-6);
  ASSERT_EQ(catalog.notes().size(), 1u);
  EXPECT_TRUE(catalog.notes().front().starts_with("vllm is " + path + ", in place of "));
  EXPECT_TRUE(catalog.has("sglang"));
  EXPECT_TRUE(EngineCatalog().notes().empty());
}

TEST(EngineCatalog, NamesTheEngineThatIsNear) {
  EXPECT_EQ(refusal_of([] {
              EngineCatalog().find("vlm", {"p", 2, 3});
            }),
            "p:2:3: error: unknown engine \"vlm\": did you mean \"vllm\"?");
  EXPECT_TRUE(refusal_of([] {
                EngineCatalog().find("orca-of-2022", {"p", 2, 3});
              }).starts_with("p:2:3: error: unknown engine \"orca-of-2022\": one of deepspeed "));
}

}  // namespace
}  // namespace rehearse
