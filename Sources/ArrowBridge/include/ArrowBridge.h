/// The one symbol of libArrowBridge. Callers use millrace_arrow() of CArrowBridge, which opens the library and asks for it.
#ifndef MILLRACE_ARROWBRIDGE_H
#define MILLRACE_ARROWBRIDGE_H

struct MillraceArrow;  // in MillraceArrow.h

#ifdef __cplusplus
extern "C" {
#endif

const struct MillraceArrow *_Nonnull millrace_arrow_table(void);

#ifdef __cplusplus
}
#endif

#endif
