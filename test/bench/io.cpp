// Readers and writers in memory: the workloads of the Tokio peer by the same names.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <eddy/eddy.hpp>
#include <eddy/io.hpp>

#include "workload.hpp"

namespace bench {
namespace {

namespace io = eddy::io;

// 100 bytes a line, its end among them.
const std::string& hundred_bytes_each() {
  static const std::string all = [] {
    std::string text;
    for (int i = 0; i < operations; ++i) text.append(99, 'x') += '\n';
    return text;
  }();
  return all;
}

template <class B>
eddy::future<> read_lines(B from) {
  io::lines<B> lines(std::move(from));
  std::size_t bytes = 0;
  while (auto line = co_await lines.next()) bytes += line->size();
  keep(bytes);
}

eddy::future<> lines_memory() {
  return read_lines(io::buf_reader(io::memory_reader(hundred_bytes_each())));
}

eddy::future<> write_everything(io::duplex_stream to) {
  co_await to.write_all(hundred_bytes_each());
}
eddy::future<> lines_duplex() {
  auto [near, far] = io::duplex(64 * 1024);
  eddy::spawn(write_everything(std::move(far)));
  auto reading = eddy::spawn(read_lines(io::buf_reader(std::move(near))));
  co_await reading;
}

constexpr int copies = 200;

// As Tokio's benches/copy.rs: 256 kB of zeros, out of a reader that makes them, to a container that grows.
eddy::future<> copy_mem_to_mem() {
  for (int i = 0; i < copies; ++i) {
    io::take source(io::repeat(0), 256 * 1024);
    std::string into;
    io::memory_writer to(into);
    co_await io::copy(source, to);
    keep(into);
  }
}

constexpr workload workloads[] = {
    {"ct/lines_memory", operations, lines_memory},
    {"ct/lines_duplex", operations, lines_duplex},
    {"ct/copy_mem_to_mem", copies, copy_mem_to_mem},
};

}  // namespace

std::span<const workload> io_workloads() { return workloads; }

}  // namespace bench
