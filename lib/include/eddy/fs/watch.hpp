#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/core/operation.hpp>
#include <eddy/stream/base.hpp>

namespace eddy { inline namespace EDDY_ABI {

namespace detail {
class watch_source;
}

namespace fs {

/// What has happened to a file.
enum class change : std::uint8_t {
  created,
  removed,
  modified,    ///< its contents
  attributes,  ///< its permissions, times, owner or links
  moved_from,  ///< it had that name
  moved_to,    ///< it has that name
  missed,      ///< changes came faster than they were read: some are missing, so look anew
};

/// A change, and of what.
class watch_event {
 public:
  watch_event(change what, std::string name) noexcept : name_(std::move(name)), what_(what) {}
  /// What has changed.
  change kind() const noexcept { return what_; }
  /// The name in the directory that is watched; empty for what is watched itself.
  const std::string& name() const noexcept { return name_; }

 private:
  std::string name_;
  change what_;
};

/// Changes of a file, or of a directory and what is right in it, from the call on: a stream, with all its adapters.
/// It ends after what it watches has been removed.
///
/// On Linux changes come from inotify, as they happen, one an event: a write of two parts may be two. Elsewhere
/// the path is looked at twice a second: changes in between are one, and names that are moved are removed and
/// created.
/// Cancel safety: a dropped `next()` loses nothing.
/// Threads: awaited on the runtime it was made on, by one task; may be dropped anywhere.
/// Cost: a descriptor on Linux; elsewhere a timer and a job each time.
class watcher : public stream_base<watcher> {
 public:
  watcher(watcher&& other) noexcept;
  watcher& operator=(watcher&& other) noexcept;
  ~watcher();

  polled<result<std::optional<watch_event>>> poll_next(context& cx) noexcept;
  bool is_terminated() const noexcept { return source_ == nullptr; }

 private:
  friend operation<watcher> watch(std::string path);
  explicit watcher(std::unique_ptr<eddy::detail::watch_source> source) noexcept;

  std::unique_ptr<eddy::detail::watch_source> source_;  // null: it has ended
};

/// Begins to watch; symbolic links are followed.
///
/// Cancel safety: nothing is watched.
/// Errors: name the path; ENOSPC when the system's limit of watches is reached.
operation<watcher> watch(std::string path);

}  // namespace fs

}}  // namespace eddy::EDDY_ABI
