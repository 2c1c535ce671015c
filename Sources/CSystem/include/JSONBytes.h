// JSONBytes.h: which of 32 bytes mean something in JSON, as bit masks; byte 0 is the lowest bit.
//
// Swift has no operation that makes a mask of a comparison; nothing else is done here.

#ifndef HERSE_JSON_BYTES_H
#define HERSE_JSON_BYTES_H

#include <stdint.h>

/// What is called for every token is never called as a function.
#define HERSE_INLINE static inline __attribute__((always_inline))

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/// Bytes of a string in JSON.
struct herse_json_text {
    /// Quotes, backslashes and control characters: where reading on stops.
    uint32_t stops;
    /// From 0x80 up.
    uint32_t high;
};

/// Bytes of a string that is probably short and plain.
struct herse_json_plain {
    uint32_t quotes;
    /// Backslashes, control characters, and what is not ASCII.
    uint32_t oddities;
};

/// One byte at a time: for processors without a faster way, and to check the faster way by.
static inline struct herse_json_text herse_json_text_portable(const uint8_t *bytes) {
    struct herse_json_text text = {0, 0};
    for (int place = 0; place < 32; place++) {
        uint8_t byte = bytes[place];
        if (byte == '"' || byte == '\\' || byte < 0x20) text.stops |= 1u << place;
        if (byte >= 0x80) text.high |= 1u << place;
    }
    return text;
}

static inline struct herse_json_plain herse_json_plain_portable(const uint8_t *bytes, int count) {
    struct herse_json_plain plain = {0, 0};
    for (int place = 0; place < count; place++) {
        uint8_t byte = bytes[place];
        if (byte == '"') plain.quotes |= 1u << place;
        if (byte == '\\' || byte < 0x20 || byte >= 0x80) plain.oddities |= 1u << place;
    }
    return plain;
}

/// Which of 32 bytes are none of space, tab, line feed and carriage return.
static inline uint32_t herse_json_inked_portable(const uint8_t *bytes) {
    uint32_t inked = 0;
    for (int place = 0; place < 32; place++) {
        uint8_t byte = bytes[place];
        if (byte != ' ' && byte != '\t' && byte != '\n' && byte != '\r') inked |= 1u << place;
    }
    return inked;
}

#if defined(__SSE2__)

HERSE_INLINE __m128i herse_json_half(const uint8_t *bytes) {
    return _mm_loadu_si128((const __m128i *)(const void *)bytes);
}

HERSE_INLINE uint32_t herse_json_mask(__m128i low, __m128i high) {
    return (uint32_t)_mm_movemask_epi8(low) | (uint32_t)_mm_movemask_epi8(high) << 16;
}

HERSE_INLINE __m128i herse_json_stops(__m128i all) {
    __m128i quotes = _mm_cmpeq_epi8(all, _mm_set1_epi8('"'));
    __m128i backslashes = _mm_cmpeq_epi8(all, _mm_set1_epi8('\\'));
    __m128i controls = _mm_cmpeq_epi8(_mm_min_epu8(all, _mm_set1_epi8(0x1F)), all);
    return _mm_or_si128(_mm_or_si128(quotes, backslashes), controls);
}

HERSE_INLINE __m128i herse_json_blanks(__m128i all) {
    return _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(all, _mm_set1_epi8(' ')),
                                     _mm_cmpeq_epi8(all, _mm_set1_epi8('\t'))),
                        _mm_or_si128(_mm_cmpeq_epi8(all, _mm_set1_epi8('\n')),
                                     _mm_cmpeq_epi8(all, _mm_set1_epi8('\r'))));
}

HERSE_INLINE struct herse_json_text herse_json_text(const uint8_t *bytes) {
    __m128i low = herse_json_half(bytes);
    __m128i high = herse_json_half(bytes + 16);
    struct herse_json_text text;
    text.stops = herse_json_mask(herse_json_stops(low), herse_json_stops(high));
    text.high = herse_json_mask(low, high);
    return text;
}

HERSE_INLINE __m128i herse_json_oddities(__m128i all) {
    __m128i backslashes = _mm_cmpeq_epi8(all, _mm_set1_epi8('\\'));
    __m128i controls = _mm_cmpeq_epi8(_mm_min_epu8(all, _mm_set1_epi8(0x1F)), all);
    // The highest bit of a byte is what a mask is made of, and is what tells that it is no ASCII.
    return _mm_or_si128(_mm_or_si128(backslashes, controls), all);
}

HERSE_INLINE __m128i herse_json_quotes(__m128i all) {
    return _mm_cmpeq_epi8(all, _mm_set1_epi8('"'));
}

HERSE_INLINE struct herse_json_plain herse_json_plain(const uint8_t *bytes) {
    __m128i low = herse_json_half(bytes);
    __m128i high = herse_json_half(bytes + 16);
    struct herse_json_plain plain;
    plain.quotes = herse_json_mask(herse_json_quotes(low), herse_json_quotes(high));
    plain.oddities = herse_json_mask(herse_json_oddities(low), herse_json_oddities(high));
    return plain;
}

/// The same of 16 bytes.
HERSE_INLINE struct herse_json_plain herse_json_short_plain(const uint8_t *bytes) {
    __m128i all = herse_json_half(bytes);
    struct herse_json_plain plain;
    plain.quotes = (uint32_t)_mm_movemask_epi8(herse_json_quotes(all));
    plain.oddities = (uint32_t)_mm_movemask_epi8(herse_json_oddities(all));
    return plain;
}

HERSE_INLINE uint32_t herse_json_inked(const uint8_t *bytes) {
    return ~herse_json_mask(herse_json_blanks(herse_json_half(bytes)),
                            herse_json_blanks(herse_json_half(bytes + 16)));
}

#else

HERSE_INLINE struct herse_json_text herse_json_text(const uint8_t *bytes) {
    return herse_json_text_portable(bytes);
}

HERSE_INLINE struct herse_json_plain herse_json_plain(const uint8_t *bytes) {
    return herse_json_plain_portable(bytes, 32);
}

HERSE_INLINE struct herse_json_plain herse_json_short_plain(const uint8_t *bytes) {
    return herse_json_plain_portable(bytes, 16);
}

HERSE_INLINE uint32_t herse_json_inked(const uint8_t *bytes) {
    return herse_json_inked_portable(bytes);
}

#endif

#endif
