// JSONBlock.h: which of 64 bytes mean something in JSON, as bit masks; byte 0 is the lowest bit.
//
// Swift has no operation that makes a mask of a comparison; nothing else is done here.

#ifndef HERSE_JSON_BLOCK_H
#define HERSE_JSON_BLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/// Kinds of bytes in a block of 64.
struct herse_json_block {
    uint64_t quotes;
    uint64_t backslashes;
    /// Braces, brackets, colons, commas.
    uint64_t marks;
    /// Space, tab, line feed, carriage return.
    uint64_t blanks;
    /// Below 0x20: forbidden in strings.
    uint64_t controls;
    /// From 0x80 up.
    uint64_t high;
};

/// One byte at a time: for processors without a faster way, and to check the faster way by.
static inline struct herse_json_block herse_json_block_portable(const uint8_t *bytes) {
    struct herse_json_block block = {0, 0, 0, 0, 0, 0};
    for (int place = 0; place < 64; place++) {
        uint8_t byte = bytes[place];
        uint64_t bit = 1ull << place;
        if (byte == '"') block.quotes |= bit;
        if (byte == '\\') block.backslashes |= bit;
        if ((byte | 0x20) == '{' || (byte | 0x20) == '}' || byte == ':' || byte == ',') {
            block.marks |= bit;
        }
        if (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r') block.blanks |= bit;
        if (byte < 0x20) block.controls |= bit;
        if (byte >= 0x80) block.high |= bit;
    }
    return block;
}

#if defined(__SSE2__)

static inline uint64_t herse_json_mask(__m128i a, __m128i b, __m128i c, __m128i d) {
    return (uint64_t)(uint32_t)_mm_movemask_epi8(a) |
           (uint64_t)(uint32_t)_mm_movemask_epi8(b) << 16 |
           (uint64_t)(uint32_t)_mm_movemask_epi8(c) << 32 |
           (uint64_t)(uint32_t)_mm_movemask_epi8(d) << 48;
}

static inline __m128i herse_json_equal(__m128i bytes, char byte) {
    return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte));
}

static inline __m128i herse_json_marks(__m128i bytes) {
    // Bit 0x20 is all that tells `[` from `{` and `]` from `}`.
    __m128i folded = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
    return _mm_or_si128(
        _mm_or_si128(herse_json_equal(folded, '{'), herse_json_equal(folded, '}')),
        _mm_or_si128(herse_json_equal(bytes, ':'), herse_json_equal(bytes, ',')));
}

static inline __m128i herse_json_blanks(__m128i bytes) {
    return _mm_or_si128(
        _mm_or_si128(herse_json_equal(bytes, ' '), herse_json_equal(bytes, '\t')),
        _mm_or_si128(herse_json_equal(bytes, '\n'), herse_json_equal(bytes, '\r')));
}

static inline __m128i herse_json_controls(__m128i bytes) {
    return _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
}

/// The kinds of the 64 bytes from `bytes` on.
static inline struct herse_json_block herse_json_block(const uint8_t *bytes) {
    __m128i a = _mm_loadu_si128((const __m128i *)(const void *)bytes);
    __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(bytes + 16));
    __m128i c = _mm_loadu_si128((const __m128i *)(const void *)(bytes + 32));
    __m128i d = _mm_loadu_si128((const __m128i *)(const void *)(bytes + 48));
    struct herse_json_block block;
    block.quotes = herse_json_mask(herse_json_equal(a, '"'), herse_json_equal(b, '"'),
                                   herse_json_equal(c, '"'), herse_json_equal(d, '"'));
    block.backslashes = herse_json_mask(herse_json_equal(a, '\\'), herse_json_equal(b, '\\'),
                                        herse_json_equal(c, '\\'), herse_json_equal(d, '\\'));
    block.marks = herse_json_mask(herse_json_marks(a), herse_json_marks(b), herse_json_marks(c),
                                  herse_json_marks(d));
    block.blanks = herse_json_mask(herse_json_blanks(a), herse_json_blanks(b),
                                   herse_json_blanks(c), herse_json_blanks(d));
    block.controls = herse_json_mask(herse_json_controls(a), herse_json_controls(b),
                                     herse_json_controls(c), herse_json_controls(d));
    block.high = herse_json_mask(a, b, c, d);
    return block;
}

#else

/// The kinds of the 64 bytes from `bytes` on.
static inline struct herse_json_block herse_json_block(const uint8_t *bytes) {
    return herse_json_block_portable(bytes);
}

#endif

/// The kinds of the last bytes of a text, fewer than 64: spaces stand for those that lack.
static inline struct herse_json_block herse_json_last_block(const uint8_t *bytes, size_t count) {
    uint8_t padded[64];
    memset(padded, ' ', sizeof padded);
    if (count > 0) memcpy(padded, bytes, count < sizeof padded ? count : sizeof padded);
    return herse_json_block(padded);
}

#endif
