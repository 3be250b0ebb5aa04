/// What of libpq, the C library of PostgreSQL, is used here. The library is opened at first use: it brings a dozen others along
/// (TLS, Kerberos, LDAP), for which a command that asks no database should not pay.
///
/// Signatures as in https://www.postgresql.org/docs/current/libpq.html; libpq 9.2 or newer.
#ifndef MILLRACE_POSTGRES_H
#define MILLRACE_POSTGRES_H

#include <stddef.h>

typedef struct MillracePGConnection MillracePGConnection;
typedef struct MillracePGResult MillracePGResult;

/// 0, or nonzero with a sentence in `error`. May be called from several threads; the first answer is kept.
int millrace_pg_load(char *_Nonnull error, size_t size);

// The functions below may be called once loading has succeeded.

/// Whether libpq understands an address; the text of its refusal might repeat a password, so it is not given.
int millrace_pg_understands(const char *_Nonnull url);
/// Never NULL; closed with millrace_pg_close, also when it failed. `seconds`: how long to wait where the address does not say.
MillracePGConnection *_Nonnull millrace_pg_connect(const char *_Nonnull url, const char *_Nonnull seconds);
int millrace_pg_is_open(MillracePGConnection *_Nonnull connection);
const char *_Nonnull millrace_pg_words(MillracePGConnection *_Nonnull connection);
void millrace_pg_close(MillracePGConnection *_Nonnull connection);

/// One statement, by the protocol that takes no more than one; NULL when memory or the connection went.
MillracePGResult *_Nullable millrace_pg_run(MillracePGConnection *_Nonnull connection, const char *_Nonnull statement);
/// 1: done or rows; 0: refused, and why is in the fields.
int millrace_pg_succeeded(MillracePGResult *_Nonnull result);
/// A field of a refusal: 'C' the SQLSTATE, 'M' the message, 'H' a hint.
const char *_Nullable millrace_pg_field(MillracePGResult *_Nonnull result, int field);
int millrace_pg_rows(MillracePGResult *_Nonnull result);
int millrace_pg_columns(MillracePGResult *_Nonnull result);
const char *_Nullable millrace_pg_name(MillracePGResult *_Nonnull result, int column);
unsigned int millrace_pg_type(MillracePGResult *_Nonnull result, int column);
int millrace_pg_is_null(MillracePGResult *_Nonnull result, int row, int column);
const char *_Nonnull millrace_pg_value(MillracePGResult *_Nonnull result, int row, int column);
int millrace_pg_length(MillracePGResult *_Nonnull result, int row, int column);
void millrace_pg_clear(MillracePGResult *_Nullable result);

#endif
