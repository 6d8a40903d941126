// The guide's snippets about datagrams, Unix sockets, and readers and writers.
#include <eddy/eddy.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

// [guide:io_headers]
#include <eddy/io/buf_reader.hpp>
#include <eddy/io/buf_writer.hpp>
#include <eddy/io/copy_bidirectional.hpp>
#include <eddy/io/lines.hpp>
#include <eddy/io/read.hpp>
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
  while (auto line = co_await lines.next()) {  // nothing at the end of the stream
    const auto text = std::to_string(++n) + ' ' + *line + '\n';
    co_await eddy::io::write_all(numbered, text);
  }
  co_await numbered.flush();  // what is not flushed is lost
}
// [/guide:lines]

// [guide:unix]
eddy::future<> serve(std::string path) {
  std::filesystem::remove(path);                                 // the last server left it behind
  auto listener = eddy::net::unix_listener::bind(path).value();  // does not wait: a result
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
  socket.connect(server).value();  // from now on to and from this peer alone
  std::array<char, 1500> buf;
  for (int tries = 0; tries < 3; ++tries) {  // datagrams get lost
    co_await socket.send(question);
    auto n = co_await eddy::attempt(eddy::timeout(1s, socket.recv(buf)));
    if (n) co_return std::string(buf.data(), *n);
    if (n.error() != eddy::errc::elapsed) n.error().raise();
  }
  co_return "";
}
// [/guide:udp]

eddy::future<> over_unix(std::string path) {
  const eddy::abort_on_drop server(eddy::spawn(serve(path)));
  co_await eddy::yield_now();  // it binds
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

TEST_CASE("lines over a Unix socket, datagrams, a proxy") {
  const test::leak_check leaks;
  const test::unix_folder folder;
  eddy::runtime rt;
  rt.block_on(over_unix(folder.file("lines")));
  rt.block_on(over_udp());
  rt.block_on(through_a_proxy());
}
