#include <dirent.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <map>
#include <utility>
#include <vector>

#include <eddy/core/attempt.hpp>
#include <eddy/stream/generator.hpp>
#include <eddy/time/sleep.hpp>

#include "fs/make_job.hpp"
#include "fs/stat.hpp"
#include "fs/watch_source.hpp"

namespace eddy { inline namespace EDDY_ABI { namespace detail {

namespace {

using namespace std::chrono_literals;

// What is looked at, under the empty name, and what is right in it.
using snapshot = std::map<std::string, fs::file_metadata>;

// Empty: it is gone. A failure: it cannot be looked at.
result<snapshot> look_at(const std::string& path) {
  if (has_zero(path)) return error::system(EINVAL, "watch", path);
  snapshot found;
  fs::file_metadata self;
  if (const int code = stat_path(path.c_str(), true, self)) {
    if (code == ENOENT) return found;
    return error::system(code, "watch", path);
  }
  found.emplace(std::string(), self);
  if (!self.is_dir()) return found;
  struct close_at_end {
    ::DIR* names;
    ~close_at_end() {
      if (names != nullptr) ::closedir(names);
    }
  } const dir{::opendir(path.c_str())};
  if (dir.names == nullptr) return error::system(errno, "watch", path);
  while (const ::dirent* const e = ::readdir(dir.names)) {
    std::string name = e->d_name;
    if (name == "." || name == "..") continue;
    fs::file_metadata m;
    if (stat_path((path + '/' + name).c_str(), false, m) == 0) found.emplace(std::move(name), m);
  }
  return found;
}

std::optional<fs::change> change_between(const fs::file_metadata& a,
                                         const fs::file_metadata& b) noexcept {
  if (a.modified() != b.modified() || a.size() != b.size()) return fs::change::modified;
  if (a.changed() != b.changed()) return fs::change::attributes;
  return std::nullopt;
}

generator<result<fs::watch_event>> changes(std::string path, snapshot before) {
  for (;;) {
    co_await sleep(500ms);
    auto looking = make_job([path] { return look_at(path); });
    auto looked = co_await attempt(std::move(looking));
    if (!looked) {
      co_yield result<fs::watch_event>(std::move(looked).error());
      co_return;
    }
    snapshot now = std::move(*looked);
    std::vector<fs::watch_event> seen;
    for (const auto& [name, was] : before) {
      const auto is = now.find(name);
      if (is == now.end() || is->second.inode() != was.inode())
        seen.emplace_back(fs::change::removed, name);
      else if (const auto what = change_between(was, is->second);
               what && !(name.empty() && was.is_dir()))
        seen.emplace_back(*what, name);
    }
    for (const auto& [name, is] : now) {
      const auto was = before.find(name);
      if (was == before.end() || was->second.inode() != is.inode())
        seen.emplace_back(fs::change::created, name);
    }
    for (auto& e : seen) {
      const bool last = e.name().empty() && e.kind() == fs::change::removed;
      co_yield result<fs::watch_event>(std::move(e));
      if (last) co_return;
    }
    before = std::move(now);
  }
}

class looking_source final : public watch_source {
 public:
  explicit looking_source(generator<result<fs::watch_event>> from) : changes_(std::move(from)) {}
  polled<result<std::optional<fs::watch_event>>> poll(context& cx) noexcept override {
    next_polled<fs::watch_event> out(pending);
    auto p = poll_stream(changes_, cx);
    if (!p) return out;
    if (!p->has_value())
      fail(out, std::move(*p).error());
    else if (!**p)
      finish(out);
    else if (!(**p)->has_value())
      fail(out, std::move(***p).error());
    else
      give(out, std::move(****p));
    return out;
  }

 private:
  generator<result<fs::watch_event>> changes_;
};

}  // namespace

future<result<std::unique_ptr<watch_source>>> watch_source::open(std::string path) {
  auto looking = make_job([path] { return look_at(path); });
  auto first = co_await attempt(std::move(looking));
  if (!first) co_return std::move(first).error();
  if (first->empty()) co_return error::system(ENOENT, "watch", path);
  co_return std::unique_ptr<watch_source>(
      new looking_source(changes(std::move(path), std::move(*first))));
}

}}}  // namespace eddy::EDDY_ABI::detail
