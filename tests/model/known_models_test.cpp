// Parameters, bytes of keys and values, state and checkpoint of models whose counts are known. Each
// total is that of the public checkpoint, or was counted from its tensors where none is public.
#include "model/known_models.hpp"

#include <gtest/gtest.h>

#include "model/attention_kind.hpp"
#include "model/weights.hpp"

namespace rehearse {
namespace {

class Known : public testing::TestWithParam<KnownModel> {};

TEST_P(Known, HasTheParameters) {
  const KnownModel& known = GetParam();
  validate(known.model);
  const ParameterCount count = count_parameters(known.model);
  EXPECT_EQ(static_cast<long long>(count.total), static_cast<long long>(known.total));
  EXPECT_EQ(static_cast<long long>(count.active), static_cast<long long>(known.active));
  EXPECT_EQ(static_cast<long long>(count.mtp), static_cast<long long>(known.mtp));
}

TEST_P(Known, KeepsTheBytes) {
  const KnownModel& known = GetParam();
  const SequenceCache cache = sequence_cache(known.model, 0, known.model.layers, 1);
  EXPECT_EQ(cache.of_token().value, known.kv_bytes);
  EXPECT_EQ(cache.token.value, known.kv_bytes_whole);
  EXPECT_EQ(cache.state.value, known.state_bytes);
  if (known.index_bytes > 0) {
    EXPECT_EQ(cache.index.value, known.index_bytes);
  }
  if (known.stored_bytes > 0) {
    EXPECT_NEAR(stored_bytes(known.model).value / known.stored_bytes, 1, 1e-6);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Known, testing::ValuesIn(known_models()), [](const auto& each) {
  std::string name = each.param.name;
  for (char& letter : name) {
    if (std::isalnum(static_cast<unsigned char>(letter)) == 0) letter = '_';
  }
  return name;
});

}  // namespace
}  // namespace rehearse
