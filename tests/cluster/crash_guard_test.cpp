// The check leaves no platform file that aborts, as far as we know, so these tests call the guard
// around what would have aborted without the check.
#include "cluster/crash_guard.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <simgrid/s4u.hpp>
#include <stdexcept>

#include "base/processes.hpp"
#include "source_dir.hpp"

namespace rehearse {
namespace {

const std::string kBad = REHEARSE_SOURCE_DIR "/tests/cluster_xml/bad/";

void load_unchecked(const std::string& file) {
  int count = 1;
  char name[] = "test";
  char* arguments[] = {name, nullptr};
  simgrid::s4u::Engine engine(&count, arguments);
  const CrashGuard guard("plan.xml");
  engine.load_platform(kBad + file);
}

TEST(CrashGuardDeathTest, SimGridsAbortBecomesOneLineAndExit2) {
  EXPECT_EXIT(load_unchecked("unknown_routing.xml"), testing::ExitedWithCode(2),
              "^plan.xml:1:1: error: SimGrid cannot load this platform: Not a valid model!\n$");
}

TEST(CrashGuardDeathTest, ACrashWithoutAWordIsNamed) {
  EXPECT_EXIT(
      {
        const CrashGuard guard("plan.xml");
        std::raise(SIGSEGV);
      },
      testing::ExitedWithCode(2),
      "^plan.xml:1:1: error: SimGrid cannot load this platform: it crashed \\(SIGSEGV\\)\n$");
}

// fault:C10: its line is the reason of a job's refusal, and stands there once.
TEST(CrashGuard, RefusesAJobWithItsLine) {
  testing::internal::CaptureStderr();
  const JobResult result = JobProcess([]() -> std::string {
                             const CrashGuard guard("plan.xml");
                             std::raise(SIGSEGV);
                             return {};
                           }).wait();
  EXPECT_TRUE(result.refused());
  EXPECT_EQ(result.text,
            "plan.xml:1:1: error: SimGrid cannot load this platform: it crashed (SIGSEGV)");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(CrashGuard, PassesOnWhatWasPrinted) {
  testing::internal::CaptureStderr();
  for (const char* word : {"one\n", "two\n"}) {
    const CrashGuard guard("plan.xml");
    std::fputs(word, stderr);
  }
  std::fputs("three\n", stderr);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "one\ntwo\nthree\n");
}

TEST(CrashGuard, KeepsQuietUnderAnException) {
  testing::internal::CaptureStderr();
  try {
    const CrashGuard guard("plan.xml");
    std::fputs("the exception says it\n", stderr);
    throw std::runtime_error("said");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(CrashGuardDeathTest, IsGoneAfterItsScope) {
  EXPECT_EXIT(
      {
        { const CrashGuard guard("plan.xml"); }
        std::abort();
      },
      testing::KilledBySignal(SIGABRT), "");
}

}  // namespace
}  // namespace rehearse
