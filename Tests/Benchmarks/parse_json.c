// parse_json.c: how fast jansson parses a file, for the inspection row.
//
//   parse_json FILE SECONDS     bytes a second, the best of many runs, as one line of JSON

#define _GNU_SOURCE
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int count, char **arguments) {
    if (count != 3) return 64;
    FILE *file = fopen(arguments[1], "r");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) return 66;
    size_t size = (size_t)ftell(file);
    rewind(file);
    char *text = malloc(size);
    if (text == NULL || fread(text, 1, size, file) != size) return 74;
    fclose(file);

    size_t batch = 1000000 / size + 1;
    double best = 1e9, end = now() + atof(arguments[2]);
    while (now() < end) {
        double start = now();
        for (size_t time = 0; time < batch; time++) {
            json_error_t error;
            json_t *document = json_loadb(text, size, 0, &error);
            if (document == NULL) return 65;
            json_decref(document);
        }
        double took = (now() - start) / (double)batch;
        if (took < best) best = took;
    }
    printf("{\"bytes\": %zu, \"bytes_per_second\": %.0f}\n", size, (double)size / best);
    return 0;
}
