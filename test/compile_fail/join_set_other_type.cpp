// expect: a join_set<T> holds tasks whose value is a T
#include <string>

#include <eddy/task/join_set.hpp>

eddy::future<std::string> work() { co_return "1"; }

void start(eddy::join_set<int>& set) { set.spawn(work()); }
