// The guide's snippets about Unix sockets, datagrams, pipes, and readers and writers.
#include <eddy/eddy.hpp>

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// [guide:io_headers]
#include <eddy/io/buf_reader.hpp>
#include <eddy/io/buf_writer.hpp>
#include <eddy/io/copy_bidirectional.hpp>
#include <eddy/io/lines.hpp>
#include <eddy/io/read.hpp>
#include <eddy/net/async_fd.hpp>
#include <eddy/net/pipe.hpp>
#include <eddy/net/tcp_socket.hpp>
#include <eddy/net/udp_socket.hpp>
#include <eddy/net/unix_stream.hpp>
// [/guide:io_headers]

#include "net/unix_folder.hpp"
#include "support/leak_check.hpp"

using namespace std::chrono_literals;

namespace {

// [guide:lines]
eddy::future<> number_lines(eddy::net::unix_stream stream) {
  auto [in, out] = std::move(stream).into_split();
  auto lines = eddy::io::lines(eddy::io::buf_reader(std::move(in)));
  auto numbered = eddy::io::buf_writer(std::move(out));
  int n = 0;
  while (auto line = co_await lines.next()) {  // empty at the end of the stream
    const auto text = std::to_string(++n) + ' ' + *line + '\n';
    co_await eddy::io::write_all(numbered, text);
  }
  co_await numbered.flush();  // unflushed bytes would be lost
}
// [/guide:lines]

// [guide:unix]
eddy::future<> serve(std::string path) {
  std::filesystem::remove(path);                                 // left behind by the last server
  auto listener = eddy::net::unix_listener::bind(path).value();  // never waits: returns a result
  for (;;) {
    auto [stream, peer] = co_await listener.accept();
    eddy::spawn(number_lines(std::move(stream)));
  }
}

eddy::future<std::string> ask(std::string path, std::string text) {
  auto stream = co_await eddy::net::unix_stream::connect(path);
  co_await stream.write_all(text);
  stream.shutdown_write().value();
  co_return co_await eddy::io::read_to_string(stream);
}
// [/guide:unix]

// [guide:proxy]
eddy::future<> forward(eddy::net::tcp_stream client, std::string server) {
  auto there = co_await eddy::net::tcp_stream::connect(server);
  co_await eddy::io::copy_bidirectional(client, there);  // until both sides have ended
}
// [/guide:proxy]

// [guide:udp]
eddy::future<> echo(eddy::net::udp_socket socket) {
  std::array<char, 1500> buf;
  for (;;) {
    auto [size, from] = co_await socket.recv_from(buf);
    co_await socket.send_to(std::span(buf).first(size), from);
  }
}

eddy::future<std::string> ask_thrice(eddy::net::socket_address server, std::string question) {
  auto socket = co_await eddy::net::udp_socket::bind("127.0.0.1:0");
  socket.connect(server).value();  // from now on, only to and from this peer
  std::array<char, 1500> buf;
  for (int tries = 0; tries < 3; ++tries) {  // a datagram may get lost
    co_await socket.send(question);
    auto n = co_await eddy::attempt(eddy::timeout(1s, socket.recv(buf)));
    if (n) co_return std::string(buf.data(), *n);
    if (n.error() != eddy::errc::elapsed) n.error().raise();
  }
  co_return "";
}
// [/guide:udp]

// [guide:builder]
eddy::future<eddy::net::tcp_stream> from_port(std::uint16_t port, eddy::net::socket_address to) {
  auto socket = eddy::net::tcp_socket::for_address(to).value();
  socket.set_reuse_address(true).value();
  socket.set_recv_buffer_size(1 << 20).value();  // too late once connected
  socket.bind(eddy::net::socket_address::any_v4(port)).value();
  co_return co_await std::move(socket).connect(to);
}
// [/guide:builder]

// [guide:resolver]
/// Knows the addresses of some hosts, and asks the system for the others.
class hosts : public eddy::net::resolver {
  using addresses = std::vector<eddy::net::socket_address>;

 public:
  void add(std::string name, eddy::net::socket_address where) { known_.emplace(name, where); }

  eddy::future<eddy::result<addresses>> resolve(std::string host, std::uint16_t port) override {
    const auto found = known_.find(host);
    if (found == known_.end()) return eddy::net::system_resolver().resolve(host, port);
    return answer(addresses(1, found->second));
  }

 private:
  static eddy::future<eddy::result<addresses>> answer(addresses list) { co_return list; }
  std::map<std::string, eddy::net::socket_address> known_;
};

eddy::future<eddy::net::tcp_stream> reach(hosts& names, std::string where) {
  eddy::net::connect_options options;
  options.with = &names;
  co_return co_await eddy::timeout(5s, eddy::net::tcp_stream::connect(where, options));
}
// [/guide:resolver]

// [guide:pipe]
eddy::future<> log_lines(std::string fifo) {
  auto receiver = eddy::net::pipe_receiver::open_read_write(fifo).value();  // outlives its writers
  auto lines = eddy::io::lines(eddy::io::buf_reader(std::move(receiver)));
  while (auto line = co_await lines.next()) std::printf("%s\n", line->c_str());
}
// [/guide:pipe]

// [guide:async_fd]
eddy::future<std::uint64_t> next_count(eddy::net::async_fd& counter) {  // an eventfd
  std::uint64_t count = 0;
  co_await counter.async_io(eddy::net::interest::read, ::read, counter.native_handle(),
                            static_cast<void*>(&count), sizeof count);
  co_return count;
}
// [/guide:async_fd]

eddy::future<> by_builder_and_name() {
  auto listener = co_await eddy::net::tcp_listener::bind("127.0.0.1:0");
  auto plain = co_await from_port(0, listener.local_addr());
  hosts names;
  names.add("printer", listener.local_addr());
  auto named = co_await reach(names, "printer:1");
  CHECK(named.peer_addr() == plain.peer_addr());
}

eddy::future<> through_descriptors(std::string fifo) {
  CHECK(::mkfifo(fifo.c_str(), 0600) == 0);
  const eddy::abort_on_drop log(eddy::spawn(log_lines(fifo)));
  co_await eddy::yield_now();
  auto sender = eddy::net::pipe_sender::open(fifo).value();
  co_await sender.write_all("to whom it may concern\n");
  auto ends = eddy::net::pipe().value();
  const std::uint64_t seven = 7;
  co_await ends.sender.write_all(eddy::net::const_buffer(&seven, sizeof seven));
  auto counter =
      eddy::net::async_fd::adopt(std::move(ends.receiver).into_descriptor().value()).value();
  const auto n = co_await next_count(counter);
  CHECK(n == 7);
}

eddy::future<> over_unix(std::string path) {
  const eddy::abort_on_drop server(eddy::spawn(serve(path)));
  co_await eddy::yield_now();  // lets the server bind
  const auto answer = co_await ask(path, "a\r\nb\nc");
  CHECK(answer == "1 a\n2 b\n3 c\n");
}

eddy::future<> over_udp() {
  auto socket = co_await eddy::net::udp_socket::bind("127.0.0.1:0");
  const auto where = socket.local_addr();
  const eddy::abort_on_drop server(eddy::spawn(echo(std::move(socket))));
  const auto answer = co_await ask_thrice(where, "who?");
  CHECK(answer == "who?");
}

eddy::future<> answer_and_end(eddy::net::tcp_listener listener) {
  auto [stream, peer] = co_await listener.accept();
  const auto asked = co_await eddy::io::read_to_string(stream);
  CHECK(asked == "ping");
  co_await stream.write_all("pong");
}

eddy::future<> through_a_proxy() {
  auto behind = co_await eddy::net::tcp_listener::bind("127.0.0.1:0");
  auto front = co_await eddy::net::tcp_listener::bind("127.0.0.1:0");
  const auto server = behind.local_addr().to_string();
  auto answering = eddy::spawn(answer_and_end(std::move(behind)));
  auto client = co_await eddy::net::tcp_stream::connect(front.local_addr().to_string());
  auto [accepted, peer] = co_await front.accept();
  auto forwarding = eddy::spawn(forward(std::move(accepted), server));
  co_await client.write_all("ping");
  client.shutdown_write().value();
  const auto answer = co_await eddy::io::read_to_string(client);
  CHECK(answer == "pong");
  co_await forwarding;
  co_await answering;
}

}  // namespace

TEST_CASE("the guide's sockets, proxy, resolver, pipe and descriptor examples do what they say") {
  const test::leak_check leaks;
  const test::unix_folder folder;
  eddy::runtime rt;
  rt.block_on(over_unix(folder.file("lines")));
  rt.block_on(over_udp());
  rt.block_on(through_a_proxy());
  rt.block_on(by_builder_and_name());
  rt.block_on(through_descriptors(folder.file("fifo")));
}
