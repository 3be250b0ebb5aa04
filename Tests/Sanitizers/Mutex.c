// A contended `Synchronization.Mutex` is taken and given back inside libswiftSynchronization, which the thread sanitizer does not
// instrument: it would report a race of every two accesses that such a lock keeps apart. Here the library's two slow paths tell it
// what they order. Names and registers are those of Swift 6's `_MutexHandle` on Linux (self in the context register).
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

#if defined(__linux__) && defined(__has_feature)
#if __has_feature(thread_sanitizer)

#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

void __tsan_acquire(void *);
void __tsan_release(void *);

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *

typedef SWIFT void Lock(uint32_t thread, SELF mutex);
typedef SWIFT void Unlock(SELF mutex);

SWIFT void lock_slow(uint32_t thread, SELF mutex) __asm__(LOCK_SLOW);
SWIFT void unlock_slow(SELF mutex) __asm__(UNLOCK_SLOW);

static void *library(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (!found) abort();
  return found;
}

SWIFT void lock_slow(uint32_t thread, SELF mutex) {
  static _Atomic(Lock *) lock;
  if (!lock) lock = (Lock *)library(LOCK_SLOW);
  lock(thread, mutex);
  __tsan_acquire(mutex);
}

SWIFT void unlock_slow(SELF mutex) {
  static _Atomic(Unlock *) unlock;
  if (!unlock) unlock = (Unlock *)library(UNLOCK_SLOW);
  __tsan_release(mutex);
  unlock(mutex);
}

#endif
#endif
