// `mpirun -n 64 rehearse-mpi search PLAN ...`: the search of `rehearse search`, its workers spread
// over the ranks. This program only carries lines: rank 0 starts `rehearse search` and gives it a
// socket per rank, every rank starts a `rehearse search-worker`, and MPI is what lies between. So
// candidates, journal and ranking are those of one process. It does not link SimGrid, which
// exports MPI symbols of its own.
#include <fcntl.h>
#include <mpi.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <string>
#include <vector>

namespace {

constexpr int kPollMilliseconds = 1;  // MPI has nothing to wait on beside a socket
enum Tag { kJob, kAnswer, kStop };

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "rehearse-mpi: error: %s\n", what.c_str());
  MPI_Abort(MPI_COMM_WORLD, 2);
  std::exit(2);
}

// The `rehearse` beside this program.
std::string program() {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "rehearse").string();
}

pid_t spawn(const std::vector<std::string>& arguments, const posix_spawn_file_actions_t* actions) {
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (const std::string& each : arguments) argv.push_back(const_cast<char*>(each.c_str()));
  argv.push_back(nullptr);
  pid_t pid = -1;
  const int failure = posix_spawn(&pid, argv[0], actions, nullptr, argv.data(), environ);
  if (failure != 0) fail("cannot start " + arguments[0]);
  return pid;
}

void write_line(int socket, const std::string& line) {
  const std::string text = line + "\n";
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t sent = send(socket, text.data() + done, text.size() - done, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return;  // its end is noticed when it is read
    done += static_cast<std::size_t>(sent);
  }
}

// One end of a stream of lines.
class Lines {
 public:
  explicit Lines(int socket) : socket_(socket) {}
  int socket() const { return socket_; }

  // False: the other end is closed.
  bool read(std::vector<std::string>& lines) {
    char buffer[65536];
    const ssize_t size = recv(socket_, buffer, sizeof buffer, MSG_DONTWAIT);
    if (size < 0) return errno == EAGAIN || errno == EINTR;
    if (size == 0) return false;
    received_.append(buffer, static_cast<std::size_t>(size));
    for (std::size_t end = 0; (end = received_.find('\n')) != std::string::npos;) {
      lines.push_back(received_.substr(0, end));
      received_.erase(0, end + 1);
    }
    return true;
  }

 private:
  int socket_;
  std::string received_;
};

// Lines to other ranks, without waiting for them.
class Outbox {
 public:
  void send(int rank, Tag tag, const std::string& line) {
    sent_.push_back({line, MPI_REQUEST_NULL});
    Sent& sent = sent_.back();
    MPI_Isend(sent.line.data(), static_cast<int>(sent.line.size()), MPI_CHAR, rank, tag,
              MPI_COMM_WORLD, &sent.request);
  }
  void forget_delivered() {
    for (int done = 1; !sent_.empty();) {
      MPI_Test(&sent_.front().request, &done, MPI_STATUS_IGNORE);
      if (done == 0) return;
      sent_.pop_front();
    }
  }
  void deliver() {
    for (Sent& each : sent_) MPI_Wait(&each.request, MPI_STATUS_IGNORE);
    sent_.clear();
  }

 private:
  struct Sent {
    std::string line;
    MPI_Request request;
  };
  std::deque<Sent> sent_;
};

// This rank's `rehearse search-worker`. When it ends, what it owed is answered as lost, and it is
// started again.
class Worker {
 public:
  explicit Worker(std::vector<std::string> arguments) : arguments_(std::move(arguments)) {
    arguments_.insert(arguments_.begin(), {program(), "search-worker"});
    start();
  }
  ~Worker() {
    close(lines_.socket());
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  int socket() const { return lines_.socket(); }
  void give(const std::string& job) {
    ++owed_;
    write_line(lines_.socket(), job);
  }
  std::vector<std::string> answers() {
    std::vector<std::string> lines;
    const bool alive = lines_.read(lines);
    owed_ -= static_cast<int>(lines.size());
    answered_ = answered_ || !lines.empty();
    if (alive) return lines;
    waitpid(pid_, nullptr, 0);
    close(lines_.socket());
    if (!answered_ && ++starts_ > kMostStarts) fail("rehearse search-worker does not start");
    lines.insert(lines.end(), static_cast<std::size_t>(owed_), "Lthe worker ended");
    owed_ = 0;
    start();
    return lines;
  }

 private:
  void start() {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) fail("no socket is left");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    pid_ = spawn(arguments_, &actions);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    lines_ = Lines(ends[0]);
  }

  static constexpr int kMostStarts = 3;  // without any answer: its options are wrong
  std::vector<std::string> arguments_;
  pid_t pid_ = -1;
  Lines lines_{-1};
  int owed_ = 0;
  int starts_ = 0;
  bool answered_ = false;
};

// The next line from another rank; false: none is there.
bool receive(int& rank, int& tag, std::string& line) {
  int there = 0;
  MPI_Status status;
  MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &there, &status);
  if (there == 0) return false;
  int size = 0;
  MPI_Get_count(&status, MPI_CHAR, &size);
  rank = status.MPI_SOURCE;
  tag = status.MPI_TAG;
  line.resize(static_cast<std::size_t>(size));
  MPI_Recv(line.data(), size, MPI_CHAR, rank, tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  return true;
}

void work(const std::vector<std::string>& arguments) {
  Worker worker(arguments);
  Outbox outbox;
  for (;;) {
    int rank = 0;
    int tag = 0;
    for (std::string line; receive(rank, tag, line);) {
      if (tag == kStop) {
        outbox.deliver();
        return;
      }
      worker.give(line);
    }
    pollfd waiting{worker.socket(), POLLIN, 0};
    if (poll(&waiting, 1, kPollMilliseconds) > 0) {
      for (const std::string& answer : worker.answers()) outbox.send(0, kAnswer, answer);
    }
    outbox.forget_delivered();
  }
}

// Rank 0: the search itself, and a worker of its own.
class Coordinator {
 public:
  Coordinator(const std::vector<std::string>& arguments, int ranks) : worker_(arguments) {
    std::string sockets;
    std::vector<int> theirs;
    for (int rank = 0; rank < ranks; ++rank) {
      int ends[2];
      if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) fail("no socket is left");
      fcntl(ends[0], F_SETFD, FD_CLOEXEC);
      ends_.emplace_back(ends[0]);
      theirs.push_back(ends[1]);
      sockets += (rank == 0 ? "" : ",") + std::to_string(ends[1]);
    }
    std::vector<std::string> all = {program(), "search", "--worker-sockets", sockets};
    all.insert(all.end(), arguments.begin(), arguments.end());
    pid_ = spawn(all, nullptr);
    for (const int each : theirs) close(each);
  }

  int run() {
    while (forward_jobs()) {
      int rank = 0;
      int tag = 0;
      for (std::string line; receive(rank, tag, line);) write_line(ends_[rank].socket(), line);
      for (const std::string& answer : worker_.answers()) write_line(ends_[0].socket(), answer);
      outbox_.forget_delivered();
      wait();
    }
    for (int rank = 1; rank < static_cast<int>(ends_.size()); ++rank) outbox_.send(rank, kStop, "");
    drain();
    int status = 0;
    waitpid(pid_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 3;
  }

 private:
  // False: the search has ended.
  bool forward_jobs() {
    bool alive = true;
    for (int rank = 0; rank < static_cast<int>(ends_.size()); ++rank) {
      std::vector<std::string> jobs;
      alive = ends_[rank].read(jobs) && alive;
      for (const std::string& job : jobs) {
        if (rank == 0) {
          worker_.give(job);
        } else {
          outbox_.send(rank, kJob, job);
        }
      }
    }
    return alive;
  }

  void wait() {
    std::vector<pollfd> waiting = {{worker_.socket(), POLLIN, 0}};
    for (const Lines& each : ends_) waiting.push_back({each.socket(), POLLIN, 0});
    poll(waiting.data(), waiting.size(), kPollMilliseconds);
  }

  // A rank that is at work delivers its answer before it stops.
  void drain() {
    MPI_Request all = MPI_REQUEST_NULL;
    MPI_Ibarrier(MPI_COMM_WORLD, &all);
    for (int done = 0; done == 0;) {
      int rank = 0;
      int tag = 0;
      for (std::string line; receive(rank, tag, line);) {
      }
      outbox_.forget_delivered();
      MPI_Test(&all, &done, MPI_STATUS_IGNORE);
    }
    outbox_.deliver();
  }

  Worker worker_;
  std::vector<Lines> ends_;  // by rank
  Outbox outbox_;
  pid_t pid_ = -1;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || std::string(argv[1]) != "search") {
    std::fprintf(stderr,
                 "usage: mpirun -n RANKS rehearse-mpi search PLAN [options of rehearse search]\n");
    return 2;
  }
  MPI_Init(&argc, &argv);
  int rank = 0;
  int ranks = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  const std::vector<std::string> arguments(argv + 2, argv + argc);
  int code = 0;
  if (rank == 0) {
    code = Coordinator(arguments, ranks).run();
  } else {
    work(arguments);
    MPI_Request all = MPI_REQUEST_NULL;
    MPI_Ibarrier(MPI_COMM_WORLD, &all);
    MPI_Wait(&all, MPI_STATUS_IGNORE);
  }
  MPI_Finalize();
  return code;
}
