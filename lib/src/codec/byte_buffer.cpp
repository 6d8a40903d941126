#include <eddy/codec/byte_buffer.hpp>

#include <algorithm>
#include <cstring>

namespace eddy { inline namespace EDDY_ABI { namespace codec {

void byte_buffer::append(io::const_buffer bytes) {
  if (bytes.empty()) return;
  reserve(bytes.size());
  std::memcpy(data_.get() + end_, bytes.data(), bytes.size());
  end_ += bytes.size();
}

void byte_buffer::make_room(std::size_t n) {
  const std::size_t kept = size();
  // Bytes are moved only where as many have been consumed before: each is moved once at most.
  if (first_ >= kept && capacity_ - kept >= n) {
    std::memcpy(data_.get(), data(), kept);
  } else {
    const std::size_t capacity = std::max(capacity_ * 2, kept + n);
    std::unique_ptr<char[]> larger(new char[capacity]);
    if (kept != 0) std::memcpy(larger.get(), data(), kept);
    data_ = std::move(larger);
    capacity_ = capacity;
  }
  first_ = 0;
  end_ = kept;
}

}}}  // namespace eddy::EDDY_ABI::codec
