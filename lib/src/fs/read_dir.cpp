// Reading directories. The DIR belongs to whichever job reads; between two jobs nobody touches it.

#include <dirent.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include <eddy/fs/directory.hpp>

#include "fs/make_job.hpp"
#include "fs/stat.hpp"

namespace eddy { inline namespace EDDY_ABI {

namespace detail {

struct open_directory {
  std::shared_ptr<const std::string> path;
  ::DIR* names;

  open_directory(std::shared_ptr<const std::string> at, ::DIR* opened) noexcept
      : path(std::move(at)), names(opened) {}
  open_directory(const open_directory&) = delete;
  ~open_directory() { ::closedir(names); }
};

namespace {

fs::file_kind kind_of_entry([[maybe_unused]] const ::dirent& e) noexcept {
#ifdef DTTOIF
  return kind_of_mode(static_cast<std::uint32_t>(DTTOIF(e.d_type)));
#else
  return fs::file_kind::unknown;
#endif
}

bool is_dots(const char* name) noexcept {
  return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

}  // namespace

/// Some more names of an open directory.
class directory_job final : public job_base {
 public:
  static constexpr std::size_t chunk = 64;

  explicit directory_job(std::shared_ptr<open_directory> from) noexcept : from_(std::move(from)) {}

  /// Reads into `entries`. False: there are no more, or (code != 0) the system said why not.
  static bool read(open_directory& from, std::vector<fs::dir_entry>& entries, int& code) {
    while (entries.size() < chunk) {
      errno = 0;
      const ::dirent* const e = ::readdir(from.names);
      if (e == nullptr) {
        code = errno;
        return false;
      }
      if (!is_dots(e->d_name))
        entries.emplace_back(from.path, e->d_name, kind_of_entry(*e), e->d_ino);
    }
    return true;
  }
  static fs::dir_stream stream_of(std::shared_ptr<open_directory> from) {
    fs::dir_stream names;
    int code = 0;
    // A failure comes again with the next job, which has somebody to tell.
    if (read(*from, names.entries_, code) || code != 0) names.source_ = std::move(from);
    return names;
  }

  std::vector<fs::dir_entry> entries;
  bool more = false;
  int code = 0;

 private:
  void run() noexcept override {
#if EDDY_EXCEPTIONS
    try {
#endif
      more = read(*from_, entries, code);
#if EDDY_EXCEPTIONS
    } catch (...) {
      code = ENOMEM;
    }
#endif
    from_.reset();
  }

  std::shared_ptr<open_directory> from_;
};

}  // namespace detail

namespace fs {

using eddy::detail::directory_job;
using eddy::detail::make_job;
using eddy::detail::open_directory;

std::string dir_entry::path() const {
  std::string whole = *directory_;
  if (!whole.empty() && whole.back() != '/') whole += '/';
  return whole += name_;
}

job<file_metadata> dir_entry::metadata() const { return symlink_metadata(path()); }

job<file_kind> dir_entry::file_type() const {
  return make_job([path = path(), kind = kind_]() -> result<file_kind> {
    if (kind != file_kind::unknown) return kind;
    file_metadata found;
    if (const int code = eddy::detail::stat_path(path.c_str(), false, found))
      return error::system(code, "file_type", path);
    return found.kind();
  });
}

dir_stream::dir_stream() noexcept = default;
dir_stream::dir_stream(dir_stream&& other) noexcept
    : entries_(std::move(other.entries_)),
      at_(std::exchange(other.at_, 0)),
      source_(std::move(other.source_)),
      reading_(std::exchange(other.reading_, nullptr)) {
  other.entries_.clear();
}
dir_stream& dir_stream::operator=(dir_stream&& other) noexcept {
  dir_stream taken(std::move(other));
  std::swap(entries_, taken.entries_);
  std::swap(at_, taken.at_);
  std::swap(source_, taken.source_);
  std::swap(reading_, taken.reading_);
  return *this;
}
dir_stream::~dir_stream() {
  if (reading_ != nullptr) reading_->drop();
}

polled<result<std::optional<dir_entry>>> dir_stream::poll_next(context& cx) noexcept {
  eddy::detail::next_polled<dir_entry> out(pending);
  for (;;) {
    if (at_ != entries_.size()) {
      if (cx.proceed()) eddy::detail::give(out, std::move(entries_[at_++]));
      return out;
    }
    if (reading_ == nullptr) {
      if (source_ == nullptr) {
        eddy::detail::finish(out);
        return out;
      }
      reading_ = new directory_job(source_);
    }
    if (!reading_->poll(cx)) return out;
    entries_ = std::move(reading_->entries);
    at_ = 0;
    const int code = reading_->code;
    error failed = reading_->take_refusal();
    if (code != 0 && !failed) failed = error::system(code, "read_dir", *source_->path);
    if (!reading_->more) source_.reset();
    std::exchange(reading_, nullptr)->drop();
    if (failed) {
      entries_.clear();
      eddy::detail::fail(out, std::move(failed));
      return out;
    }
  }
}

job<dir_stream> read_dir(std::string path) {
  return make_job([path = std::move(path)]() -> result<dir_stream> {
    if (eddy::detail::has_zero(path)) return error::system(EINVAL, "read_dir", path);
    ::DIR* const names = ::opendir(path.c_str());
    if (names == nullptr) return error::system(errno, "read_dir", path);
    return directory_job::stream_of(
        std::make_shared<open_directory>(std::make_shared<const std::string>(path), names));
  });
}

}  // namespace fs

}}  // namespace eddy::EDDY_ABI
