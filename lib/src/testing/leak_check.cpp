#include <eddy/testing/leak_check.hpp>

#include <dirent.h>

#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include <eddy/runtime/runtime.hpp>
#include <eddy/testing/report.hpp>

#include "process/orphans.hpp"
#include "signal/registry.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace test {

int open_descriptors() {
  DIR* const d = ::opendir("/proc/self/fd");
  if (d == nullptr) return 0;
  int n = 0;
  while (::readdir(d) != nullptr) ++n;
  ::closedir(d);
  return n - 3;  // ".", ".." and the directory itself
}

namespace {
// libuv opens a pipe for signals with the process's first loop and keeps it; so does eddy::signal.
void open_what_stays() {
  [[maybe_unused]] static const bool once =
      (runtime(), static_cast<void>(eddy::detail::signal_registry::get().open()), true);
}
// Children that were dropped hold descriptors until they have ended; those that end soon are waited for.
void let_orphans_end() {
  for (int ms = 0; ms < 5000 && eddy::detail::orphan_count() != 0; ++ms)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}
}  // namespace

leak_check::leak_check(std::string when, std::source_location at)
    : when_(std::move(when)), at_(at) {
  open_what_stays();
  let_orphans_end();
  descriptors_ = open_descriptors();
  frames_ = eddy::detail::live_frames();
}

leak_check::~leak_check() {
  let_orphans_end();
  // A blocking thread gives back what a job held after its result is out: soon, but behind our back.
  for (int ms = 0; ms < 2000 && eddy::detail::live_frames() > frames_; ++ms)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const auto differs = [this](const char* what, std::size_t now, std::size_t before) {
    auto text =
        "a leak: " + std::to_string(now) + ' ' + what + ", " + std::to_string(before) + " before";
    if (!when_.empty()) text += " (" + when_ + ')';
    fail(text, at_);
  };
  if (const auto now = eddy::detail::live_frames(); now > frames_) differs("frames", now, frames_);
  if (const int now = open_descriptors(); now != descriptors_)  // fewer: somebody's was closed
    differs("descriptors", static_cast<std::size_t>(now), static_cast<std::size_t>(descriptors_));
}

}}}  // namespace eddy::EDDY_ABI::test
