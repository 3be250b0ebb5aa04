// Finds and opens libpq, once per process, and calls it.
#include "CPostgres.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#ifdef __APPLE__
static const char *const names[] = {"libpq.5.dylib", "/opt/homebrew/opt/libpq/lib/libpq.5.dylib", "/usr/local/opt/libpq/lib/libpq.5.dylib"};
#else
static const char *const names[] = {"libpq.so.5", "libpq.so"};
#endif

typedef MillracePGConnection C;
typedef MillracePGResult R;

static struct {
  void *(*parse)(const char *, char **);
  void (*free_options)(void *);
  void (*free_memory)(void *);
  C *(*connect)(const char *const *, const char *const *, int);
  int (*status)(const C *);
  char *(*words)(const C *);
  void (*finish)(C *);
  R *(*run)(C *, const char *, int, const unsigned int *, const char *const *, const int *, const int *, int);
  int (*result_status)(const R *);
  char *(*field)(const R *, int);
  int (*rows)(const R *);
  int (*columns)(const R *);
  char *(*name)(const R *, int);
  unsigned int (*type)(const R *, int);
  int (*is_null)(const R *, int, int);
  char *(*value)(const R *, int, int);
  int (*length)(const R *, int, int);
  void (*clear)(R *);
} pq;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int failed = 1;
static char failure[512] = "";

static void open_library(void) {
  void *library = NULL;
  for (size_t at = 0; library == NULL && at < sizeof names / sizeof *names; at++) library = dlopen(names[at], RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    snprintf(failure, sizeof failure, "libpq, the client library of PostgreSQL, is not here");
    return;
  }
  const struct {
    void *to;
    const char *name;
  } wanted[] = {
      {&pq.parse, "PQconninfoParse"}, {&pq.free_options, "PQconninfoFree"}, {&pq.free_memory, "PQfreemem"},
      {&pq.connect, "PQconnectdbParams"}, {&pq.status, "PQstatus"}, {&pq.words, "PQerrorMessage"}, {&pq.finish, "PQfinish"},
      {&pq.run, "PQexecParams"}, {&pq.result_status, "PQresultStatus"}, {&pq.field, "PQresultErrorField"}, {&pq.rows, "PQntuples"},
      {&pq.columns, "PQnfields"}, {&pq.name, "PQfname"}, {&pq.type, "PQftype"}, {&pq.is_null, "PQgetisnull"}, {&pq.value, "PQgetvalue"},
      {&pq.length, "PQgetlength"}, {&pq.clear, "PQclear"},
  };
  for (size_t at = 0; at < sizeof wanted / sizeof *wanted; at++) {
    void *found = dlsym(library, wanted[at].name);
    if (found == NULL) {
      snprintf(failure, sizeof failure, "the libpq that is here has no %s", wanted[at].name);
      return;
    }
    *(void **)wanted[at].to = found;  // POSIX: a function's address fits a pointer to data
  }
  failed = 0;
}

int millrace_pg_load(char *error, size_t size) {
  pthread_once(&once, open_library);
  if (failed && size > 0) snprintf(error, size, "%s", failure);
  return failed;
}

int millrace_pg_understands(const char *url) {
  char *words = NULL;
  void *options = pq.parse(url, &words);
  if (words != NULL) pq.free_memory(words);
  if (options == NULL) return 0;
  pq.free_options(options);
  return 1;
}

C *millrace_pg_connect(const char *url, const char *seconds) {
  // What comes later counts; "dbname" may be a whole address.
  const char *const keys[] = {"connect_timeout", "fallback_application_name", "dbname", "client_encoding", NULL};
  const char *const values[] = {seconds, "millrace", url, "UTF8", NULL};
  return pq.connect(keys, values, 1);
}

int millrace_pg_is_open(C *connection) { return pq.status(connection) == 0; }
const char *millrace_pg_words(C *connection) { return pq.words(connection); }
void millrace_pg_close(C *connection) { pq.finish(connection); }
R *millrace_pg_run(C *connection, const char *statement) { return pq.run(connection, statement, 0, NULL, NULL, NULL, NULL, 0); }
int millrace_pg_succeeded(R *result) {
  const int status = pq.result_status(result);
  return status == 1 || status == 2;  // PGRES_COMMAND_OK, PGRES_TUPLES_OK
}
const char *millrace_pg_field(R *result, int field) { return pq.field(result, field); }
int millrace_pg_rows(R *result) { return pq.rows(result); }
int millrace_pg_columns(R *result) { return pq.columns(result); }
const char *millrace_pg_name(R *result, int column) { return pq.name(result, column); }
unsigned int millrace_pg_type(R *result, int column) { return pq.type(result, column); }
int millrace_pg_is_null(R *result, int row, int column) { return pq.is_null(result, row, column); }
const char *millrace_pg_value(R *result, int row, int column) { return pq.value(result, row, column); }
int millrace_pg_length(R *result, int row, int column) { return pq.length(result, row, column); }
void millrace_pg_clear(R *result) { pq.clear(result); }
