// Finds and opens libarchive, once per process, and calls it.
#include "CArchive.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#ifdef __APPLE__
static const char *const names[] = {"/opt/homebrew/opt/libarchive/lib/libarchive.13.dylib", "/usr/local/opt/libarchive/lib/libarchive.13.dylib", "/usr/lib/libarchive.2.dylib"};
#else
static const char *const names[] = {"libarchive.so.13", "libarchive.so"};
#endif

// What it gives, its name, what it takes, and the same as it is handed on.
#define FUNCTIONS(X) \
  X(const char *, archive_error_string, (struct archive *a), (a)) \
  X(int64_t, archive_filter_bytes, (struct archive *a, int b), (a, b)) \
  X(int, archive_format, (struct archive *a), (a)) \
  X(struct archive *, archive_read_new, (void), ()) \
  X(int, archive_read_support_filter_bzip2, (struct archive *a), (a)) \
  X(int, archive_read_support_filter_compress, (struct archive *a), (a)) \
  X(int, archive_read_support_filter_gzip, (struct archive *a), (a)) \
  X(int, archive_read_support_filter_lz4, (struct archive *a), (a)) \
  X(int, archive_read_support_filter_lzip, (struct archive *a), (a)) \
  X(int, archive_read_support_filter_lzma, (struct archive *a), (a)) \
  X(int, archive_read_support_filter_xz, (struct archive *a), (a)) \
  X(int, archive_read_support_filter_zstd, (struct archive *a), (a)) \
  X(int, archive_read_support_format_7zip, (struct archive *a), (a)) \
  X(int, archive_read_support_format_raw, (struct archive *a), (a)) \
  X(int, archive_read_support_format_tar, (struct archive *a), (a)) \
  X(int, archive_read_support_format_zip, (struct archive *a), (a)) \
  X(int, archive_read_set_options, (struct archive *a, const char *b), (a, b)) \
  X(int, archive_read_open_filename, (struct archive *a, const char *b, size_t c), (a, b, c)) \
  X(int, archive_read_next_header, (struct archive *a, struct archive_entry **b), (a, b)) \
  X(ssize_t, archive_read_data, (struct archive *a, void *b, size_t c), (a, b, c)) \
  X(int, archive_read_free, (struct archive *a), (a)) \
  X(struct archive *, archive_write_new, (void), ()) \
  X(int, archive_write_set_format_pax_restricted, (struct archive *a), (a)) \
  X(int, archive_write_add_filter_gzip, (struct archive *a), (a)) \
  X(int, archive_write_set_options, (struct archive *a, const char *b), (a, b)) \
  X(int, archive_write_open_filename, (struct archive *a, const char *b), (a, b)) \
  X(int, archive_write_header, (struct archive *a, struct archive_entry *b), (a, b)) \
  X(ssize_t, archive_write_data, (struct archive *a, const void *b, size_t c), (a, b, c)) \
  X(int, archive_write_close, (struct archive *a), (a)) \
  X(int, archive_write_free, (struct archive *a), (a)) \
  X(struct archive_entry *, archive_entry_new, (void), ()) \
  X(void, archive_entry_free, (struct archive_entry *a), (a)) \
  X(mode_t, archive_entry_filetype, (struct archive_entry *a), (a)) \
  X(const char *, archive_entry_hardlink, (struct archive_entry *a), (a)) \
  X(int, archive_entry_is_encrypted, (struct archive_entry *a), (a)) \
  X(const char *, archive_entry_pathname, (struct archive_entry *a), (a)) \
  X(const char *, archive_entry_pathname_utf8, (struct archive_entry *a), (a)) \
  X(int64_t, archive_entry_size, (struct archive_entry *a), (a)) \
  X(int, archive_entry_size_is_set, (struct archive_entry *a), (a)) \
  X(void, archive_entry_set_filetype, (struct archive_entry *a, unsigned int b), (a, b)) \
  X(void, archive_entry_set_mtime, (struct archive_entry *a, time_t b, long c), (a, b, c)) \
  X(void, archive_entry_set_pathname_utf8, (struct archive_entry *a, const char *b), (a, b)) \
  X(void, archive_entry_set_perm, (struct archive_entry *a, mode_t b), (a, b)) \
  X(void, archive_entry_set_size, (struct archive_entry *a, int64_t b), (a, b))

#define POINTER(R, name, takes, given) R(*name) takes;
static struct {
  FUNCTIONS(POINTER)
} library;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int failed = 1;
static char failure[512] = "";

static void open_library(void) {
  void *found = NULL;
  for (size_t at = 0; found == NULL && at < sizeof names / sizeof *names; at++) found = dlopen(names[at], RTLD_NOW | RTLD_LOCAL);
  if (found == NULL) {
    snprintf(failure, sizeof failure, "libarchive, which opens archives, is not here");
    return;
  }
  const struct {
    void *to;
    const char *name;
  } wanted[] = {
#define WANTED(R, name, takes, given) {&library.name, #name},
      FUNCTIONS(WANTED)};
  for (size_t at = 0; at < sizeof wanted / sizeof *wanted; at++) {
    void *symbol = dlsym(found, wanted[at].name);
    if (symbol == NULL) {
      snprintf(failure, sizeof failure, "the libarchive that is here has no %s", wanted[at].name);
      return;
    }
    *(void **)wanted[at].to = symbol;  // POSIX: a function's address fits a pointer to data
  }
  failed = 0;
}

int millrace_archive_load(char *error, size_t size) {
  pthread_once(&once, open_library);
  if (failed && size > 0) snprintf(error, size, "%s", failure);
  return failed;
}

#define FORWARD(R, name, takes, given) \
  R name takes { return library.name given; }
FUNCTIONS(FORWARD)
