// What most tests include, precompiled for the programs of several files. A test includes what it uses all the same:
// alone it has to compile without this (-Db_pch=false).

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <eddy/codec.hpp>
#include <eddy/eddy.hpp>
#include <eddy/fs.hpp>
#include <eddy/io.hpp>
#include <eddy/stream.hpp>
#include <eddy/testing.hpp>

#include "support/any_runtime.hpp"
#include "support/cut_points.hpp"
#include "support/leaves.hpp"
#include "support/now.hpp"
#include "support/runtime_access.hpp"
#include "support/scripted_stream.hpp"
#include "support/trace.hpp"
