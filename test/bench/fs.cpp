// Files: 10 000 small ones, whose folder `run` has made and named in EDDY_BENCH_FILES ("0" to "9999" in it).
// Names, shapes and output are those of peers/tokio/src/bin/fs.rs.

#include <cstdlib>
#include <string>
#include <vector>

#include <eddy/eddy.hpp>
#include <eddy/fs.hpp>

#include "workload.hpp"

namespace bench {

namespace {

constexpr int files = 10'000;

std::string path_of(int i) {
  return std::string(std::getenv("EDDY_BENCH_FILES")) + '/' + std::to_string(i);
}

eddy::future<> read_range(int first, int step) {
  for (int i = first; i < files; i += step) {
    auto bytes = co_await eddy::fs::read(path_of(i));
    keep(bytes);
  }
}

// One after the other, by one task.
eddy::future<> read_each() { co_await read_range(0, 1); }

// By some tasks at once, each one after the other.
eddy::future<> read_by(int tasks) {
  std::vector<eddy::join_handle<>> handles;
  for (int i = 0; i < tasks; ++i) handles.push_back(eddy::spawn(read_range(i, tasks)));
  for (auto& h : handles) co_await h;
}
eddy::future<> read_by_16() { return read_by(16); }

// All at once.
eddy::future<> read_all() { return read_by(files); }

constexpr workload workloads[] = {
    {"ct/fs_read_each", files, &read_each},
    {"ct/fs_read_by_16", files, &read_by_16},
    {"ct/fs_read_all", files, &read_all},
};

}  // namespace

std::span<const workload> fs_workloads() {
  if (std::getenv("EDDY_BENCH_FILES") == nullptr) return {};
  return workloads;
}

}  // namespace bench
