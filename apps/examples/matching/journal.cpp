#include "journal.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <vector>

namespace matching {

namespace {

constexpr std::array<char, 32> magic{"eddy matching journal 1"};

/// The checksum depends on the record's place, so that zeros, old blocks and misplaced records are
/// detected.
std::uint64_t checksum(const command& c, std::uint64_t place) noexcept {
  std::uint64_t sum = place + 1;
  for (const std::uint64_t word :
       {c.id, static_cast<std::uint64_t>(c.at),
        std::uint64_t{c.size} << 32 | static_cast<std::uint64_t>(c.what)})
    sum = (sum ^ word) * 0x9e3779b97f4a7c15U ^ sum >> 29;
  return sum;
}

eddy::error failed(const char* what) { return eddy::error::system(errno, what); }

eddy::result<void> write_all(int fd, const void* data, std::size_t size) {
  const auto* from = static_cast<const char*>(data);
  while (size != 0) {
    const auto n = ::write(fd, from, size);
    if (n < 0 && errno != EINTR) return failed("journal: write");
    if (n < 0) continue;
    from += n;
    size -= static_cast<std::size_t>(n);
  }
  return {};
}

/// Reads `size` bytes; fewer only at the end of the file.
eddy::result<std::size_t> read_full(int fd, void* to, std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    const auto n = ::read(fd, static_cast<char*>(to) + done, size - done);
    if (n < 0 && errno != EINTR) return failed("journal: read");
    if (n == 0) break;
    if (n > 0) done += static_cast<std::size_t>(n);
  }
  return done;
}

off_t offset_of(std::uint64_t record) {
  return static_cast<off_t>(magic.size() + record * sizeof(command));
}

}  // namespace

eddy::result<journal> journal::open(const std::string& path,
                                    eddy::function<void(const command&)> replay) {
  journal j(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (j.fd_ < 0) return eddy::error::system(errno, "journal: open", path);
  if (::flock(j.fd_, LOCK_EX | LOCK_NB) != 0)
    return eddy::error::system(errno, "journal: lock", path);

  std::array<char, magic.size()> head{};
  const auto had = read_full(j.fd_, head.data(), head.size());
  if (!had) return had.error();
  if (std::memcmp(head.data(), magic.data(), *had) != 0)
    return eddy::error::system(EBADMSG, "journal: the file is not a journal", path);
  if (*had < magic.size()) {  // new, or the process that made it was killed at once
    if (::ftruncate(j.fd_, 0) != 0 || ::lseek(j.fd_, 0, SEEK_SET) < 0)
      return failed("journal: make");
    if (auto made = write_all(j.fd_, magic.data(), magic.size()); !made) return made.error();
    return j;
  }

  std::vector<command> block(4096);
  for (bool more = true; more;) {
    const auto got = read_full(j.fd_, block.data(), block.size() * sizeof(command));
    if (!got) return got.error();
    more = *got == block.size() * sizeof(command);
    for (std::size_t i = 0; i < *got / sizeof(command); ++i) {
      if (block[i].check != checksum(block[i], j.records_))
        return eddy::error::system(EBADMSG, "journal: a record is damaged", path);
      replay(block[i]);
      ++j.records_;
    }
  }
  const auto end = offset_of(j.records_);
  if (::ftruncate(j.fd_, end) != 0 || ::lseek(j.fd_, end, SEEK_SET) < 0)
    return failed("journal: cut");
  return j;
}

journal::~journal() {
  if (fd_ >= 0) ::close(fd_);
}

eddy::result<void> journal::append(std::span<command> batch) {
  for (std::size_t i = 0; i < batch.size(); ++i) batch[i].check = checksum(batch[i], records_ + i);
  // A plain write on the loop: copying a batch into the page cache takes a few microseconds, less
  // than the way to another thread and back.
  auto written = write_all(fd_, batch.data(), batch.size_bytes());
  if (written) {
    records_ += batch.size();
  } else {  // for instance a full disk: remove what was written of the batch
    const auto end = offset_of(records_);
    if (::ftruncate(fd_, end) != 0 || ::lseek(fd_, end, SEEK_SET) < 0)
      return failed("journal: cut");
  }
  return written;
}

eddy::future<eddy::result<void>> journal::sync() {
  const auto flush = [](int fd) { return ::fdatasync(fd) == 0 ? 0 : errno; };
  const int code = co_await eddy::spawn_blocking(flush, fd_);
  if (code != 0) co_return eddy::error::system(code, "journal: sync");
  co_return eddy::result<void>();
}

}  // namespace matching
