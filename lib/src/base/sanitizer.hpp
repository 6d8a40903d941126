#pragma once
// Which sanitizer this is compiled for: EDDY_ASAN, EDDY_TSAN, or one that has no word here; EDDY_SANITIZED: any.

#if defined(__SANITIZE_ADDRESS__)
#define EDDY_ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define EDDY_TSAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EDDY_ASAN 1
#elif __has_feature(thread_sanitizer)
#define EDDY_TSAN 1
#elif __has_feature(memory_sanitizer)
#define EDDY_SANITIZED 1
#endif
#endif

#if defined(EDDY_ASAN) || defined(EDDY_TSAN)
#define EDDY_SANITIZED 1
#elif !defined(EDDY_SANITIZED)
#define EDDY_SANITIZED 0
#endif
