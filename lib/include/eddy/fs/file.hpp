#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <eddy/base/error.hpp>
#include <eddy/base/result.hpp>
#include <eddy/config.hpp>
#include <eddy/fs/file_io.hpp>
#include <eddy/fs/job.hpp>
#include <eddy/fs/metadata.hpp>
#include <eddy/fs/open_options.hpp>
#include <eddy/io/buffer.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace fs {

/// Where an offset counts from.
enum class seek_from : std::uint8_t { start, current, end };

/// An open file. A reader and a writer: everything of `io` works on it.
///
/// **A write is accepted, then done.** `write` copies bytes and is ready while a blocking thread writes them; the
/// next operation waits for that, and a failure comes out of the next `write`, `flush` or `sync_all`. So
/// `flush()` before the end: it says whether everything that was accepted has been written. What was accepted is
/// written also if the file, the task or the runtime goes first, but nobody waits for it, and the end of the
/// program does not.
///
/// A read takes one thread's turn and as many bytes as the system has, up to `max_buf_size`. For small reads and
/// writes put a `buf_reader` or `buf_writer` around it.
///
/// Cancel safety: `read`: nothing is lost; what was read comes with the next read. `write`, `write_vectored`:
/// nothing was written when it was still waiting; what it has accepted is written whole. `write_all`: some parts
/// (of `max_buf_size` each) may have been accepted. The others happen all the same if they have begun.
/// Threads: awaited on any runtime; one operation at a time, but for `read_at` and `write_all_at`. Moved only
/// between operations.
/// Lifetime: an operation borrows the file and the buffer until it has ended or is dropped.
/// Errors: name the operation and the path it was opened by. An empty file says EBADF.
/// Cost: a buffer as long as the longest read or write, up to `max_buf_size`, kept from one to the next; each
/// operation a small block and two changes of thread.
class file {
 public:
  /// What `max_buf_size` is at first.
  static constexpr std::size_t default_max_buf_size = 2 * 1024 * 1024;

  /// Opens for reading.
  static job<file> open(std::string path);
  /// Opens for writing; makes the file, or empties it.
  static job<file> create(std::string path);
  /// Makes a file that was not there, for reading and writing.
  static job<file> create_new(std::string path);
  /// For all other ways to open one.
  static open_options options() noexcept { return {}; }
  /// Takes a descriptor over, of whatever can be read or written by a thread that may block. Errors name `path`.
  static file from_descriptor(int fd, std::string path = {});

  /// An empty file, as one is after it was moved from.
  file() noexcept;
  file(file&& other) noexcept;
  file& operator=(file&& other) noexcept;
  ~file();

  /// Reads some bytes, at least one; 0 at the end of the file, and for an empty buffer.
  eddy::detail::file_read_leaf read(io::buffer to) noexcept { return {*this, to}; }
  /// Accepts some bytes, up to `max_buf_size`, and says how many.
  eddy::detail::file_write_leaf write(io::const_buffer from) noexcept { return {*this, from}; }
  /// The same with bytes from several places, one behind the other.
  eddy::detail::file_write_vectored_leaf write_vectored(
      std::span<const io::const_buffer> from) noexcept {
    return {*this, from};
  }
  /// Accepts all.
  eddy::detail::file_write_all_leaf write_all(io::const_buffer from) noexcept {
    return {*this, from};
  }
  /// Waits until what was accepted is written. It is the system's then, and not yet on the disk: `sync_all`.
  /// Errors: those of the writes before.
  eddy::detail::file_operation<void> flush() noexcept {
    return {*this, eddy::detail::file_action::flush};
  }

  /// Moves the place for the next read and write, which may be behind the end; where that is, from the start.
  eddy::detail::file_operation<std::uint64_t> seek(std::int64_t offset,
                                                   seek_from from = seek_from::start) noexcept {
    return {*this, eddy::detail::file_action::seek, offset, static_cast<int>(from)};
  }
  /// Goes to the start.
  eddy::detail::file_operation<std::uint64_t> rewind() noexcept { return seek(0); }
  /// Where the next read or write is, from the start.
  eddy::detail::file_operation<std::uint64_t> stream_position() noexcept {
    return seek(0, seek_from::current);
  }

  /// Reads at a place of its own, as many bytes as there are. Neither uses nor moves the file's own place, and
  /// any number may run at once. What a `write` has accepted is seen after its `flush`.
  ///
  /// Cancel safety: nothing is lost.
  eddy::detail::file_read_at_leaf read_at(io::buffer to, std::uint64_t offset) const noexcept {
    return {*this, to, static_cast<std::int64_t>(offset)};
  }
  /// Writes all bytes at a place of its own, and is ready when they are written.
  ///
  /// Cancel safety: dropped before a thread has begun it, nothing is written; dropped later, all is.
  eddy::detail::file_write_at_leaf write_all_at(io::const_buffer from,
                                                std::uint64_t offset) const noexcept {
    return {*this, from, static_cast<std::int64_t>(offset)};
  }

  /// Cuts the file off, or makes it longer with zeros. Its place stays.
  eddy::detail::file_operation<void> set_len(std::uint64_t size) noexcept {
    return {*this, eddy::detail::file_action::set_len, static_cast<std::int64_t>(size)};
  }
  /// Waits until contents and metadata are on the disk. Errors: also those of the writes before.
  eddy::detail::file_operation<void> sync_all() noexcept {
    return {*this, eddy::detail::file_action::sync_all};
  }
  /// The same without the metadata that is not needed to find the contents again.
  eddy::detail::file_operation<void> sync_data() noexcept {
    return {*this, eddy::detail::file_action::sync_data};
  }
  /// What the system knows about it now.
  eddy::detail::file_operation<file_metadata> metadata() noexcept {
    return {*this, eddy::detail::file_action::metadata};
  }
  /// Says anew who may do what with it.
  eddy::detail::file_operation<void> set_permissions(permissions to) noexcept {
    return {*this, eddy::detail::file_action::set_permissions, to.mode()};
  }

  /// Another file of the same descriptor's: they share their place.
  eddy::detail::file_operation<file> try_clone() noexcept {
    return {*this, eddy::detail::file_action::clone};
  }
  /// Waits for what runs and gives the descriptor away; the file is empty then.
  eddy::detail::file_operation<int> into_descriptor() noexcept {
    return {*this, eddy::detail::file_action::give_away};
  }
  /// The same at once. Errors: `std::errc::device_or_resource_busy` while something runs; the file stays.
  result<int> try_into_descriptor() noexcept;
  /// -1 when empty. Lifetime: the file's.
  int descriptor() const noexcept;

  /// How many bytes one read or write moves at most.
  std::size_t max_buf_size() const noexcept { return max_buf_size_; }
  void set_max_buf_size(std::size_t bytes) noexcept { max_buf_size_ = bytes != 0 ? bytes : 1; }

 private:
  friend class eddy::detail::file_read_leaf;
  friend class eddy::detail::file_write_leaf;
  friend class eddy::detail::file_write_vectored_leaf;
  friend class eddy::detail::file_positioned;
  template <class T>
  friend class eddy::detail::file_operation;
  friend class open_options;
  explicit file(std::shared_ptr<eddy::detail::open_file> opened) noexcept;

  void swap(file& other) noexcept;
  bool settle(context& cx) noexcept;
  error begin(context& cx, eddy::detail::file_action what, std::size_t back, std::int64_t a = 0,
              int b = 0) noexcept;
  polled<result<std::size_t>> poll_write(context& cx,
                                         std::span<const io::const_buffer> from) noexcept;
  error failed(eddy::detail::file_action what, int code) const noexcept;
  error take_write_failure() noexcept;
  error last_failure() noexcept;
  result<int> duplicate(eddy::detail::file_action what) noexcept;
  result<file> clone() noexcept;
  result<int> give_away() noexcept;

  std::shared_ptr<eddy::detail::open_file> open_;
  eddy::detail::file_job* job_ = nullptr;  // the last one
  eddy::detail::file_buffer buffer_;       // the job's while it runs
  std::size_t max_buf_size_ = default_max_buf_size;
  error refused_;             // why the last job was not run
  int write_failure_ = 0;     // of an accepted write; for the next who may be told
  std::uint32_t ticket_ = 0;  // of the last job
  bool running_ = false;      // it has not been seen to end
  bool fresh_read_ = false;   // it was a read, of whose end nobody has been told
};

}}}  // namespace eddy::EDDY_ABI::fs

namespace eddy { inline namespace EDDY_ABI { namespace detail {

extern template class file_operation<void>;
extern template class file_operation<std::uint64_t>;
extern template class file_operation<int>;
extern template class file_operation<fs::file>;
extern template class file_operation<fs::file_metadata>;

}}}  // namespace eddy::EDDY_ABI::detail
