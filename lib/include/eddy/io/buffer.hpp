#pragma once

#include <concepts>
#include <cstddef>
#include <ranges>
#include <string_view>
#include <type_traits>

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

template <class T>
concept byte_like =
    std::same_as<std::remove_cv_t<T>, std::byte> || std::same_as<std::remove_cv_t<T>, char> ||
    std::same_as<std::remove_cv_t<T>, unsigned char> ||
    std::same_as<std::remove_cv_t<T>, signed char> || std::same_as<std::remove_cv_t<T>, char8_t>;

template <class R>
using element_of = std::remove_reference_t<std::ranges::range_reference_t<R>>;

template <class R>
concept byte_range =
    std::ranges::contiguous_range<R> && std::ranges::sized_range<R> && byte_like<element_of<R>>;

/// An lvalue, or a view by value: what it names outlives the expression.
template <class R>
concept writable_byte_range = byte_range<R> && !std::is_const_v<element_of<R>> &&
                              (std::is_lvalue_reference_v<R> || std::ranges::borrowed_range<R>);

}  // namespace detail

namespace io {

/// Bytes to read into: made from any contiguous, writable range of bytes (array, vector, string, span of
/// `std::byte`, `char` or `unsigned char`) or from a pointer and a size. Borrows them.
class buffer {
 public:
  constexpr buffer() noexcept = default;
  constexpr buffer(void* data, std::size_t size) noexcept : data_(data), size_(size) {}
  template <class R>
    requires(detail::writable_byte_range<R> && !std::same_as<std::remove_cvref_t<R>, buffer>)
  constexpr buffer(R&& bytes) noexcept
      : data_(std::ranges::data(bytes)),
        size_(static_cast<std::size_t>(std::ranges::size(bytes))) {}

  constexpr void* data() const noexcept { return data_; }
  constexpr std::size_t size() const noexcept { return size_; }
  constexpr bool empty() const noexcept { return size_ == 0; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Bytes to write: made from any contiguous range of bytes, from a pointer and a size, or from a `buffer`.
/// A string literal stands for its characters, without the terminating zero. Borrows them.
class const_buffer {
 public:
  constexpr const_buffer() noexcept = default;
  constexpr const_buffer(const void* data, std::size_t size) noexcept : data_(data), size_(size) {}
  constexpr const_buffer(buffer b) noexcept : data_(b.data()), size_(b.size()) {}
  template <class R>
    requires(detail::byte_range<R> && !std::is_array_v<std::remove_reference_t<R>>)
  constexpr const_buffer(R&& bytes) noexcept
      : data_(std::ranges::data(bytes)),
        size_(static_cast<std::size_t>(std::ranges::size(bytes))) {}
  template <detail::byte_like T, std::size_t N>
  constexpr const_buffer(T (&bytes)[N]) noexcept : data_(bytes), size_(N) {
    if constexpr (std::same_as<T, const char> || std::same_as<T, const char8_t>)
      if (bytes[N - 1] == T{}) --size_;
  }

  constexpr const void* data() const noexcept { return data_; }
  constexpr std::size_t size() const noexcept { return size_; }
  constexpr bool empty() const noexcept { return size_ == 0; }

 private:
  const void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace io

}}  // namespace eddy::EDDY_ABI
