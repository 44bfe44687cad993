// Work in child processes: results in order, refusals apart, failures said.
#include "base/processes.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <new>

#include "base/error.hpp"
#include "base/system_error.hpp"

namespace rehearse {
namespace {

using Jobs = std::vector<std::function<std::string()>>;

TEST(Processes, GiveResultsInTheOrderOfTheJobs) {
  Jobs jobs;
  for (int i = 0; i < 20; ++i) {
    jobs.push_back([i] {
      usleep(static_cast<useconds_t>(1000 * (20 - i)));
      return std::to_string(i);
    });
  }
  const std::vector<JobResult> results = run_in_processes(jobs, 3);
  ASSERT_EQ(results.size(), 20U);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(results[i].text, std::to_string(i));
}

TEST(Processes, AreProcessesOfTheirOwn) {
  int touched = 0;
  const auto results = run_in_processes({[&] {
                                          touched = 1;
                                          return std::to_string(getpid());
                                        }},
                                        1);
  EXPECT_EQ(touched, 0);
  EXPECT_NE(results[0].text, std::to_string(getpid()));
}

TEST(Processes, CarryTextsOfAnySize) {
  const auto results = run_in_processes(
      {[] { return std::string(3'000'000, 'x'); }, [] { return std::string(); }}, 2);
  EXPECT_EQ(results[0].text, std::string(3'000'000, 'x'));
  EXPECT_EQ(results[1].text, "");
}

TEST(Processes, ReportARefusalAsItWasThrown) {
  const auto results = run_in_processes({[]() -> std::string {
                                           throw InputError({"plan", 3, 4}, "no");
                                         },
                                         [] { return "yes"; }},
                                        2);
  EXPECT_TRUE(results[0].refused());
  EXPECT_EQ(results[0].text, "plan:3:4: error: no");
  EXPECT_THROW(results[0].value(), InputError);
  EXPECT_EQ(results[1].value(), "yes");
}

TEST(Processes, ThrowWhatIsOurFault) {
  EXPECT_THROW(run_in_processes({[]() -> std::string { throw InternalError("bug"); }}, 1),
               InternalError);
  EXPECT_THROW(run_in_processes({[]() -> std::string {
                                  raise(SIGKILL);
                                  return {};
                                }},
                                1),
               InternalError);
}

TEST(Processes, RefuseWhatTheMachineHasNoMemoryFor) {
  const JobResult result = JobProcess([]() -> std::string { throw std::bad_alloc(); }).wait();
  EXPECT_EQ(result.end, JobEnd::kSystem);
  EXPECT_EQ(result.text, "error: this machine has too little memory for it");
  EXPECT_THROW(result.value(), SystemError);
}

// fault:A11
TEST(Processes, WithoutDescriptorsOrProcessesSayWhatTheSystemRefused) {
  const auto what_with = [](int resource) {
    rlimit limit{};
    getrlimit(static_cast<__rlimit_resource>(resource), &limit);
    const rlimit before = limit;
    limit.rlim_cur = resource == RLIMIT_NOFILE ? 4 : 0;
    setrlimit(static_cast<__rlimit_resource>(resource), &limit);
    std::string what;
    try {
      JobProcess([] { return std::string("ran"); }).wait();
    } catch (const SystemError& error) {
      what = error.what();
    }
    setrlimit(static_cast<__rlimit_resource>(resource), &before);
    return what;
  };
  EXPECT_EQ(what_with(RLIMIT_NOFILE), "error: cannot make a pipe: Too many open files");
  // Root's processes are not counted.
  if (geteuid() != 0) {
    EXPECT_EQ(what_with(RLIMIT_NPROC),
              "error: cannot start a process: Resource temporarily unavailable");
  }
}

// fault:C10: only what the crash guard says of itself is a refusal; an exit code is not.
TEST(Processes, AnExitCodeOf2IsNoRefusal) {
  const JobResult result = JobProcess([]() -> std::string { _exit(2); }).wait();
  EXPECT_EQ(result.end, JobEnd::kBroken);
  EXPECT_EQ(result.text, "ended with status 2");
}

TEST(Processes, AreRefusedWhereTheCrashGuardEndsThem) {
  const JobResult result = JobProcess([]() -> std::string { end_refused(2, "a line"); }).wait();
  EXPECT_TRUE(result.refused());
  EXPECT_EQ(result.text, "a line");
}

TEST(Processes, EndWithTheirTime) {
  JobProcess sleeper([]() -> std::string {
    sleep(100);
    return {};
  });
  const JobResult result = sleeper.wait_at_most(Seconds{0.05});
  EXPECT_EQ(result.end, JobEnd::kTooLate);
  EXPECT_EQ(result.text, "no answer within 50.0 ms");
  EXPECT_THROW(result.value(), InternalError);
}

TEST(Processes, EndWithTheirOwner) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  {
    const JobProcess sleeper([]() -> std::string {
      sleep(100);
      return {};
    });
  }
  close(ends[1]);  // the child held the other copy
  char nothing = 0;
  EXPECT_EQ(read(ends[0], &nothing, 1), 0);
  close(ends[0]);
}

}  // namespace
}  // namespace rehearse
