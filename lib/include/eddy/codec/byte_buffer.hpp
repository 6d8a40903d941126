#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/io/buffer.hpp>

namespace eddy { inline namespace EDDY_ABI { namespace codec {

/// Bytes that come in at the back and go out at the front: what codecs read from and write to. A contiguous range
/// of `char`.
///
/// What is consumed is not overwritten at once: a view of it holds until bytes are put in.
/// Errors: what makes room throws `std::bad_alloc`.
/// Cost: one block, which grows by doubling. Consuming is an addition.
class byte_buffer {
 public:
  byte_buffer() noexcept = default;
  /// Empty, with room for that much.
  explicit byte_buffer(std::size_t capacity) { reserve(capacity); }
  /// With these bytes in it.
  explicit byte_buffer(std::string_view bytes) { append(bytes); }
  byte_buffer(byte_buffer&& other) noexcept
      : data_(std::move(other.data_)),
        capacity_(std::exchange(other.capacity_, 0)),
        first_(std::exchange(other.first_, 0)),
        end_(std::exchange(other.end_, 0)) {}
  byte_buffer& operator=(byte_buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(capacity_, other.capacity_);
    std::swap(first_, other.first_);
    std::swap(end_, other.end_);
    return *this;
  }

  const char* data() const noexcept { return data_.get() + first_; }
  std::size_t size() const noexcept { return end_ - first_; }
  bool empty() const noexcept { return first_ == end_; }
  /// Bytes it can hold before it grows.
  std::size_t capacity() const noexcept { return capacity_; }
  const char* begin() const noexcept { return data(); }
  const char* end() const noexcept { return data_.get() + end_; }
  /// Its bytes; good until it is changed.
  std::string_view view() const noexcept { return {data(), size()}; }

  /// Takes the first `n` bytes out, at most what there is.
  void consume(std::size_t n) noexcept {
    first_ = n < size() ? first_ + n : end_;
    if (first_ == end_) first_ = end_ = 0;
  }
  /// The same, and what they were.
  std::string take(std::size_t n) {
    std::string taken(view().substr(0, n));
    consume(n);
    return taken;
  }
  /// Cuts off what is behind the first `n` bytes.
  void truncate(std::size_t n) noexcept {
    if (n < size()) end_ = first_ + n;
  }
  void clear() noexcept { first_ = end_ = 0; }

  /// Adds bytes at the end.
  void append(io::const_buffer bytes);
  /// Adds one byte at the end.
  void push_back(char c) {
    if (end_ == capacity_) reserve(1);
    data_[end_++] = c;
  }
  /// Makes room for `n` bytes more.
  void reserve(std::size_t n) {
    if (capacity_ - end_ < n) make_room(n);
  }
  /// All the room there is at the back, `least` bytes or more, to be filled in and then committed.
  io::buffer prepare(std::size_t least) {
    reserve(least);
    return io::buffer(data_.get() + end_, capacity_ - end_);
  }
  /// Says that the first `n` bytes of what was prepared are filled in.
  void commit(std::size_t n) noexcept { end_ += n; }

 private:
  void make_room(std::size_t n);

  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t first_ = 0;
  std::size_t end_ = 0;
};

}}}  // namespace eddy::EDDY_ABI::codec
