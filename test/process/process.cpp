#include <eddy/process/command.hpp>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <eddy/core/attempt.hpp>
#include <eddy/io/buf_reader.hpp>
#include <eddy/io/concepts.hpp>
#include <eddy/io/lines.hpp>
#include <eddy/io/read.hpp>
#include <eddy/runtime/runtime.hpp>
#include <eddy/task/spawn.hpp>
#include <eddy/time/sleep.hpp>

#include "support/any_runtime.hpp"
#include "support/leak_check.hpp"

using eddy::future;
using eddy::process::child;
using eddy::process::command;
using eddy::process::stdio;

static_assert(eddy::io::writer<eddy::process::child_input>);
static_assert(eddy::io::reader<eddy::process::child_output>);

namespace {

command sh(std::string script) {
  command c("sh");
  c.arg("-c").arg(std::move(script));
  return c;
}

// What `c` writes, or the failure's message.
future<std::string> output_of(command* c) {
  auto done = co_await eddy::attempt(c->output());
  if (!done) co_return done.error().message();
  co_return done->std_out;
}

}  // namespace

TEST_CASE("a child's status is its exit code or its signal, as often as one asks") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    auto c = sh("exit 2").spawn().value();
    CHECK(c.id().value() > 0);
    for (int i = 0; i < 2; ++i) {
      const auto status = co_await c.wait();
      CHECK(status.code() == 2);
      CHECK(!status.success());
      CHECK(status.to_string() == "exit code 2");
    }
    CHECK(!c.id());
    CHECK(c.try_wait().value()->code() == 2);
    auto shot = sh("kill -9 $$");
    const auto status = co_await shot.status();
    CHECK(status.signal() == SIGKILL);
    CHECK(!status.code());
    CHECK(status.to_string() == "SIGKILL");
    const auto fine = co_await command("true").status();
    CHECK(fine.success());
  });
}

TEST_CASE("output has all that a child writes, also when it is more than pipes hold") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    const auto done =
        co_await sh("head -c 300000 /dev/zero; head -c 200000 /dev/zero >&2; exit 3").output();
    CHECK(done.status.code() == 3);
    CHECK(done.std_out.size() == 300'000);
    CHECK(done.std_err.size() == 200'000);
  });
}

TEST_CASE("what is written to a child comes back through it") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    command cat("cat");
    cat.std_in(stdio::piped()).std_out(stdio::piped());
    auto c = cat.spawn().value();
    std::string sent(1'000'000, 'x');
    auto writing = eddy::spawn(
        [](eddy::process::child_input in, const std::string* what) -> future<> {
          co_await in.write_all(*what);
        },  // dropping it ends the child's input
        std::move(*c.std_in), &sent);
    c.std_in.reset();
    const auto back = co_await eddy::io::read_to_string(*c.std_out);
    co_await writing;
    CHECK(back == sent);
    const auto status = co_await c.wait();
    CHECK(status.success());
  });
}

TEST_CASE("waiting for a child closes its input, on which it may be waiting") {
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    command cat("cat");
    cat.std_in(stdio::piped()).std_out(stdio::null());
    auto c = cat.spawn().value();
    const auto status = co_await c.wait();
    CHECK(status.success());
    CHECK(!c.std_in);
  });
}

TEST_CASE("a child's output is read line by line while it runs") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    auto script = sh("while read word; do echo \"<$word>\"; done");
    script.std_in(stdio::piped()).std_out(stdio::piped());
    auto c = script.spawn().value();
    auto lines = eddy::io::lines(eddy::io::buf_reader(std::move(*c.std_out)));
    for (const std::string word : {"one", "two"}) {
      co_await c.std_in->write_all(word + "\n");
      const auto line = co_await lines.next();
      CHECK(line == "<" + word + ">");
    }
    c.std_in.reset();
    const auto end = co_await lines.next();
    CHECK(!end);
    co_await c.wait();
  });
}

TEST_CASE("writing to a child that reads no more is EPIPE and no signal") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    command t("true");
    t.std_in(stdio::piped());
    auto c = t.spawn().value();
    auto in = std::move(*c.std_in);
    co_await c.wait();
    auto failed = co_await eddy::attempt(in.write("late"));
    CHECK(failed.error() == std::errc::broken_pipe);
  });
}

TEST_CASE("a child whose input is full fails the writer once it is killed") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    command s("sleep");
    s.arg("1000").std_in(stdio::piped()).std_out(stdio::null());
    auto c = s.spawn().value();
    auto writing = eddy::spawn(
        [](eddy::process::child_input in) -> future<bool> {
          const std::string data(8192, 'x');
          for (;;) {
            auto r = co_await eddy::attempt(in.write_all(data));
            if (!r) co_return r.error() == std::errc::broken_pipe;
          }
        },
        std::move(*c.std_in));
    co_await eddy::sleep(std::chrono::milliseconds(20));
    CHECK(!writing.is_finished());
    co_await c.kill();
    const bool broken = co_await writing;
    CHECK(broken);
  });
}

TEST_CASE("a program gets its arguments, its name, and its environment") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    command named("sh");
    named.arg0("another name").arg("-c").arg("echo \"$0\"");
    const auto zero = co_await output_of(&named);
    CHECK(zero == "another name\n");
    command three("printf");
    three.arg("<%s>").args({"a b", ""}).args(std::vector<std::string>{"c'\""});
    const auto args = co_await output_of(&three);
    CHECK(args == "<a b><><c'\">");
    ::setenv("EDDY_A", "ours", 1);
    ::setenv("EDDY_B", "ours", 1);
    auto show = sh("echo $EDDY_A,$EDDY_B,$EDDY_C");
    show.env("EDDY_A", "theirs").env_remove("EDDY_B").env("EDDY_C", "new");
    const auto changed = co_await output_of(&show);
    CHECK(changed == "theirs,,new\n");
    command env("env");
    env.env("GONE", "x").env_clear().env("ONLY", "this").env("PATH", "/nowhere:/usr/bin:/bin");
    const auto all = co_await output_of(&env);
    CHECK(all == "ONLY=this\nPATH=/nowhere:/usr/bin:/bin\n");
  });
}

TEST_CASE("a child starts in its directory, its group, its session") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    command pwd("pwd");
    pwd.current_dir("/usr");
    const auto there = co_await output_of(&pwd);
    CHECK(there == "/usr\n");
    auto group = sh("ps -o pgid= -p $$ 2>/dev/null || cut -d' ' -f5 /proc/$$/stat; echo $$");
    group.process_group(0);
    const auto two = co_await output_of(&group);
    CHECK(std::atoi(two.c_str()) == std::atoi(two.substr(two.find('\n')).c_str()));
    auto session = sh("cut -d' ' -f6 /proc/$$/stat; echo $$");
    session.new_session();
    const auto id = co_await output_of(&session);
    CHECK(std::atoi(id.c_str()) == std::atoi(id.substr(id.find('\n')).c_str()));
  });
}

TEST_CASE("a child runs as another user, in other groups") {
  const test::leak_check leaks;
  if (::geteuid() != 0) {
    MESSAGE("skipped: needs root");
    return;
  }
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    auto id = sh("id -u; id -g; id -G");
    id.uid(12345).gid(23456);
    const auto alone = co_await output_of(&id);
    CHECK(alone == "12345\n23456\n23456\n");
    id.groups({34567}).current_dir("/");
    const auto together = co_await output_of(&id);
    CHECK(together == "12345\n23456\n23456 34567\n");
    command missing("/no/such/program");
    missing.uid(12345);
    const auto failed = missing.spawn();
    CHECK(failed.error() == std::errc::no_such_file_or_directory);
  });
}

TEST_CASE("what cannot be started says what and where, at spawn, status and output alike") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    const auto gone = command("no-such-program-anywhere").spawn();
    REQUIRE(!gone);
    CHECK(gone.error() == std::errc::no_such_file_or_directory);
    CHECK(gone.error().message().find("spawn no-such-program-anywhere") == 0);
    CHECK(command("/etc/passwd").spawn().error() == std::errc::permission_denied);
    command nowhere("true");
    nowhere.current_dir("/no/such/place");
    auto failed = nowhere.spawn();
    CHECK(failed.error() == std::errc::no_such_file_or_directory);
    CHECK(failed.error().message().find("true in /no/such/place") != std::string::npos);
    command zero("true");
    zero.arg(std::string("a\0b", 3));
    CHECK(zero.spawn().error() == std::errc::invalid_argument);
    auto status = co_await eddy::attempt(command("no-such-program-anywhere").status());
    CHECK(status.error() == std::errc::no_such_file_or_directory);
    auto out = co_await eddy::attempt(command("no-such-program-anywhere").output());
    CHECK(out.error() == std::errc::no_such_file_or_directory);
    command elsewhere("ls");
    elsewhere.env("PATH", "/nowhere");
    CHECK(elsewhere.spawn().error() == std::errc::no_such_file_or_directory);
    // A directory of that name is no program, and the search goes on behind it.
    std::string before = "/tmp/eddy-path-XXXXXX";
    REQUIRE(::mkdtemp(before.data()) != nullptr);
    REQUIRE(::mkdir((before + "/true").c_str(), 0700) == 0);
    const auto found = co_await command("true").env("PATH", before + ":/usr/bin:/bin").status();
    CHECK(found.success());
    ::rmdir((before + "/true").c_str());
    ::rmdir(before.c_str());
  });
}

TEST_CASE("null is empty to read and takes what is written; a descriptor may be any") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    auto count = sh("wc -c; echo lost >&2");
    count.std_in(stdio::null()).std_err(stdio::null());
    const auto none = co_await output_of(&count);
    CHECK(std::atoi(none.c_str()) == 0);

    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    {
      auto both = sh("echo out; echo err >&2");
      both.std_out(stdio::from_descriptor(::dup(ends[1]))).std_err(stdio::from_descriptor(ends[1]));
      co_await both.status();
    }  // the command's own descriptors are closed with it
    std::string text(64, '\0');
    text.resize(static_cast<std::size_t>(::read(ends[0], text.data(), text.size())));
    CHECK(text == "out\nerr\n");
    CHECK(::read(ends[0], text.data(), 1) == 0);
    ::close(ends[0]);
  });
}

TEST_CASE("a child's output is another's input, and blocks there as a pipe should") {
  const test::leak_check leaks;
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    auto make = sh("sleep 0.05; echo through both");
    make.std_out(stdio::piped());
    auto first = make.spawn().value();
    std::string text;
    {
      command cat("cat");
      cat.std_in(std::move(*first.std_out).into_stdio().value());
      const auto done = co_await cat.output();
      CHECK(done.status.success());
      text = done.std_out;
    }
    CHECK(text == "through both\n");
    co_await first.wait();
  });
}

TEST_CASE("a child has SIGPIPE by default and no signal blocked, whatever this program does") {
  const test::leak_check leaks;
  sigset_t usr1;
  ::sigemptyset(&usr1);
  ::sigaddset(&usr1, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &usr1, nullptr);
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    for (const bool forked : {false, true}) {
      auto status = sh("grep -E '^Sig(Blk|Ign)' /proc/$$/status | cut -c 8-");
      if (forked) status.gid(::getgid());
      const auto masks = co_await output_of(&status);
      CHECK(std::strtoull(masks.c_str(), nullptr, 16) == 0);
      const auto ignored = std::strtoull(masks.c_str() + masks.find('\n'), nullptr, 16);
      CHECK((ignored >> (SIGPIPE - 1) & 1U) == 0);
    }
  });
  ::signal(SIGPIPE, before);
  ::pthread_sigmask(SIG_UNBLOCK, &usr1, nullptr);
}

TEST_CASE("pipes need a runtime, a child without them does not") {
  const test::leak_check leaks;
  command piped("true");
  piped.std_in(stdio::piped()).std_out(stdio::null());
  CHECK(piped.spawn().error() == eddy::errc::misuse);
  auto c = command("true").spawn().value();
  auto rt = test::make_runtime();
  const auto status =
      rt.block_on([&c]() -> future<eddy::process::exit_status> { co_return co_await c.wait(); });
  CHECK(status.success());
}

TEST_CASE("real programs: ssh -V writes its version to standard error") {
  auto rt = test::make_runtime();
  rt.block_on([]() -> future<> {
    auto done = co_await eddy::attempt(command("ssh").arg("-V").output());
    if (!done) {
      MESSAGE("skipped: " << done.error().message());
      co_return;
    }
    CHECK(done->status.success());
    CHECK(done->std_err.find("SSH") != std::string::npos);
    CHECK(done->std_out.empty());
  });
}
