// CZlib.h: zlib, and inline stand-ins for the macros Swift cannot import.
//
// Inline only: no logic lives here, nothing is kept, nothing is decided.

#ifndef HERSE_CZLIB_H
#define HERSE_CZLIB_H

#include <string.h>
#include <zlib.h>

/// Begins to inflate; `window` as inflateInit2 has it.
static inline int herse_inflate_begin(z_stream *stream, int window) {
    memset(stream, 0, sizeof *stream);
    return inflateInit2(stream, window);
}

/// Begins to deflate; `level`, `window` and `memory` as deflateInit2 has them.
static inline int herse_deflate_begin(z_stream *stream, int level, int window, int memory) {
    memset(stream, 0, sizeof *stream);
    return deflateInit2(stream, level, Z_DEFLATED, window, memory, Z_DEFAULT_STRATEGY);
}

#endif
