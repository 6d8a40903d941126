#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include <eddy/eddy.hpp>

#include "order_book.hpp"

namespace matching {

enum class action : std::uint32_t { buy, sell, cancel };

/// What a client wants, as the journal has it. 32 bytes, which end in a checksum.
struct command {
  order_id id = 0;  // of the new order, or of the one to cancel
  price at = 0;
  quantity size = 0;
  action what = action::buy;
  std::uint64_t check = 0;  // set by the journal
};
static_assert(sizeof(command) == 32);

/// An append-only file of all accepted commands. What has been appended is the system's: it outlives the process,
/// however that ends. (A power cut is another matter: `sync` is for that.) One process at a time.
///
/// A process that is killed may leave a last record cut short; `open` takes it away. Nobody was told that it
/// had been accepted.
class journal {
 public:
  /// Opens or makes the file, and calls `replay` with each command in it, in their order.
  /// Errors: a file that is no journal, or is damaged before its end; one that another process has open.
  static eddy::result<journal> open(const std::string& path,
                                    eddy::function<void(const command&)> replay);
  journal(journal&& other) noexcept : fd_(std::exchange(other.fd_, -1)), records_(other.records_) {}
  journal& operator=(journal&&) = delete;
  ~journal();

  /// Writes the commands behind the others: all, or on failure none.
  eddy::result<void> append(std::span<command> batch);
  /// Waits until what was appended is on the disk.
  eddy::future<eddy::result<void>> sync();
  std::uint64_t size() const noexcept { return records_; }

 private:
  explicit journal(int fd) noexcept : fd_(fd) {}
  int fd_;
  std::uint64_t records_ = 0;
};

}  // namespace matching
