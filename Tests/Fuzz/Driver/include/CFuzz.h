// CFuzz.h: the door to libFuzzer, or to its stand-in.

#ifndef HERSE_CFUZZ_H
#define HERSE_CFUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/// Runs `target` on inputs, as the arguments say; returns the exit status.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*target)(const uint8_t *bytes, size_t count));

#endif
