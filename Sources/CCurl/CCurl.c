// CCurl.c: nothing to compile; SwiftPM wants one source file in a C target.
#include "CCurl.h"
