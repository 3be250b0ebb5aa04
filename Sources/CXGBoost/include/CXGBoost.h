/// What of XGBoost's C library is used here. The library is opened at first use: a document without trees never loads it, and
/// nothing of it is needed to build.
///
/// Signatures as in https://xgboost.readthedocs.io/en/stable/c.html; XGBoost 2.1 or newer. All functions but the first return 0, or
/// nonzero with a sentence in `millrace_xgb_words`.
#ifndef MILLRACE_XGBOOST_H
#define MILLRACE_XGBOOST_H

#include <stddef.h>
#include <stdint.h>

/// 0, or nonzero with a sentence in `error`. May be called from several threads; the first answer is kept.
int millrace_xgb_load(char *_Nonnull error, size_t size);

// The functions below may be called once loading has succeeded.

/// Of the library: "3.2.0".
void millrace_xgb_version(char *_Nonnull words, size_t size);
/// Why the last call of this thread failed.
const char *_Nonnull millrace_xgb_words(void);

/// Rows one after the other; NaN is a missing cell. The cells are copied.
int millrace_xgb_matrix(const float *_Nonnull cells, uint64_t rows, uint64_t columns, void *_Nullable *_Nonnull matrix);
int millrace_xgb_set_label(void *_Nonnull matrix, const float *_Nonnull values, uint64_t count);
void millrace_xgb_free_matrix(void *_Nullable matrix);

int millrace_xgb_booster(void *_Nullable training, void *_Nullable *_Nonnull booster);
int millrace_xgb_set(void *_Nonnull booster, const char *_Nonnull name, const char *_Nonnull value);
int millrace_xgb_update(void *_Nonnull booster, int round, void *_Nonnull matrix);
/// What the objective's own measure says of the trees so far on other rows: the smaller, the better.
int millrace_xgb_evaluate(void *_Nonnull booster, int round, void *_Nonnull matrix, double *_Nonnull error);
void millrace_xgb_free_booster(void *_Nullable booster);

/// `kind`: 1 the sum of the trees, 2 that sum's contributions, one a column and the base behind them. The result is the
/// library's, until the booster's next call.
int millrace_xgb_predict(
    void *_Nonnull booster, void *_Nonnull matrix, int kind, uint64_t *_Nonnull count, const float *_Nullable *_Nonnull result);

/// The model as UBJSON; the bytes are the library's, until the booster's next call.
int millrace_xgb_save(void *_Nonnull booster, uint64_t *_Nonnull count, const char *_Nullable *_Nonnull bytes);
int millrace_xgb_restore(void *_Nonnull booster, const void *_Nonnull bytes, uint64_t count);

#endif
