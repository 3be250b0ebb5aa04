/// What of libcurl is used here. The library is opened at first use: it brings TLS and a dozen others along, for which a command that
/// sends nothing should not pay.
///
/// Signatures as in https://curl.se/libcurl/c/; libcurl 7.19.4 or newer.
#ifndef MILLRACE_CURL_H
#define MILLRACE_CURL_H

#include <stddef.h>

/// Sends a body by POST, to http and https only; redirections are not followed and the answer's body is not kept. May be called from several threads.
/// - Returns: the status of the answer, or -1 with a sentence in `error`.
long millrace_http_post(
    const char *_Nonnull url, const char *_Nonnull const *_Nonnull headers, size_t header_count, const void *_Nonnull body, size_t length, long seconds,
    char *_Nonnull error, size_t size);

#endif
