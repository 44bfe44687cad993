// fault:C9: the limit may stand in any control group from the process's own to the root, in files
// of either version. The trees below are those of systemd, Slurm and a container, written by hand.
#include "base/free_memory.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace rehearse {
namespace {

namespace fs = std::filesystem;

class Root {
 public:
  Root() {
    std::string name = (fs::temp_directory_path() / "free_memory-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
    write("proc/meminfo", "MemTotal: 1000 kB\nMemFree: 10 kB\nMemAvailable:   500 kB\n");
  }
  ~Root() { fs::remove_all(path_); }
  void write(const std::string& file, const std::string& text) const {
    fs::create_directories((path_ / file).parent_path());
    std::ofstream(path_ / file) << text;
  }
  double free() const { return free_memory(path_.string()).value; }

 private:
  fs::path path_;
};

constexpr double kMachine = 500 * 1024;

TEST(FreeMemory, IsTheMachinesWithoutControlGroups) {
  const Root root;
  EXPECT_EQ(root.free(), kMachine);
}

TEST(FreeMemory, ASystemdSliceAboveTheServiceLimitsIt) {
  const Root root;
  root.write("proc/self/cgroup", "0::/user.slice/user-1.slice/session.scope\n");
  const std::string slice = "sys/fs/cgroup/user.slice/";
  root.write(slice + "user-1.slice/session.scope/memory.max", "max\n");
  root.write(slice + "user-1.slice/memory.max", "100000\n");
  // Of 30,000 bytes in use 10,000 are pages that the kernel drops: 100,000 - 20,000 are left.
  root.write(slice + "user-1.slice/memory.current", "30000\n");
  root.write(slice + "user-1.slice/memory.stat", "anon 20000\ninactive_file 10000\n");
  root.write(slice + "memory.max", "400000\n");
  EXPECT_EQ(root.free(), 80000);
}

TEST(FreeMemory, ThrottlingCountsAsALimit) {
  const Root root;
  root.write("proc/self/cgroup", "0::/a\n");
  root.write("sys/fs/cgroup/a/memory.max", "300000\n");
  root.write("sys/fs/cgroup/a/memory.high", "200000\n");
  EXPECT_EQ(root.free(), 200000);
}

TEST(FreeMemory, AContainerSeesItsGroupAsTheRoot) {
  const Root root;
  root.write("proc/self/cgroup", "0::/\n");
  root.write("sys/fs/cgroup/memory.max", "70000\n");
  EXPECT_EQ(root.free(), 70000);
  root.write("proc/self/cgroup", "0::/../../elsewhere\n");
  EXPECT_EQ(root.free(), 70000);
}

TEST(FreeMemory, SlurmWithTheFirstVersion) {
  const Root root;
  root.write("proc/self/cgroup",
             "11:cpuset:/slurm\n9:memory:/slurm/uid_1/job_2/step_0\n0::/init.scope\n");
  const std::string job = "sys/fs/cgroup/memory/slurm/uid_1/job_2/";
  // Unlimited, as version 1 writes it.
  root.write(job + "step_0/memory.limit_in_bytes", "9223372036854771712\n");
  root.write(job + "memory.limit_in_bytes", "90000\n");
  root.write(job + "memory.usage_in_bytes", "50000\n");
  root.write(job + "memory.stat", "total_inactive_file 5000\n");
  EXPECT_EQ(root.free(), 90000 - (50000 - 5000));
}

TEST(FreeMemory, AGroupThatIsFullLeavesNothing) {
  const Root root;
  root.write("proc/self/cgroup", "0::/a\n");
  root.write("sys/fs/cgroup/a/memory.max", "1000\n");
  root.write("sys/fs/cgroup/a/memory.current", "2000\n");
  EXPECT_EQ(root.free(), 0);
}

}  // namespace
}  // namespace rehearse
