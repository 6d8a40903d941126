// Errors and how they are thrown. Any thread may call anything here.
//
// I1  A box is immutable once made; copies of an error share it and the last one frees it, on
//     whichever thread.
// I2  Nothing here throws but raise(), misuse() and the building of a message.
// I3  `held_` names the active member of the word; the header looks only whether there is anything
//     to release.

#include <eddy/base/error.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>

namespace eddy { inline namespace EDDY_ABI {

namespace {

class eddy_category_type final : public std::error_category {
 public:
  const char* name() const noexcept override { return "eddy"; }

  std::string message(int code) const override {
    switch (static_cast<errc>(code)) {
      case errc::elapsed:
        return "deadline elapsed";
      case errc::aborted:
        return "task aborted";
      case errc::unexpected_end:
        return "unexpected end";
      case errc::closed:
        return "closed";
      case errc::lagged:
        return "receiver lagged behind";
      case errc::broken_promise:
        return "broken promise";
      case errc::misuse:
        return "misuse";
      case errc::exception:
        return "exception";
    }
    return code == 0 ? "no error" : "unknown error";
  }

  std::error_condition default_error_condition(int code) const noexcept override {
    switch (static_cast<errc>(code)) {
      case errc::elapsed:
        return std::errc::timed_out;
      case errc::aborted:
        return std::errc::operation_canceled;
      default:
        return {code, *this};
    }
  }
};

// Never destroyed: a thread that outlives main may still ask.
union category_holder {
  eddy_category_type category{};
  constexpr category_holder() noexcept {}
  ~category_holder() {}
};
constinit category_holder the_category;

}  // namespace

const std::error_category& eddy_category() noexcept { return the_category.category; }

namespace detail {

// The text follows the struct in the same block.
struct error_box {
  std::atomic<std::uint32_t> references{1};  // partner: itself; see release()
  std::uint32_t size;
  const char* operation;

  char* text() noexcept { return reinterpret_cast<char*>(this + 1); }
};

void misuse(const char* what) {
#if EDDY_EXCEPTIONS
  throw std::logic_error(std::string("eddy: ") + what);
#else
  fatal(what);
#endif
}

void fatal(const char* what) noexcept {
  std::fprintf(stderr, "eddy: %s\n", what);
  std::abort();
}

}  // namespace detail

error::error(errc code, const char* operation, std::string_view detail) noexcept
    : error(code, operation) {
  attach(operation, detail);
}

error error::system(int code, const char* operation, std::string_view detail) noexcept {
  error made = system(code, operation);
  made.attach(operation, detail);
  return made;
}

void error::attach(const char* operation, std::string_view detail) noexcept {
  constexpr std::size_t longest = 64 * 1024;  // no address or path is longer; a runaway text is cut
  const std::size_t size = detail.size() < longest ? detail.size() : longest;
  if (size == 0) return;
  void* block = ::operator new(sizeof(detail::error_box) + size, std::nothrow);
  if (!block) return;
  auto* box = ::new (block)
      detail::error_box{.size = static_cast<std::uint32_t>(size), .operation = operation};
  std::memcpy(box->text(), detail.data(), size);
  word_.box = box;
  held_ = held::box;
}

void error::share(const error& other) noexcept {
  switch (other.held_) {
    case held::operation:
      word_.operation = other.word_.operation;
      break;
    case held::box:
      // Relaxed: whoever copies holds a reference already.
      other.word_.box->references.fetch_add(1, std::memory_order_relaxed);
      word_.box = other.word_.box;
      break;
    case held::exception:
#if EDDY_EXCEPTIONS
      ::new (static_cast<void*>(&word_.exception)) std::exception_ptr(other.word_.exception);
#endif
      break;
  }
  code_ = other.code_;
  domain_ = other.domain_;
  held_ = other.held_;
}

void error::take(error& other) noexcept {
  switch (other.held_) {
    case held::operation:
      word_.operation = other.word_.operation;
      break;
    case held::box:
      word_.box = other.word_.box;
      break;
    case held::exception:
#if EDDY_EXCEPTIONS
      ::new (static_cast<void*>(&word_.exception))
          std::exception_ptr(std::move(other.word_.exception));
      other.word_.exception.~exception_ptr();
#endif
      break;
  }
  other.word_.operation = nullptr;
  code_ = std::exchange(other.code_, 0);
  domain_ = std::exchange(other.domain_, domain::none);
  held_ = std::exchange(other.held_, held::operation);
}

void error::release() noexcept {
#if EDDY_EXCEPTIONS
  if (held_ == held::exception) {
    word_.exception.~exception_ptr();
    return;
  }
#endif
  // Release hands the reads of this copy to the last one's acquire, which frees the block.
  if (word_.box->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    word_.box->~error_box();
    ::operator delete(static_cast<void*>(word_.box));
  }
}

const char* error::operation() const noexcept {
  switch (held_) {
    case held::operation:
      return word_.operation;
    case held::box:
      return word_.box->operation;
    case held::exception:
      break;
  }
  return nullptr;
}

std::string_view error::detail() const noexcept {
  if (held_ != held::box) return {};
  return {word_.box->text(), word_.box->size};
}

#if EDDY_EXCEPTIONS

error error::from_exception(std::exception_ptr exception) noexcept {
  error made;
  if (!exception) return made;
  ::new (static_cast<void*>(&made.word_.exception)) std::exception_ptr(std::move(exception));
  made.code_ = static_cast<std::int32_t>(errc::exception);
  made.domain_ = domain::eddy;
  made.held_ = held::exception;
  return made;
}

std::exception_ptr error::exception() const noexcept {
  return held_ == held::exception ? word_.exception : std::exception_ptr();
}

#endif

std::error_code error::code() const noexcept {
#if EDDY_EXCEPTIONS
  if (held_ == held::exception) {
    try {
      std::rethrow_exception(word_.exception);
    } catch (const std::system_error& caught) {
      return caught.code();
    } catch (...) {
      return errc::exception;
    }
  }
#endif
  switch (domain_) {
    case domain::eddy:
      return {code_, eddy_category()};
    case domain::uv:
      return {code_, uv_category()};
    case domain::none:
      break;
  }
  return {};
}

bool error::is(errc code) const noexcept {
  if (held_ == held::exception) return this->code() == make_error_code(code);
  return domain_ == domain::eddy && code_ == static_cast<std::int32_t>(code);
}

// "connect 127.0.0.1:1": what stands before the colon.
std::string error::subject() const {
  std::string text;
  if (const char* name = operation()) text = name;
  if (const std::string_view about = detail(); !about.empty()) {
    if (!text.empty()) text += ' ';
    text += about;
  }
  return text;
}

std::string error::message() const {
#if EDDY_EXCEPTIONS
  if (held_ == held::exception) {
    try {
      std::rethrow_exception(word_.exception);
    } catch (const std::exception& caught) {
      return caught.what();
    } catch (...) {
      return "exception of an unknown type";
    }
  }
#endif
  if (code_ == 0) return "no error";
  std::string text = subject();
  if (text.empty()) return code().message();
  if (is(errc::misuse)) return text;  // the operation is the whole story
  text += ": ";
  text += code().message();
  return text;
}

void error::raise() const {
#if EDDY_EXCEPTIONS
  if (held_ == held::exception) std::rethrow_exception(word_.exception);
  if (code_ == 0) detail::misuse("an empty error was raised");
  if (domain_ == domain::eddy) {
    switch (static_cast<errc>(code_)) {
      case errc::elapsed:
        throw elapsed(*this);
      case errc::aborted:
        throw join_error(*this);
      case errc::broken_promise:
        throw broken_promise(*this);
      case errc::misuse:
        detail::misuse(message().c_str());
      default:
        break;
    }
  }
  throw failure(*this);
#else
  detail::fatal(("unhandled error: " + message()).c_str());
#endif
}

#if EDDY_EXCEPTIONS

namespace {

// std::system_error puts ": " and the code's message behind what it is given, and nothing before an
// empty text.
std::system_error system_error_of(const error& reason, const std::string& subject) {
  return subject.empty() ? std::system_error(reason.code())
                         : std::system_error(reason.code(), subject);
}

}  // namespace

failure::failure(eddy::error reason)
    : std::system_error(system_error_of(reason, reason.subject())), reason_(std::move(reason)) {}

// The destructors are here so that each type's vtable and type_info exist once.
failure::~failure() = default;
elapsed::~elapsed() = default;
join_error::~join_error() = default;
broken_promise::~broken_promise() = default;

#endif

}}  // namespace eddy::EDDY_ABI
