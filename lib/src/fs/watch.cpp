#include <eddy/fs/watch.hpp>

#include <utility>

#include "fs/watch_source.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace fs {

using eddy::detail::watch_source;

watcher::watcher(std::unique_ptr<watch_source> source) noexcept : source_(std::move(source)) {}
watcher::watcher(watcher&& other) noexcept = default;
watcher& watcher::operator=(watcher&& other) noexcept = default;
watcher::~watcher() = default;

polled<result<std::optional<watch_event>>> watcher::poll_next(context& cx) noexcept {
  if (source_ == nullptr) return eddy::detail::end_of_stream<watch_event>();
  auto next = source_->poll(cx);
  if (eddy::detail::is_end(next)) source_.reset();
  return next;
}

operation<watcher> watch(std::string path) {
  return operation<watcher>([](std::string at) -> future<result<watcher>> {
    auto source = co_await watch_source::open(std::move(at));
    if (!source) co_return std::move(source).error();
    co_return watcher(std::move(*source));
  }(std::move(path)));
}

}}}  // namespace eddy::EDDY_ABI::fs
