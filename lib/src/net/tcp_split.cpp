#include <eddy/net/tcp_split.hpp>

#include <atomic>
#include <cstdint>
#include <new>

#include <eddy/base/error.hpp>
#include <eddy/base/frame_pool.hpp>
#include <eddy/base/misuse.hpp>

namespace eddy::inline EDDY_ABI::net {

namespace split_detail {

struct shared_stream {
  std::atomic<std::uint32_t> halves{2};  // partner: itself, in release()
  tcp_stream stream;
};

void release(shared_stream* s) noexcept {
  if (s->halves.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  s->~shared_stream();
  eddy::detail::frame_release(s, sizeof *s);
}

tcp_stream& stream_of(shared_stream* s) noexcept { return s->stream; }

// Fails on a connection that is gone; then there is nothing to end.
void end_writing(shared_stream* s) noexcept { static_cast<void>(s->stream.shutdown_write()); }

}  // namespace split_detail

tcp_halves tcp_stream::into_split() && {
  void* const block = eddy::detail::frame_allocate(sizeof(split_detail::shared_stream));
  if (block == nullptr) eddy::detail::fatal("out of memory");
  auto* const s = ::new (block) split_detail::shared_stream{.stream = std::move(*this)};
  return tcp_halves{tcp_read_half(s), tcp_write_half(s)};
}

result<tcp_stream> reunite(tcp_read_half&& r, tcp_write_half&& w) noexcept {
  if (r.shared_ == nullptr || r.shared_ != w.shared_)
    return error(errc::misuse, "reunite: these are halves of different streams");
  auto* const s = r.shared_;
  r.shared_ = nullptr;
  w.shared_ = nullptr;
  tcp_stream whole = std::move(s->stream);
  s->~shared_stream();
  eddy::detail::frame_release(s, sizeof *s);
  return whole;
}

}  // namespace eddy::inline EDDY_ABI::net
