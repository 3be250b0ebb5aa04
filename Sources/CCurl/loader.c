// Finds and opens libcurl, once per process, and calls it.
#include "CCurl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#ifdef __APPLE__
static const char *const names[] = {"libcurl.4.dylib", "/usr/lib/libcurl.4.dylib"};
#else
static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
#endif

typedef void Handle;
typedef void List;

// Numbers of curl/curl.h, which never change.
enum {
  URL = 10002,
  ERROR_BUFFER = 10010,
  POST_FIELDS = 10015,
  HTTP_HEADER = 10023,
  WRITE_FUNCTION = 20011,
  POST_FIELD_SIZE = 30120,  // curl_off_t
  TIMEOUT = 13,
  CONNECT_TIMEOUT = 78,
  NO_SIGNAL = 99,
  PROTOCOLS = 181,
  HTTP_AND_HTTPS = 3,
  RESPONSE_CODE = 0x200002,
  GLOBAL_ALL = 3,
  ERROR_SIZE = 256,
};

static struct {
  int (*begin)(long);
  Handle *(*open)(void);
  int (*set)(Handle *, int, ...);
  int (*perform)(Handle *);
  int (*info)(Handle *, int, ...);
  void (*close)(Handle *);
  List *(*append)(List *, const char *);
  void (*free)(List *);
  const char *(*words)(int);
} curl;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char failure[256] = "libcurl, which speaks HTTP, is not here";

static void open_library(void) {
  void *library = NULL;
  for (size_t at = 0; library == NULL && at < sizeof names / sizeof *names; at++) library = dlopen(names[at], RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return;
  const struct {
    void *to;
    const char *name;
  } wanted[] = {
      {&curl.begin, "curl_global_init"}, {&curl.open, "curl_easy_init"}, {&curl.set, "curl_easy_setopt"}, {&curl.perform, "curl_easy_perform"},
      {&curl.info, "curl_easy_getinfo"}, {&curl.close, "curl_easy_cleanup"}, {&curl.append, "curl_slist_append"},
      {&curl.free, "curl_slist_free_all"}, {&curl.words, "curl_easy_strerror"},
  };
  for (size_t at = 0; at < sizeof wanted / sizeof *wanted; at++) {
    void *found = dlsym(library, wanted[at].name);
    if (found == NULL) {
      snprintf(failure, sizeof failure, "the libcurl that is here has no %s", wanted[at].name);
      return;
    }
    *(void **)wanted[at].to = found;  // POSIX: a function's address fits a pointer to data
  }
  if (curl.begin(GLOBAL_ALL) != 0) {
    snprintf(failure, sizeof failure, "libcurl does not begin");
    return;
  }
  failure[0] = 0;
}

static size_t swallow(char *bytes, size_t size, size_t count, void *nothing) {
  (void)bytes, (void)nothing;
  return size * count;
}

long millrace_http_post(
    const char *url, const char *const *headers, size_t header_count, const void *body, size_t length, long seconds, char *error, size_t size) {
  pthread_once(&once, open_library);
  if (failure[0] != 0) {
    snprintf(error, size, "%s", failure);
    return -1;
  }
  Handle *handle = curl.open();
  if (handle == NULL) {
    snprintf(error, size, "libcurl gives no handle");
    return -1;
  }
  List *list = NULL;
  for (size_t at = 0; at < header_count; at++) {
    List *longer = curl.append(list, headers[at]);
    if (longer != NULL) list = longer;
  }
  char words[ERROR_SIZE] = "";
  curl.set(handle, URL, url);
  curl.set(handle, PROTOCOLS, (long)HTTP_AND_HTTPS);
  curl.set(handle, POST_FIELD_SIZE, (long long)length);
  curl.set(handle, POST_FIELDS, body);
  curl.set(handle, HTTP_HEADER, list);
  curl.set(handle, WRITE_FUNCTION, swallow);
  curl.set(handle, ERROR_BUFFER, words);
  curl.set(handle, TIMEOUT, seconds);
  curl.set(handle, CONNECT_TIMEOUT, seconds);
  curl.set(handle, NO_SIGNAL, 1L);
  long status = -1;
  const int result = curl.perform(handle);
  if (result == 0) {
    curl.info(handle, RESPONSE_CODE, &status);
  } else {
    snprintf(error, size, "%s", words[0] != 0 ? words : curl.words(result));
  }
  curl.free(list);
  curl.close(handle);
  return status;
}
