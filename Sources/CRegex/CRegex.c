// CRegex.c: PCRE2 with limits on every match.

#include "CRegex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <time.h>

/// Steps one match may take: some tens of milliseconds.
#define STEPS_MAX 1000000
/// Levels of backtracking one match may keep.
#define DEPTH_MAX 1000
/// KiB one match may take from the heap.
#define HEAP_MAX 16384

struct herse_regex {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *context;
};

struct herse_regex *herse_regex_compile(const uint8_t *pattern, size_t length, size_t *place,
                                        char *message, size_t room) {
    *place = 0;
    message[0] = 0;
    int error = 0;
    // \C would take a character apart, and a callout would call what is not there.
    pcre2_code *code = pcre2_compile(pattern, length, PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &error,
                                     place, NULL);
    if (code == NULL) {
        pcre2_get_error_message(error, (PCRE2_UCHAR *)message, room);
        return NULL;
    }
    struct herse_regex *regex = calloc(1, sizeof *regex);
    if (regex == NULL) {
        pcre2_code_free(code);
        return NULL;
    }
    regex->code = code;
    regex->data = pcre2_match_data_create(2, NULL);
    regex->context = pcre2_match_context_create(NULL);
    if (regex->data == NULL || regex->context == NULL) {
        herse_regex_free(regex);
        return NULL;
    }
    pcre2_set_match_limit(regex->context, STEPS_MAX);
    pcre2_set_depth_limit(regex->context, DEPTH_MAX);
    pcre2_set_heap_limit(regex->context, HEAP_MAX);
    return regex;
}

void herse_regex_free(struct herse_regex *regex) {
    pcre2_match_context_free(regex->context);
    pcre2_match_data_free(regex->data);
    pcre2_code_free(regex->code);
    free(regex);
}

int herse_regex_find(struct herse_regex *regex, const uint8_t *text, size_t length, size_t from,
                     int is_checked, size_t whole[2], size_t group[2]) {
    static const uint8_t nothing[1];
    uint32_t options = is_checked ? PCRE2_NO_UTF_CHECK : 0;
    int count = pcre2_match(regex->code, text != NULL ? text : nothing, length, from, options,
                            regex->data, regex->context);
    if (count == PCRE2_ERROR_NOMATCH) return HERSE_REGEX_NONE;
    if (count <= PCRE2_ERROR_UTF8_ERR1 && count >= PCRE2_ERROR_UTF8_ERR21)
        return HERSE_REGEX_ENCODING;
    if (count < 0) return HERSE_REGEX_TOO_MUCH;
    const PCRE2_SIZE *places = pcre2_get_ovector_pointer(regex->data);
    whole[0] = places[0];
    whole[1] = places[1];
    // 0: more groups than places, so the first is there.
    int has_group = count != 1 && places[2] != PCRE2_UNSET;
    group[0] = has_group ? places[2] : places[0];
    group[1] = has_group ? places[3] : places[1];
    // \K in a lookaround can put the start behind the end.
    if (whole[0] > whole[1] || whole[1] > length || group[0] > group[1] || group[1] > length)
        return HERSE_REGEX_TOO_MUCH;
    return HERSE_REGEX_MATCH;
}

uint64_t herse_regex_thread_time(void) {
    struct timespec now;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0) return 0;
    return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}
