// syncfs and statfs, which Swift's module of the C library leaves out.
#ifdef __linux__
#include <sys/statfs.h>

int syncfs(int descriptor);

/// What kind of file system an open file lies on, as statfs(2) numbers them; 0 when it does not say.
static inline unsigned long millrace_file_system(int descriptor) {
  struct statfs found;
  return fstatfs(descriptor, &found) == 0 ? (unsigned long)found.f_type : 0;
}
#endif
