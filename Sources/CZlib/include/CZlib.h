// CZlib.h: zlib, and an inline stand-in for the macro Swift cannot import.
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

#endif
