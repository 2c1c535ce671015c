// CFuzz.c: replays files. Weak, so that libFuzzer's own driver takes over where it is linked in.

#include "CFuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

typedef int (*fuzz_target)(const uint8_t *, size_t);

/// Returns how many files were replayed, or -1 when one could not be read.
static int replay(const char *path, fuzz_target target) {
    struct stat status;
    if (stat(path, &status) != 0) {
        perror(path);
        return -1;
    }
    if (S_ISDIR(status.st_mode)) {
        DIR *directory = opendir(path);
        if (directory == NULL) {
            perror(path);
            return -1;
        }
        int total = 0;
        for (struct dirent *entry; total >= 0 && (entry = readdir(directory)) != NULL;) {
            if (entry->d_name[0] == '.') continue;
            char inner[4096];
            snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
            int count = replay(inner, target);
            total = count < 0 ? -1 : total + count;
        }
        closedir(directory);
        return total;
    }
    FILE *file = fopen(path, "rb");
    size_t count = (size_t)status.st_size;
    // Exactly as long as the input, so that AddressSanitizer sees a step past its end.
    uint8_t *bytes = malloc(count > 0 ? count : 1);
    if (file == NULL || bytes == NULL || fread(bytes, 1, count, file) != count) {
        perror(path);
        exit(1);
    }
    fclose(file);
    target(bytes, count);
    free(bytes);
    return 1;
}

__attribute__((weak)) int LLVMFuzzerRunDriver(int *argc, char ***argv, fuzz_target target) {
    int total = 0;
    for (int index = 1; index < *argc; index++) {
        const char *path = (*argv)[index];
        if (path[0] == '-') continue;
        int count = replay(path, target);
        if (count < 0) return 1;
        total += count;
    }
    printf("replayed %d inputs\n", total);
    return total > 0 ? 0 : 1;
}
