#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <system_error>

#include <eddy/base/detail/misuse.hpp>
#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI {

/// What can go wrong inside eddy itself; everything the system reports keeps the system's code.
enum class errc {
  elapsed = 1,     ///< A deadline passed first. Compares equal to `std::errc::timed_out`.
  aborted,         ///< The task was aborted. Compares equal to `std::errc::operation_canceled`.
  closed,          ///< The other side of a channel, or the thing itself, is closed.
  lagged,          ///< A slow receiver missed values.
  broken_promise,  ///< A promise was destroyed before it had a value.
  misuse,          ///< A rule was broken; the operation says which one.
  unexpected_end,  ///< The stream ended in the middle of what was to be read.
  exception,  ///< A captured exception that is not a `std::system_error`. No operation fails with
              ///< this by itself.
};

/// The category of `errc`, named "eddy".
const std::error_category& eddy_category() noexcept;

/// The category of libuv's negative codes, named "libuv". A code that is an errno compares equal to
/// its `std::errc`; name resolution and end of file have no counterpart there.
const std::error_category& uv_category() noexcept;

/// As `std::error_code(code)` does it.
inline std::error_code make_error_code(errc code) noexcept {
  return {static_cast<int>(code), eddy_category()};
}

namespace detail {
struct error_box;
}

/// Why an operation failed: a code, the operation's name and, if it had one, the address or path it
/// was about; or the exception that an attempted coroutine threw. 16 bytes, passed by value,
/// compared with `errc`, `std::errc` or `std::error_code`. Made by default it is empty: "no error".
///
/// Threads: a value; copies share the detail by an atomic count, so they may live on different
/// threads.
/// Cost: making, copying and moving one is a few words and never throws. Only a detail (address,
/// path) allocates, once; if there is no memory for it the error is made without. The message is
/// put together when it is asked for.
class [[nodiscard]] error {
 public:
  error() noexcept : word_{.operation = nullptr} {}

  /// One of eddy's own failures.
  /// Lifetime: `operation` must be a string literal (or live as long).
  error(errc code, const char* operation = nullptr) noexcept
      : word_{.operation = operation},
        code_(static_cast<std::int32_t>(code)),
        domain_(domain::eddy) {}

  /// The same about something: `error(errc::aborted, "task", name)`.
  error(errc code, const char* operation, std::string_view detail) noexcept;

  /// A failure the system reported: a libuv code or an errno, in either sign; 0 makes an empty
  /// error.
  /// Lifetime: `operation` must be a string literal (or live as long).
  static error system(int code, const char* operation) noexcept {
    error made;
    made.word_.operation = operation;
    made.code_ = code > 0 ? -code : code;
    made.domain_ = domain::uv;
    return made;
  }

  /// The same with the address or path it was about, which is copied.
  static error system(int code, const char* operation, std::string_view detail) noexcept;

#if EDDY_EXCEPTIONS
  /// Captures an exception; a null pointer makes an empty error.
  static error from_exception(std::exception_ptr exception) noexcept;

  /// Captures the exception being handled; for use in a catch block.
  static error current_exception() noexcept { return from_exception(std::current_exception()); }

  /// The captured exception, or null when the error did not come from one.
  std::exception_ptr exception() const noexcept;
#endif

  error(const error& other) noexcept : word_{.operation = nullptr} { share(other); }
  error(error&& other) noexcept : word_{.operation = nullptr} { take(other); }
  error& operator=(const error& other) noexcept {
    if (this != &other) {
      error copy(other);
      swap(copy);
    }
    return *this;
  }
  error& operator=(error&& other) noexcept {
    error taken(static_cast<error&&>(other));
    swap(taken);
    return *this;
  }
  ~error() {
    if (!plain()) release();
  }

  void swap(error& other) noexcept {
    error kept(static_cast<error&&>(other));
    other.take(*this);
    take(kept);
  }
  friend void swap(error& a, error& b) noexcept { a.swap(b); }

  /// Whether there is an error.
  explicit operator bool() const noexcept { return code_ != 0; }

  /// The code, in `eddy_category()` or `uv_category()`. A captured `std::system_error` answers with
  /// its own, any other captured exception with `errc::exception`.
  /// Cost: a throw and a catch if an exception is captured, else nothing.
  std::error_code code() const noexcept;

  /// What failed and why, for a person: "connect 127.0.0.1:1: connection refused". For a captured
  /// exception its `what()`.
  /// Cost: put together at each call.
  std::string message() const;

  /// The operation's name, or null.
  const char* operation() const noexcept;

  /// The address or path it was about; empty when there is none.
  /// Lifetime: that of the error and its copies.
  std::string_view detail() const noexcept;

  /// Whether this is that failure of eddy's own, also when it came through a captured exception.
  bool is(errc code) const noexcept;

  /// Throws this error: a captured exception as it was; else `elapsed`, `join_error` or
  /// `broken_promise` for the code of that name (join_error is `aborted`), `std::logic_error` for
  /// `misuse`, and `failure` for everything else. Without exceptions it prints one line,
  /// "eddy: unhandled error: " and the message, and aborts.
  [[noreturn]] void raise() const;

  /// Equal means that the codes are; operation and detail are not looked at.
  friend bool operator==(const error& a, const error& b) noexcept { return a.code() == b.code(); }
  friend bool operator==(const error& a, errc b) noexcept { return a.is(b); }
  friend bool operator==(const error& a, std::errc b) noexcept { return a.code() == b; }
  friend bool operator==(const error& a, const std::error_code& b) noexcept {
    return a.code() == b;
  }

 private:
#if EDDY_EXCEPTIONS
  friend class failure;
#endif
  enum class domain : std::uint8_t { none, eddy, uv };
  enum class held : std::uint8_t { operation, box, exception };

  union word {
    const char* operation;
    detail::error_box* box;
#if EDDY_EXCEPTIONS
    std::exception_ptr exception;
    ~word() {}
#endif
  };

  bool plain() const noexcept { return held_ == held::operation; }
  std::string subject() const;
  void attach(const char* operation, std::string_view detail) noexcept;
  // Compiled rather than inlined: on the way of a value they would only be code. Both want *this to
  // hold nothing.
  void share(const error& other) noexcept;
  void take(error& other) noexcept;
  void release() noexcept;

  word word_;
  std::int32_t code_ = 0;
  domain domain_ = domain::none;
  held held_ = held::operation;
};

static_assert(sizeof(error) == 16 || sizeof(void*) != 8);

#if EDDY_EXCEPTIONS

/// What a failed await throws: a `std::system_error` with the error it was made from. `what()` is
/// the error's message.
class failure : public std::system_error {
 public:
  /// With that error's code and message.
  explicit failure(eddy::error reason);
  failure(const failure&) noexcept = default;
  failure& operator=(const failure&) noexcept = default;
  ~failure() override;

  /// The error it was made from.
  const eddy::error& error() const noexcept { return reason_; }

 private:
  eddy::error reason_;
};

/// A deadline passed first (`errc::elapsed`).
class elapsed final : public failure {
 public:
  /// As `failure`.
  using failure::failure;
  elapsed(const elapsed&) noexcept = default;
  ~elapsed() override;
};

/// The task that was waited for did not end by itself (`errc::aborted`).
class join_error final : public failure {
 public:
  /// As `failure`.
  using failure::failure;
  join_error(const join_error&) noexcept = default;
  ~join_error() override;
};

/// The promise was destroyed before it had a value (`errc::broken_promise`).
class broken_promise final : public failure {
 public:
  /// As `failure`.
  using failure::failure;
  broken_promise(const broken_promise&) noexcept = default;
  ~broken_promise() override;
};

#endif

}}  // namespace eddy::EDDY_ABI

template <>
struct std::is_error_code_enum<eddy::errc> : std::true_type {};
