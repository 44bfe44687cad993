#include "trace/gzip_stream.hpp"

#include <fmt/format.h>
#include <isa-l/igzip_lib.h>
#include <pthread.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <mutex>
#include <thread>
#include <utility>

#include "base/error.hpp"

namespace rehearse {
namespace {
constexpr std::size_t kTextBuffer = 256 << 10;
constexpr std::size_t kFileBuffer = 128 << 10;
}  // namespace

// ISA-L's level 1 compresses trace text at 2 GB/s per core where zlib's level 1 does 170 MB/s
// (measured on the 2-core development machine, text of 171 MB). Still it takes as long as writing
// the text, so the thread halves what a trace costs. It only turns memory into memory; the file is
// written by the thread that simulates, and so are its errors.
class GzipStream::Deflate {
 public:
  Deflate() {
    isal_deflate_init(&stream_);
    stream_.level = 1;
    stream_.level_buf = level_buffer_.data();
    stream_.level_buf_size = static_cast<std::uint32_t>(level_buffer_.size());
    stream_.gzip_flag = IGZIP_GZIP;
  }
  ~Deflate() {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock(mutex_);
      ends_ = true;
    }
    change_.notify_all();
    thread_.join();
  }
  Deflate(const Deflate&) = delete;
  Deflate& operator=(const Deflate&) = delete;

  // Takes the text [0, size), and leaves room for another. REQUIRES: what compress() or start()
  // gave has been taken.
  void take(std::vector<char>& text, std::size_t size) {
    std::swap(text_, text);
    size_ = size;
  }

  // Beside the caller, until bytes() are asked for.
  void start() {
    if (!thread_.joinable()) begin_thread();
    {
      const std::lock_guard lock(mutex_);
      works_ = true;
    }
    change_.notify_all();
  }

  // In the caller's thread.
  void compress(bool last) {
    stream_.next_in = reinterpret_cast<std::uint8_t*>(text_.data());
    stream_.avail_in = static_cast<std::uint32_t>(size_);
    stream_.end_of_stream = last ? 1 : 0;
    do {
      if (out_.size() < made_ + kFileBuffer) out_.resize(made_ + kFileBuffer);
      stream_.next_out = reinterpret_cast<std::uint8_t*>(out_.data()) + made_;
      stream_.avail_out = static_cast<std::uint32_t>(kFileBuffer);
      status_ = isal_deflate(&stream_);
      made_ += kFileBuffer - stream_.avail_out;
      // A full output buffer may hide more output; the last call must reach the member's end.
    } while (status_ == COMP_OK && (stream_.avail_out == 0 || stream_.avail_in > 0 ||
                                    (last && stream_.internal_state.state != ZSTATE_END)));
  }

  // What has become of the texts since the last call, when all of it is there.
  std::string_view bytes() {
    if (thread_.joinable()) {
      std::unique_lock lock(mutex_);
      change_.wait(lock, [this] { return !works_; });
    }
    SIM_CHECK(status_ == COMP_OK, fmt::format("isal_deflate returned {}", status_));
    return {out_.data(), std::exchange(made_, 0)};
  }

 private:
  void begin_thread() {
    // Signals are for the thread that simulates.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      change_.wait(lock, [this] { return works_ || ends_; });
      if (!works_) return;
      lock.unlock();
      compress(false);
      lock.lock();
      works_ = false;
      change_.notify_all();
    }
  }

  isal_zstream stream_;
  std::array<std::uint8_t, ISAL_DEF_LVL1_DEFAULT> level_buffer_;
  std::vector<char> text_ = std::vector<char>(kTextBuffer);
  std::size_t size_ = 0;
  std::vector<char> out_;  // [0, made_): compressed, not yet taken
  std::size_t made_ = 0;
  int status_ = COMP_OK;

  std::thread thread_;  // from the first start() on; while works_, all of the above is the thread's
  std::mutex mutex_;
  std::condition_variable change_;  // of the two below
  bool works_ = false;
  bool ends_ = false;
};

GzipStream::GzipStream(std::string path)
    : file_(std::in_place, std::move(path)),
      buffer_(kTextBuffer),
      deflate_(std::make_unique<Deflate>()) {}

GzipStream::~GzipStream() = default;

void GzipStream::write(std::string_view text) {
  char* at = room(text.size());
  advance_to(std::copy(text.begin(), text.end(), at));
}

char* GzipStream::room(std::size_t size) {
  if (used_ + size > buffer_.size()) {
    write_out();
    hand_over();
    deflate_->start();
    if (size > buffer_.size()) buffer_.resize(size);
  }
  return buffer_.data() + used_;
}

void GzipStream::finish(OutputFiles* together) {
  SIM_CHECK(file_.has_value(), "GzipStream::finish() was called twice or after a failure");
  write_out();
  hand_over();
  deflate_->compress(true);
  write_out();
  if (together == nullptr) {
    file_->commit();
  } else {
    together->add(std::move(*file_));
  }
  file_.reset();
}

void GzipStream::hand_over() { deflate_->take(buffer_, std::exchange(used_, 0)); }

void GzipStream::write_out() { file_->write(deflate_->bytes()); }

}  // namespace rehearse
