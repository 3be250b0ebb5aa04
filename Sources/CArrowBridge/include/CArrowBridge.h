#include "MillraceArrow.h"
