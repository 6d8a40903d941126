#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <eddy/config.hpp>
#include <eddy/fs/file_io.hpp>
#include <eddy/fs/job.hpp>
#include <eddy/fs/metadata.hpp>

#include "fs/make_job.hpp"

// One thing done with an open file, on a blocking thread.
//
// I1  Between submit and its end the job, and the buffer in it, are the thread's alone.
// I2  It gives its share of the descriptor back before it says that it has ended.

namespace eddy { inline namespace EDDY_ABI { namespace detail {

struct open_file {
  descriptor fd;
  std::string path;  // for errors; empty for one that was taken over

  open_file(int opened, std::string at) noexcept : fd(opened), path(std::move(at)) {}
};

class file_job final : public job_base {
 public:
  file_job(std::shared_ptr<open_file> f, file_action does, std::int64_t a, int b) noexcept
      : what(does), value(a), open_(std::move(f)), b_(b) {}

  const file_action what;
  file_buffer buffer;
  std::size_t back = 0;  // read ahead, and to be given back before anything else
  // The outcome. `value` is an argument before: a size, a place, a mode.
  int code = 0;
  std::int64_t value;
  fs::file_metadata metadata;

 private:
  void run() noexcept override;
  int act(int fd) noexcept;

  std::shared_ptr<open_file> open_;
  int b_;
};

}}}  // namespace eddy::EDDY_ABI::detail
