// All of CScan is inline in its header; a target needs one source file.
#include "CScan.h"
