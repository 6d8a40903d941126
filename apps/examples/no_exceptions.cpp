// A small single-threaded tool without exceptions: it asks a server a question and prints the
// answer. Build eddy with -Dexceptions=disabled -Dpool=disabled for it. Failures are values:
// or_return passes a failure on to the caller, attempt returns it as a result.

#include <array>
#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

#include <eddy/eddy.hpp>

using namespace std::chrono_literals;

eddy::future<eddy::result<std::string>> ask(std::string where, std::string question) {
  auto stream = co_await eddy::or_return(eddy::net::tcp_stream::connect(where));
  co_await eddy::or_return(stream.write_all(question + "\n"));
  if (const auto ended = stream.shutdown_write(); !ended) co_return ended.error();
  std::string answer;
  std::array<char, 512> buffer;
  for (;;) {
    const auto n = co_await eddy::or_return(eddy::timeout(5s, stream.read(buffer)));
    if (n == 0) co_return answer;
    answer.append(buffer.data(), n);
  }
}

eddy::future<int> tool(std::string where, std::string question) {
  const auto answer = co_await ask(std::move(where), std::move(question));
  if (!answer) {
    std::fprintf(stderr, "ask: %s\n", answer.error().message().c_str());
    co_return 1;
  }
  std::printf("%s", answer->c_str());
  co_return 0;
}

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: ask HOST:PORT QUESTION\n");
    return 2;
  }
  return eddy::run(tool(argv[1], argv[2]));
}
