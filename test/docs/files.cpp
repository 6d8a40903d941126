// The guide's snippets about files.
#include <eddy/eddy.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>

// [guide:fs_headers]
#include <eddy/fs.hpp>  // or single headers from <eddy/fs/...>
#include <eddy/io/buf_reader.hpp>
#include <eddy/io/lines.hpp>
// [/guide:fs_headers]

#include "fs/folder.hpp"

namespace {

// [guide:whole_files]
eddy::future<> upper(std::string folder) {
  auto names = co_await eddy::fs::read_dir(folder);
  while (auto entry = co_await names.next_entry()) {
    auto text = co_await eddy::fs::read_to_string(entry->path());
    for (char& c : text)
      if (c >= 'a' && c <= 'z') c -= 'a' - 'A';
    co_await eddy::fs::write(entry->path(), text);
  }
}
// [/guide:whole_files]

// [guide:file]
eddy::future<int> append(std::string path, std::string line) {
  auto options = eddy::fs::open_options().read(true).append(true).create(true);
  auto file = co_await options.open(path);
  co_await file.write_all(line + '\n');
  co_await file.flush();  // waits until everything accepted is written, and throws if it failed

  co_await file.rewind();
  auto lines = eddy::io::lines(eddy::io::buf_reader(std::move(file)));
  int n = 0;
  while (co_await lines.next()) ++n;
  co_return n;
}
// [/guide:file]

// [guide:replace]
eddy::future<> replace(std::string folder, std::string name, std::string text) {
  auto draft = co_await eddy::fs::temp_file::create(folder);
  co_await draft.file().write_all(text);
  co_await draft.file().sync_all();  // a failure or drop up to here removes the draft
  co_await std::move(draft).persist(folder + '/' + name);
}
// [/guide:replace]

// [guide:watch]
eddy::future<std::string> next_arrival(std::string folder) {
  auto changes = co_await eddy::fs::watch(folder);
  while (auto e = co_await changes.next())
    if (e->kind() == eddy::fs::change::moved_to) co_return e->name();
  co_return "";  // the folder itself was removed
}
// [/guide:watch]

}  // namespace

TEST_CASE("the guide's file examples do what it says") {
  const test::folder dir;
  dir.with("a", "hello");
  const test::settled_leak_check leaks;
  eddy::runtime rt;
  rt.block_on([](const test::folder& d) -> eddy::future<> {
    co_await upper(d.path());
    CHECK(test::contents(d.file("a")) == "HELLO");
    CHECK(co_await append(d.file("log"), "one") == 1);
    CHECK(co_await append(d.file("log"), "two") == 2);
    co_await replace(d.path(), "a", "new");
    CHECK(test::contents(d.file("a")) == "new");
#ifdef __linux__
    auto arrival = eddy::spawn(next_arrival(d.path()));
    while (!arrival.is_finished()) {
      co_await replace(d.path(), "b", "arrived");  // repeated until the watch has begun
      co_await eddy::yield_now();
    }
    CHECK(co_await std::move(arrival) == "b");
#endif
  }(dir));
}
