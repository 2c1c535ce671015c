// CCurl.c: makes the header a module; every function is inline.
#include "CCurl.h"
