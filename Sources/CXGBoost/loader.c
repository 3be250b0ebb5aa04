// Finds and opens libxgboost, once per process, and calls it.
#define _GNU_SOURCE  // dladdr
#include "CXGBoost.h"

#include <dlfcn.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __APPLE__
#define LIBRARY "libxgboost.dylib"
#else
#define LIBRARY "libxgboost.so"
#endif

static struct {
  const char *(*words)(void);
  void (*version)(int *, int *, int *);
  int (*configure)(const char *);
  int (*matrix)(const float *, uint64_t, uint64_t, float, void **, int);
  int (*set_label)(void *, const char *, const float *, uint64_t);
  int (*free_matrix)(void *);
  int (*create)(void *const *, uint64_t, void **);
  int (*set)(void *, const char *, const char *);
  int (*update)(void *, int, void *);
  int (*evaluate)(void *, int, void **, const char **, uint64_t, const char **);
  int (*free_booster)(void *);
  int (*predict)(void *, void *, const char *, uint64_t const **, uint64_t *, float const **);
  int (*save)(void *, const char *, uint64_t *, char const **);
  int (*restore)(void *, const void *, uint64_t);
} xgb;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int failed = 1;
static char failure[1024] = "";

// Takes the library's functions; 1 ends the search: a library that is there but does not load is the answer.
static int try_file(const char *path, int must_be_there) {
  if (must_be_there && access(path, R_OK) != 0) return 0;
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    const char *reason = dlerror();
    if (must_be_there) snprintf(failure, sizeof failure, "XGBoost could not be loaded: %s", reason ? reason : path);
    return must_be_there;
  }
  const struct {
    void *to;
    const char *name;
  } wanted[] = {
      {&xgb.words, "XGBGetLastError"}, {&xgb.version, "XGBoostVersion"}, {&xgb.configure, "XGBSetGlobalConfig"},
      {&xgb.matrix, "XGDMatrixCreateFromMat_omp"}, {&xgb.set_label, "XGDMatrixSetFloatInfo"}, {&xgb.free_matrix, "XGDMatrixFree"},
      {&xgb.create, "XGBoosterCreate"}, {&xgb.set, "XGBoosterSetParam"}, {&xgb.update, "XGBoosterUpdateOneIter"},
      {&xgb.evaluate, "XGBoosterEvalOneIter"},
      {&xgb.free_booster, "XGBoosterFree"}, {&xgb.predict, "XGBoosterPredictFromDMatrix"}, {&xgb.save, "XGBoosterSaveModelToBuffer"},
      {&xgb.restore, "XGBoosterLoadModelFromBuffer"},
  };
  for (size_t at = 0; at < sizeof wanted / sizeof *wanted; at++) {
    void *found = dlsym(library, wanted[at].name);
    if (found == NULL) {
      snprintf(failure, sizeof failure, "the XGBoost that is here has no %s", wanted[at].name);
      return 1;
    }
    *(void **)wanted[at].to = found;  // POSIX: a function's address fits a pointer to data
  }
  failed = 0;
  return 1;
}

// The wheel that the set-up step brings: in .deps of a folder at or above this one. Its symbolic links are resolved, because the
// library finds its own libraries relative to where it really lies.
static int try_above(char *folder) {
  while (*folder != 0) {
    char path[PATH_MAX], resolved[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/.deps/xgboost/xgboost/lib/" LIBRARY, folder) < (int)sizeof path && realpath(path, resolved) != NULL &&
        try_file(resolved, 1))
      return 1;
    *strrchr(folder, '/') = 0;
  }
  return 0;
}

static int try_above_file(const char *file) {
  char resolved[PATH_MAX];
  if (strchr(file, '/') == NULL || realpath(file, resolved) == NULL) return 0;
  *strrchr(resolved, '/') = 0;
  return try_above(resolved);
}

static void open_library(void) {
  for (const char *rest = getenv("MILLRACE_LIBRARIES"); rest != NULL && *rest != 0;) {
    const size_t length = strcspn(rest, ":");
    char path[PATH_MAX], resolved[PATH_MAX];
    if (length > 0 && snprintf(path, sizeof path, "%.*s/" LIBRARY, (int)length, rest) < (int)sizeof path && realpath(path, resolved) != NULL &&
        try_file(resolved, 1))
      return;
    rest += length + (rest[length] == ':');
  }
  Dl_info image;
  if (dladdr((void *)&once, &image) != 0 && image.dli_fname != NULL && try_above_file(image.dli_fname)) return;
  if (try_above_file("/proc/self/exe")) return;
  char current[PATH_MAX];
  if (getcwd(current, sizeof current) != NULL && current[0] == '/' && try_above(current)) return;
#ifdef __APPLE__
  if (try_file("/opt/homebrew/opt/xgboost/lib/" LIBRARY, 1)) return;
#endif
  if (try_file(LIBRARY, 0)) return;
  snprintf(failure, sizeof failure, "XGBoost, the library of boosted trees, is not here");
}

int millrace_xgb_load(char *error, size_t size) {
  pthread_once(&once, open_library);
  if (failed && size > 0) snprintf(error, size, "%s", failure);
  return failed;
}

void millrace_xgb_version(char *words, size_t size) {
  int major = 0, minor = 0, patch = 0;
  xgb.version(&major, &minor, &patch);
  snprintf(words, size, "%d.%d.%d", major, minor, patch);
}

const char *millrace_xgb_words(void) { return xgb.words(); }

// One thread: sums of floating-point numbers must not depend on how many there are.
int millrace_xgb_matrix(const float *cells, uint64_t rows, uint64_t columns, void **matrix) {
  xgb.configure("{\"verbosity\": 0}");  // of this thread; it writes nothing to standard error then
  return xgb.matrix(cells, rows, columns, NAN, matrix, 1);
}

int millrace_xgb_set_label(void *matrix, const float *values, uint64_t count) { return xgb.set_label(matrix, "label", values, count); }
void millrace_xgb_free_matrix(void *matrix) {
  if (matrix != NULL) xgb.free_matrix(matrix);
}

int millrace_xgb_booster(void *training, void **booster) {
  xgb.configure("{\"verbosity\": 0}");
  return xgb.create(&training, training == NULL ? 0 : 1, booster);
}

int millrace_xgb_set(void *booster, const char *name, const char *value) { return xgb.set(booster, name, value); }
int millrace_xgb_update(void *booster, int round, void *matrix) { return xgb.update(booster, round, matrix); }

// The library tells it in words: "[7]\tother-rmse:12.5", the measure's name as it likes, the number behind the last colon.
int millrace_xgb_evaluate(void *booster, int round, void *matrix, double *error) {
  const char *name = "other", *told = NULL;
  const int code = xgb.evaluate(booster, round, &matrix, &name, 1, &told);
  const char *colon = code == 0 && told != NULL ? strrchr(told, ':') : NULL;
  *error = colon == NULL ? NAN : strtod(colon + 1, NULL);
  return code;
}

void millrace_xgb_free_booster(void *booster) {
  if (booster != NULL) xgb.free_booster(booster);
}

int millrace_xgb_predict(void *booster, void *matrix, int kind, uint64_t *count, const float **result) {
  char told[160];
  snprintf(
      told, sizeof told, "{\"type\": %d, \"training\": false, \"iteration_begin\": 0, \"iteration_end\": 0, \"strict_shape\": false}", kind);
  const uint64_t *shape = NULL;
  uint64_t dimensions = 0;
  const int code = xgb.predict(booster, matrix, told, &shape, &dimensions, result);
  *count = 0;
  if (code == 0) {
    *count = 1;
    for (uint64_t at = 0; at < dimensions; at++) *count *= shape[at];
  }
  return code;
}

int millrace_xgb_save(void *booster, uint64_t *count, const char **bytes) { return xgb.save(booster, "{\"format\": \"ubj\"}", count, bytes); }
int millrace_xgb_restore(void *booster, const void *bytes, uint64_t count) { return xgb.restore(booster, bytes, count); }
