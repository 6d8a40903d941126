#include <eddy/net/unix_address.hpp>

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <string>
#include <system_error>

using eddy::net::unix_address;

namespace {
unix_address there_and_back(const unix_address& a) {
  ::sockaddr_storage native{};
  const auto size = a.to_native(&native);
  return unix_address::from_native(reinterpret_cast<::sockaddr*>(&native), size);
}
}  // namespace

TEST_CASE("a path survives the way through the system's form") {
  const auto a = unix_address::path("/run/eddy.sock").value();
  CHECK(a.as_path() == "/run/eddy.sock");
  CHECK(!a.as_abstract());
  CHECK(a.to_string() == "/run/eddy.sock");
  CHECK(there_and_back(a) == a);
}

TEST_CASE("an unnamed address is neither path nor abstract") {
  const unix_address a;
  CHECK(a.is_unnamed());
  CHECK(!a.as_path());
  CHECK(!a.as_abstract());
  CHECK(a.to_string() == "unnamed");
  CHECK(there_and_back(a) == a);
}

#ifdef __linux__
TEST_CASE("an abstract name may have any bytes in it, and be empty") {
  const auto a = unix_address::abstract(std::string("a\0b", 3)).value();
  CHECK(a.as_abstract() == std::string("a\0b", 3));
  CHECK(there_and_back(a) == a);
  CHECK(unix_address::abstract("name")->to_string() == "@name");
  const auto none = unix_address::abstract("").value();
  CHECK(!none.is_unnamed());
  CHECK(there_and_back(none) == none);
}
#endif

TEST_CASE("the longest path fits, and a longer one, an empty one and one with a zero byte do not") {
  const std::string most(unix_address::longest, 'p');
  CHECK(there_and_back(unix_address::path(most).value()).as_path() == most);
  const auto longer = unix_address::path(most + 'p');
  CHECK(longer.error() == std::errc::filename_too_long);
  CHECK(longer.error().message().find(most) != std::string::npos);
  CHECK(unix_address::path("").error() == std::errc::invalid_argument);
  CHECK(unix_address::path(std::string("a\0b", 3)).error() == std::errc::invalid_argument);
}
