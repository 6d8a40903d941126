// The leaves of <eddy/fs/file_io.hpp>. Each sees to what runs before it begins anything of its own.

#include <eddy/fs/file_io.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <eddy/fs/file.hpp>

#include "fs/file_job.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

polled<result<std::size_t>> file_read_leaf::poll(context& cx) noexcept {
  using answer = result<std::size_t>;
  fs::file& f = *file_;
  if (to_.empty()) return answer(0U);
  for (;;) {
    if (!f.settle(cx)) return pending;
    file_buffer& b = f.buffer_;
    if (b.size() != 0 || f.fresh_read_) {
      // From this read, or from one that was dropped.
      if (!cx.proceed()) return pending;
      f.fresh_read_ = false;
      if (b.size() == 0) {
        if (error failure = f.last_failure()) return answer(std::move(failure));
        return answer(0U);
      }
      const std::size_t n = std::min(b.size(), to_.size());
      std::memcpy(to_.data(), b.bytes.get() + b.at, n);
      b.at += n;
      return answer(n);
    }
    const std::size_t wanted = std::min(to_.size(), f.max_buf_size_);
    if (!b.make_room(wanted)) return answer(f.failed(file_action::read, ENOMEM));
    if (error refused = f.begin(cx, file_action::read, 0, static_cast<std::int64_t>(wanted)))
      return answer(std::move(refused));
  }
}

polled<result<std::size_t>> file_write_leaf::poll(context& cx) noexcept {
  return file_->poll_write(cx, std::span(&from_, 1));
}

polled<result<std::size_t>> file_write_vectored_leaf::poll(context& cx) noexcept {
  return file_->poll_write(cx, from_);
}

polled<result<void>> file_write_all_leaf::poll(context& cx) noexcept {
  while (!rest_.empty()) {
    auto p = file_write_leaf(*file_, rest_).poll(cx);
    if (!p) return pending;
    if (!p->has_value()) return result<void>(std::move(*p).error());
    rest_ = io::const_buffer(static_cast<const char*>(rest_.data()) + **p, rest_.size() - **p);
  }
  return result<void>();
}

template <class T>
polled<result<T>> file_operation<T>::poll(context& cx) noexcept {
  fs::file& f = *file_;
  if (!f.settle(cx)) return pending;
  if constexpr (std::is_same_v<T, fs::file>) {
    return f.clone();
  } else if constexpr (std::is_same_v<T, int>) {
    return f.give_away();
  } else {
    if (ticket_ == 0) {
      if (what_ == file_action::flush || what_ == file_action::sync_all ||
          what_ == file_action::sync_data)
        if (error failure = f.take_write_failure()) return result<T>(std::move(failure));
      if constexpr (std::is_void_v<T>)
        if (what_ == file_action::flush) return result<T>();
      const bool moves = what_ == file_action::seek || what_ == file_action::set_len;
      if (error refused = f.begin(cx, what_, moves ? f.buffer_.size() : 0, a_, b_))
        return result<T>(std::move(refused));
      ticket_ = f.ticket_;
      if (!f.settle(cx)) return pending;
    }
    if (ticket_ != f.ticket_)
      return result<T>(error(errc::misuse, "a file was used by two operations at once"));
    if (!cx.proceed()) return pending;
    if (error failure = f.last_failure()) return result<T>(std::move(failure));
    if constexpr (std::is_void_v<T>)
      return result<T>();
    else if constexpr (std::is_same_v<T, std::uint64_t>)
      return result<T>(static_cast<std::uint64_t>(f.job_->value));
    else
      return result<T>(f.job_->metadata);
  }
}

template class file_operation<void>;
template class file_operation<std::uint64_t>;
template class file_operation<int>;
template class file_operation<fs::file>;
template class file_operation<fs::file_metadata>;

file_positioned::~file_positioned() {
  if (job_ != nullptr) job_->drop();
}

bool file_positioned::poll_job(context& cx, file_action what, std::size_t size, const void* from,
                               error& failed) noexcept {
  const fs::file& f = *file_;
  if (job_ == nullptr) {
    if (f.open_ == nullptr) {
      failed = f.failed(what, EBADF);
      return true;
    }
    auto* const job = new file_job(f.open_, what, at_, 0);
    if (!job->buffer.make_room(size)) {
      job->drop();
      failed = f.failed(what, ENOMEM);
      return true;
    }
    if (from != nullptr) {
      std::memcpy(job->buffer.bytes.get(), from, size);
      job->buffer.end = size;
    }
    job_ = job;
  }
  if (!job_->poll(cx) || !cx.proceed()) return false;
  failed = job_->take_refusal();
  if (!failed && job_->code != 0) failed = f.failed(what, job_->code);
  return true;
}

polled<result<std::size_t>> file_read_at_leaf::poll(context& cx) noexcept {
  using answer = result<std::size_t>;
  if (to_.empty()) return answer(0U);
  error failed;
  if (!poll_job(cx, file_action::read_at, to_.size(), nullptr, failed)) return pending;
  if (failed) return answer(std::move(failed));
  const std::size_t n = job_->buffer.end;
  std::memcpy(to_.data(), job_->buffer.bytes.get(), n);
  return answer(n);
}

polled<result<void>> file_write_at_leaf::poll(context& cx) noexcept {
  if (from_.empty()) return result<void>();
  error failed;
  if (!poll_job(cx, file_action::write_at, from_.size(), from_.data(), failed)) return pending;
  if (failed) return result<void>(std::move(failed));
  return result<void>();
}

}}}  // namespace eddy::EDDY_ABI::detail
