// CRegex.h: the little of PCRE2 that extractors need.

#ifndef HERSE_CREGEX_H
#define HERSE_CREGEX_H

#include <stddef.h>
#include <stdint.h>

enum herse_regex_verdict {
    HERSE_REGEX_NONE = 0,
    HERSE_REGEX_MATCH = 1,
    /// The text is not UTF-8.
    HERSE_REGEX_ENCODING = -1,
    /// More steps, depth, memory or time than a match may take.
    HERSE_REGEX_TOO_MUCH = -2,
};

struct herse_regex;

/// A compiled expression, in UTF mode; NULL when it is none, and then `place` is where, in bytes,
/// and `message` says why (at most `room` bytes with the zero that ends it).
struct herse_regex *_Nullable herse_regex_compile(const uint8_t *_Nullable pattern, size_t length,
                                                  size_t *_Nonnull place, char *_Nonnull message,
                                                  size_t room);
void herse_regex_free(struct herse_regex *_Nonnull regex);

/// Looks for a match from an offset on; `is_checked` once the text is known to be UTF-8.
///
/// `whole` and `group` receive start and end of the match and of its first group, or of the match
/// when there is no such group. Returns a herse_regex_verdict.
int herse_regex_find(struct herse_regex *_Nonnull regex, const uint8_t *_Nullable text,
                     size_t length, size_t from, int is_checked, size_t whole[_Nonnull 2],
                     size_t group[_Nonnull 2]);

/// Nanoseconds this thread has computed; bounds the sum of many matches.
uint64_t herse_regex_thread_time(void);

#endif
