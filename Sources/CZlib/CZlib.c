// CZlib.c: makes the header a module; every function is inline.
#include "CZlib.h"
