// mallopt and its names, which Swift's module of the C library leaves out.
#ifdef __linux__
#include <malloc.h>
#endif
