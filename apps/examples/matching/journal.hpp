#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include <eddy/eddy.hpp>

#include "order_book.hpp"

namespace matching {

enum class action : std::uint32_t { buy, sell, cancel };

/// A client's command, as the journal stores it: 32 bytes that end in a checksum.
struct command {
  order_id id = 0;  // of the new order, or of the one to cancel
  price at = 0;
  quantity size = 0;
  action what = action::buy;
  std::uint64_t check = 0;  // set by the journal
};
static_assert(sizeof(command) == 32);

/// An append-only file of all accepted commands. Appended commands are in the system's page cache:
/// they survive the process, however it ends. (`sync` makes them survive a power cut too.) Only one
/// process may have the file open.
///
/// A process that is killed may leave a truncated last record, which was not yet acknowledged;
/// `open` removes it.
class journal {
 public:
  /// Opens or creates the file, and calls `replay` with each command in it, in order.
  /// Errors: the file is not a journal, is damaged before its end, or is open in another process.
  static eddy::result<journal> open(const std::string& path,
                                    eddy::function<void(const command&)> replay);
  journal(journal&& other) noexcept : fd_(std::exchange(other.fd_, -1)), records_(other.records_) {}
  journal& operator=(journal&&) = delete;
  ~journal();

  /// Appends the commands: all of them, or none if it fails.
  eddy::result<void> append(std::span<command> batch);
  /// Waits until everything appended is on the disk.
  eddy::future<eddy::result<void>> sync();
  std::uint64_t size() const noexcept { return records_; }

 private:
  explicit journal(int fd) noexcept : fd_(fd) {}
  int fd_;
  std::uint64_t records_ = 0;
};

}  // namespace matching
