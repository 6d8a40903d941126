#include <eddy/codec/json.hpp>

#include <doctest/doctest.h>

#include <string>

#include <eddy/codec/framed.hpp>
#include <eddy/eddy.hpp>

#include "support/scripted_stream.hpp"

namespace codec = eddy::codec;
using eddy::attempt;
using eddy::future;
using nlohmann::json;

namespace {

struct tick {
  std::string symbol;
  double price = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(tick, symbol, price)

}  // namespace

TEST_CASE("JSON comes a value a line, and goes so") {
  test::run([]() -> future<> {
    test::scripted_stream s;
    s.gives("{\"a\": [1, 2]}\r\n\n  \nnull\n\"l").waits().gives("ast\"");
    codec::framed peer(s, codec::json_lines());
    const auto object = co_await peer.next();
    CHECK((*object)["a"][1] == 2);
    co_await peer.feed(*object);
    const auto null = co_await peer.next();
    CHECK(null->is_null());
    co_await peer.send(*null);
    const auto text = co_await peer.next();
    CHECK(*text == "last");
    const auto end = co_await peer.next();
    CHECK(!end);
    CHECK(s.written == "{\"a\":[1,2]}\nnull\n");
  });
}

TEST_CASE("what is not JSON says where, and the next line is read") {
  test::run([]() -> future<> {
    test::scripted_stream s;
    s.gives("{\"a\": }\n[1]\n[1,2,3,4,5,6,7,8]\n[2]\n");
    codec::framed peer(s, codec::json_lines(10));
    auto wrong = co_await attempt(peer.next());
    CHECK(wrong.error() == std::errc::protocol_error);
    CHECK(wrong.error().message().find("not JSON from byte 7") != std::string::npos);
    const auto one = co_await peer.next();
    CHECK((*one)[0] == 1);
    auto longer = co_await attempt(peer.next());
    CHECK(longer.error() == std::errc::message_size);
    const auto two = co_await peer.next();
    CHECK((*two)[0] == 2);
  });
}

TEST_CASE("values of one's own go both ways") {
  test::run([]() -> future<> {
    test::scripted_stream s;
    s.gives("{\"symbol\": \"BTC\", \"price\": 42.5}\n[]\n{\"symbol\": \"ETH\", \"price\": 1}\n");
    codec::framed peer(s, codec::json_lines<tick>());
    const auto btc = co_await peer.next();
    CHECK(btc->symbol == "BTC");
    co_await peer.send(*btc);
    CHECK(s.written == "{\"price\":42.5,\"symbol\":\"BTC\"}\n");
#if EDDY_EXCEPTIONS
    auto wrong = co_await attempt(peer.next());
    CHECK(wrong.error() == std::errc::protocol_error);
    const auto eth = co_await peer.next();
    CHECK(eth->price == 1);
    const json bad = "\xFF";
    codec::framed_write out(s, codec::json_lines());
    auto refused = co_await attempt(out.send(bad));
    CHECK(!refused);
    CHECK(out.write_buffer().empty());
#endif
  });
}
