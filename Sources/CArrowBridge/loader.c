// Finds and opens libArrowBridge, once per process.
#define _GNU_SOURCE  // dladdr
#include "MillraceArrow.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __APPLE__
#define LIBRARY "libArrowBridge.dylib"
#else
#define LIBRARY "libArrowBridge.so"
#endif

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const struct MillraceArrow *table = NULL;
static char failure[2048] = "";

// Tries one file; "" as folder means: as the system's loader finds it. 1 ends the search.
static int try_folder(const char *folder, size_t length) {
  char path[PATH_MAX];
  if (length > 0) {
    const int written = snprintf(path, sizeof path, "%.*s/%s", (int)length, folder, LIBRARY);
    if (written < 0 || (size_t)written >= sizeof path || access(path, R_OK) != 0) return 0;
  } else {
    snprintf(path, sizeof path, "%s", LIBRARY);
  }
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    const char *reason = dlerror();
    snprintf(failure, sizeof failure, "Apache Arrow could not be loaded: %s", reason ? reason : path);
    return length > 0;  // a library that is there but does not load is the answer; another one would hide it
  }
  const struct MillraceArrow *(*symbol)(void);
  *(void **)&symbol = dlsym(library, "millrace_arrow_table");
  const struct MillraceArrow *found = symbol ? symbol() : NULL;
  if (found == NULL || found->layout != MILLRACE_ARROW_LAYOUT) {
    snprintf(failure, sizeof failure, "%s belongs to another build of Millrace; build again", path);
    dlclose(library);
    return 1;
  }
  table = found;
  return 1;
}

static int try_folder_of(const char *file) {
  char resolved[PATH_MAX];
  if (strchr(file, '/') == NULL || realpath(file, resolved) == NULL) return 0;
  return try_folder(resolved, (size_t)(strrchr(resolved, '/') - resolved));
}

static void open_library(void) {
  for (const char *rest = getenv("MILLRACE_LIBRARIES"); rest != NULL && *rest != 0;) {
    const size_t length = strcspn(rest, ":");
    if (length > 0 && try_folder(rest, length)) return;
    rest += length + (rest[length] == ':');
  }
  Dl_info image;
  if (dladdr((void *)&once, &image) != 0 && image.dli_fname != NULL && try_folder_of(image.dli_fname)) return;
  // The image of a program found through PATH has no folder in its name.
  if (try_folder_of("/proc/self/exe")) return;
  try_folder("", 0);
}

const struct MillraceArrow *millrace_arrow(char *error, size_t error_size) {
  pthread_once(&once, open_library);
  if (table == NULL && error_size > 0) snprintf(error, error_size, "%s", failure);
  return table;
}
