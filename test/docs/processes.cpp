// The guide's snippets about child processes and standard streams.
#include <eddy/eddy.hpp>

#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "support/leak_check.hpp"

// [guide:process_headers]
#include <eddy/io/buf_reader.hpp>
#include <eddy/io/lines.hpp>
#include <eddy/io/read.hpp>
#include <eddy/io/standard.hpp>  // std_in, std_out, std_err
#include <eddy/io/terminal.hpp>  // raw_mode, terminal_size
#include <eddy/process/command.hpp>

using eddy::process::command;
using eddy::process::stdio;
// [/guide:process_headers]

using namespace std::chrono_literals;

namespace {

// [guide:output]
eddy::future<std::string> kernel() {
  auto done = co_await command("uname").arg("-s").output();
  if (!done.status.success()) co_return "uname: " + done.status.to_string();
  co_return done.std_out;
}
// [/guide:output]

// [guide:child]
eddy::future<std::vector<std::string>> sorted(std::vector<std::string> words) {
  command sort("sort");
  sort.env("LC_ALL", "C").std_in(stdio::piped()).std_out(stdio::piped()).kill_on_drop();
  auto child = sort.spawn().value();
  for (const auto& w : words) co_await child.std_in->write_all(w + '\n');
  child.std_in.reset();  // closes the child's input
  words.clear();
  auto lines = eddy::io::lines(eddy::io::buf_reader(std::move(*child.std_out)));
  while (auto line = co_await lines.next()) words.push_back(std::move(*line));
  co_await child.wait();
  co_return words;
}
// [/guide:child]

// [guide:collect]
eddy::future<std::string> collect(std::string line, std::chrono::milliseconds limit) {
  command shell("sh");
  shell.arg("-c").arg(line).std_out(stdio::piped()).kill_on_drop();
  auto child = shell.spawn().value();
  std::string out;
  auto all = eddy::try_join(eddy::io::read_to_end(*child.std_out, out), child.wait());
  auto end = co_await eddy::attempt(eddy::timeout(limit, std::move(all)));
  if (!end) out += "(" + end.error().message() + ")";
  co_return out;  // what came in time; a child that still runs is killed here
}
// [/guide:collect]

// [guide:patience]
eddy::future<bool> ends_within(eddy::process::child& child, std::chrono::milliseconds patience) {
  auto end = co_await eddy::attempt(eddy::timeout(patience, child.wait()));
  if (end) co_return true;
  child.send(eddy::signal::kind::terminate()).value();  // asks it to end
  auto late = co_await eddy::attempt(eddy::timeout(patience, child.wait()));
  if (!late) co_await child.kill();
  co_return false;
}
// [/guide:patience]

// [guide:standard]
eddy::future<> upper() {
  auto lines = eddy::io::lines(eddy::io::buf_reader(eddy::io::std_in()));
  auto out = eddy::io::std_out();
  while (auto line = co_await lines.next()) {
    for (char& c : *line) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    co_await eddy::io::write_all(out, *line + '\n');
  }
}
// [/guide:standard]

// [guide:raw]
eddy::future<char> any_key() {
  auto raw = eddy::io::raw_mode::enter().value();  // ends with its scope and with the program
  auto in = eddy::io::std_in();
  std::array<char, 1> key{};
  co_await in.read(key);
  co_return key[0];
}
// [/guide:raw]

}  // namespace

TEST_CASE("the guide's child process examples do what they say") {
  const test::leak_check leaks;
  eddy::runtime rt;
  rt.block_on([]() -> eddy::future<> {
    const auto name = co_await kernel();
    CHECK(name == "Linux\n");
    const std::vector<std::string> fruit{"pear", "apple"};
    const auto words = co_await sorted(fruit);
    CHECK(words == std::vector<std::string>{"apple", "pear"});
    auto sleeper = command("sleep").arg("1000").spawn().value();
    const bool soon = co_await ends_within(sleeper, 10ms);
    CHECK(!soon);
    const auto said = co_await collect("echo hello", 10s);
    CHECK(said == "hello\n");
    const auto cut = co_await collect("echo begun; exec sleep 1000", 50ms);
    CHECK(cut.ends_with("(timeout: deadline elapsed)"));
  });
}

TEST_CASE("the guide's filter turns standard input into upper case") {
  const test::leak_check leaks;
  int in[2];
  int out[2];
  REQUIRE((::pipe(in) == 0 && ::pipe(out) == 0));
  const int before[2] = {::dup(0), ::dup(1)};
  ::dup2(in[0], 0);
  ::dup2(out[1], 1);
  REQUIRE(::write(in[1], "some\nlines\n", 11) == 11);
  ::close(in[1]);
  {
    eddy::runtime rt;
    rt.block_on(upper());
  }
  for (int i = 0; i < 2; ++i) {
    ::dup2(before[i], i);
    ::close(before[i]);
  }
  std::array<char, 64> text{};
  CHECK(::read(out[0], text.data(), text.size()) == 11);
  CHECK(std::string(text.data()) == "SOME\nLINES\n");
  for (const int fd : {in[0], out[0], out[1]}) ::close(fd);
  static_cast<void>(&any_key);  // needs a terminal, which test/io/standard.cpp has
}
