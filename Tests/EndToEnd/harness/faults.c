/* faults.c: a disk that fails, for the files of one folder, under a process that knows nothing of it.
 *
 * Loaded before the C library. It follows what was written to the files right below $FAULTS_FOLDER
 * and what of it is durable: a file's bytes once fsync or fdatasync said so, names once the folder
 * was synced. Nothing else of the process is touched.
 *
 * $FAULTS_ORDER is a file of orders, a line each, read again at every call that could obey one; its
 * counters begin anew when it changes:
 *
 *     CALL FIRST COUNT WHAT
 *
 * CALL is write, sync (of a file), names (of the folder) or make (of a file); the FIRST-th such call
 * and those after it, COUNT in all, 0 for ever, do WHAT:
 *
 *     eio, enospc         fail with that error and do nothing. After a failed sync what was to become
 *                         durable never does, though readers still see it, as Linux has it
 *     lost                sync: the same, and readers do not see it any more
 *     short-eio,          write: half of it, and the call after that fails
 *     short-enospc
 *     dropped             a power cut, after the write or before the sync: nothing of what was not
 *                         durable is left, no name either
 *     half, zeros, late   the same, but names are left, and of every write the first half, zeros, or
 *                         what follows the first line that ends in its second half
 *
 * $FAULTS_KEPT is a folder on the same file system for files whose removal may have to be undone.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { DESCRIPTORS = 65536, FILES = 256, NAMES = 1024, ORDERS = 8, FOLDER = -1 };

struct range {
    off_t at;
    size_t count;
};

/* A write that is not durable yet. */
struct written {
    struct range range;
    unsigned char *bytes;
};

/* A file of the folder, from its opening until all of it is durable and it is closed. */
struct file {
    int descriptor; /* our own, for reading and writing; 0 marks a free place */
    int opened;
    int error_next; /* what the next write fails with */
    int differs;    /* something in it was lost by a sync that failed */
    unsigned char *durable;
    size_t durable_size;
    struct written *pending;
    size_t pending_count;
};

struct name_change {
    char made[PATH_MAX]; /* "" when nothing was made */
    char gone[PATH_MAX]; /* renamed from here */
    char kept[PATH_MAX]; /* where what was removed is kept; "" when nothing was */
    char was[PATH_MAX];  /* the name it had */
};

struct order {
    char call[16], what[16];
    unsigned first, count, seen;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* 0: not ours; FOLDER; or the place in `files`, plus 1. */
static _Atomic int kind[DESCRIPTORS];
static struct file files[FILES];
static struct name_change names[NAMES];
static size_t name_count, kept_count;
static struct order orders[ORDERS];
static size_t order_count;
static char order_text[512];

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void impossible(const char *what) {
    dprintf(2, "faults: %s: %s\n", what, strerror(errno));
    abort();
}

static struct file *file_of(int descriptor) {
    if (descriptor < 0 || descriptor >= DESCRIPTORS) return NULL;
    int found = atomic_load(&kind[descriptor]);
    return found > 0 ? &files[found - 1] : NULL;
}

/* Whether `path` lies right below the folder; if so, it is spelled out in `spelled`. */
static int is_below(int directory, const char *path, char *spelled) {
    const char *folder = getenv("FAULTS_FOLDER");
    char wanted[PATH_MAX], parent[PATH_MAX], real[PATH_MAX];
    if (!folder || directory != AT_FDCWD || strlen(path) >= PATH_MAX) return 0;
    strcpy(parent, path);
    char *slash = strrchr(parent, '/');
    if (!slash || !slash[1]) return 0;
    *slash = 0;
    if (!realpath(folder, wanted) || !realpath(*parent ? parent : "/", real)) return 0;
    if (strcmp(wanted, real) != 0) return 0;
    return snprintf(spelled, PATH_MAX, "%s/%s", real, slash + 1) < PATH_MAX;
}

static int is_folder(const char *path) {
    const char *folder = getenv("FAULTS_FOLDER");
    char wanted[PATH_MAX], real[PATH_MAX];
    return folder && realpath(folder, wanted) && realpath(path, real) && !strcmp(wanted, real);
}

/* What was ordered for this call; "" for nothing. */
static const char *ordered(const char *call) {
    const char *path = getenv("FAULTS_ORDER");
    char text[sizeof order_text] = "";
    int file = path ? REAL(open)(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file >= 0) {
        ssize_t count = read(file, text, sizeof text - 1);
        text[count > 0 ? count : 0] = 0;
        REAL(close)(file);
    }
    if (strcmp(text, order_text) != 0) {
        strcpy(order_text, text);
        order_count = 0;
        char *rest = text;
        for (char *line; (line = strsep(&rest, "\n")) && order_count < ORDERS;) {
            struct order *one = &orders[order_count];
            one->seen = 0;
            if (sscanf(line, "%15s %u %u %15s", one->call, &one->first, &one->count, one->what) == 4)
                order_count++;
        }
    }
    for (size_t place = 0; place < order_count; place++) {
        struct order *one = &orders[place];
        if (strcmp(one->call, call) != 0) continue;
        one->seen++;
        if (one->seen >= one->first && (!one->count || one->seen < one->first + one->count))
            return one->what;
    }
    return "";
}

static int error_of(const char *what) {
    if (!strcmp(what, "eio") || !strcmp(what, "lost")) return EIO;
    return !strcmp(what, "enospc") ? ENOSPC : 0;
}

static size_t size_of(struct file *file) {
    struct stat state;
    if (fstat(file->descriptor, &state) != 0) impossible("fstat");
    return (size_t)state.st_size;
}

static void read_all(struct file *file, unsigned char *bytes, struct range range) {
    for (size_t done = 0; done < range.count;) {
        ssize_t count = pread(
            file->descriptor, bytes + done, range.count - done, range.at + (off_t)done);
        if (count <= 0) impossible("pread");
        done += (size_t)count;
    }
}

static void write_all(struct file *file, const unsigned char *bytes, struct range range) {
    for (size_t done = 0; done < range.count;) {
        ssize_t count = REAL(pwrite)(
            file->descriptor, bytes + done, range.count - done, range.at + (off_t)done);
        if (count <= 0) impossible("pwrite");
        done += (size_t)count;
    }
}

static unsigned char *resized(unsigned char *bytes, size_t before, size_t after) {
    unsigned char *made = realloc(bytes, after + 1);
    if (!made) impossible("realloc");
    if (after > before) memset(made + before, 0, after - before);
    return made;
}

/* The part of a range that the file still has. */
static size_t clipped(struct range range, size_t size) {
    if ((size_t)range.at >= size) return 0;
    return range.count < size - (size_t)range.at ? range.count : size - (size_t)range.at;
}

static void drop_pending(struct file *file) {
    while (file->pending_count > 0) free(file->pending[--file->pending_count].bytes);
}

static void make_durable(struct file *file) {
    size_t size = size_of(file);
    file->durable = resized(file->durable, file->durable_size, size);
    file->durable_size = size;
    for (size_t place = 0; place < file->pending_count; place++) {
        struct written *one = &file->pending[place];
        memcpy(file->durable + one->range.at, one->bytes, clipped(one->range, size));
    }
    drop_pending(file);
}

/* Puts `file` into the state that a power cut leaves it in. */
static void cut(struct file *file, const char *what) {
    size_t size = size_of(file), end = file->durable_size;
    unsigned char *bytes = resized(NULL, 0, size > end ? size : end);
    memcpy(bytes, file->durable, end);
    for (size_t place = 0; place < file->pending_count; place++) {
        const unsigned char *fresh = file->pending[place].bytes;
        size_t count = clipped(file->pending[place].range, size);
        size_t begin = (size_t)file->pending[place].range.at;
        if (!count || !strcmp(what, "dropped")) continue;
        if (!strcmp(what, "half")) {
            count = (count + 1) / 2;
            memcpy(bytes + begin, fresh, count);
        } else if (!strcmp(what, "zeros")) {
            memset(bytes + begin, 0, count);
        } else {
            const unsigned char *feed = memchr(fresh + count / 2, '\n', count - count / 2);
            size_t skipped = feed ? (size_t)(feed - fresh) + 1 : count;
            memcpy(bytes + begin + skipped, fresh + skipped, count - skipped);
        }
        if (begin + count > end) end = begin + count;
    }
    if (REAL(ftruncate)(file->descriptor, (off_t)end) != 0) impossible("ftruncate");
    write_all(file, bytes, (struct range){0, end});
    free(bytes);
}

static void power_cut(const char *what) {
    for (size_t place = 0; place < FILES; place++)
        if (files[place].descriptor) cut(&files[place], what);
    while (name_count > 0 && !strcmp(what, "dropped")) {
        struct name_change *change = &names[--name_count];
        if (*change->gone) {
            if (REAL(rename)(change->made, change->gone) != 0) impossible("rename");
        } else if (*change->made && REAL(unlink)(change->made) != 0) {
            impossible("unlink");
        }
        if (*change->kept && link(change->kept, change->was) != 0) impossible("link");
    }
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static int is_cut(const char *what) {
    return !strcmp(what, "dropped") || !strcmp(what, "half") || !strcmp(what, "zeros")
        || !strcmp(what, "late");
}

/* Notes that a name is new, came from another, or took that of a file that is still there. */
static void change_name(const char *made, const char *gone, const char *removed) {
    if (name_count == NAMES) impossible("too many names");
    struct name_change *change = &names[name_count];
    memset(change, 0, sizeof *change);
    strcpy(change->made, made);
    strcpy(change->gone, gone);
    if (*removed) {
        const char *folder = getenv("FAULTS_KEPT");
        strcpy(change->was, removed);
        int count = snprintf(
            change->kept, PATH_MAX, "%s/%d-%zu", folder ? folder : "/nowhere", getpid(), kept_count++);
        if (count >= PATH_MAX) impossible("a long name");
        if (link(removed, change->kept) != 0) {
            if (errno != ENOENT) impossible("link");
            *change->kept = 0;
        }
    }
    name_count++;
}

static void follow(int descriptor, const char *path, int is_new) {
    size_t place = 0;
    while (place < FILES && files[place].descriptor) place++;
    if (place == FILES || descriptor >= DESCRIPTORS) impossible("too many files");
    struct file *file = &files[place];
    memset(file, 0, sizeof *file);
    file->descriptor = REAL(open)(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (file->descriptor < 0) impossible("open");
    file->opened = 1;
    if (!is_new) {
        size_t size = size_of(file);
        file->durable = resized(NULL, 0, size);
        file->durable_size = size;
        read_all(file, file->durable, (struct range){0, size});
    }
    atomic_store(&kind[descriptor], (int)place + 1);
}

static void forget(struct file *file) {
    if (file->opened || file->pending_count || file->differs) return;
    if (size_of(file) != file->durable_size) return;
    REAL(close)(file->descriptor);
    free(file->durable);
    free(file->pending);
    memset(file, 0, sizeof *file);
}

static int open_at(int directory, const char *path, int flags, mode_t mode) {
    char spelled[PATH_MAX];
    int writes = (flags & O_ACCMODE) != O_RDONLY;
    int ours = writes && is_below(directory, path, spelled);
    if (!ours) {
        int made = REAL(openat)(directory, path, flags, mode);
        if (made >= 0 && made < DESCRIPTORS && !writes && directory == AT_FDCWD && is_folder(path))
            atomic_store(&kind[made], FOLDER);
        return made;
    }
    pthread_mutex_lock(&lock);
    int is_new = access(spelled, F_OK) != 0;
    int error = is_new && (flags & O_CREAT) ? error_of(ordered("make")) : 0;
    int made = -1;
    if (error) {
        errno = error;
    } else if ((made = REAL(openat)(directory, path, flags, mode)) >= 0) {
        if (is_new) change_name(spelled, "", "");
        follow(made, spelled, is_new || flags & O_TRUNC);
    }
    pthread_mutex_unlock(&lock);
    return made;
}

#define MODE(mode, flags) \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { \
        va_list more; \
        va_start(more, flags); \
        mode = va_arg(more, mode_t); \
        va_end(more); \
    }

int open(const char *path, int flags, ...) {
    MODE(mode, flags)
    return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    MODE(mode, flags)
    return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...) {
    MODE(mode, flags)
    return open_at(directory, path, flags, mode);
}

int openat64(int directory, const char *path, int flags, ...) {
    MODE(mode, flags)
    return open_at(directory, path, flags, mode);
}

int close(int descriptor) {
    struct file *file = file_of(descriptor);
    if (descriptor >= 0 && descriptor < DESCRIPTORS) atomic_store(&kind[descriptor], 0);
    if (file) {
        pthread_mutex_lock(&lock);
        file->opened = 0;
        forget(file);
        pthread_mutex_unlock(&lock);
    }
    return REAL(close)(descriptor);
}

static ssize_t write_at(struct file *file, int fd, const void *bytes, size_t count, off_t at) {
    pthread_mutex_lock(&lock);
    const char *what = ordered("write");
    int error = error_of(what);
    if (file->error_next) {
        error = file->error_next;
        file->error_next = 0;
    } else if (!strncmp(what, "short-", 6)) {
        file->error_next = error_of(what + 6);
        count = (count + 1) / 2;
    }
    ssize_t done = -1;
    if (error) {
        errno = error;
    } else if ((done = REAL(pwrite)(fd, bytes, count, at)) > 0) {
        struct written *more = realloc(file->pending, (file->pending_count + 1) * sizeof *more);
        if (!more) impossible("realloc");
        file->pending = more;
        unsigned char *copy = resized(NULL, 0, (size_t)done);
        memcpy(copy, bytes, (size_t)done);
        more[file->pending_count++] = (struct written){{at, (size_t)done}, copy};
        if (is_cut(what)) power_cut(what);
    }
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    struct file *file = file_of(fd);
    return file ? write_at(file, fd, bytes, count, at) : REAL(pwrite)(fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t at) {
    return pwrite(fd, bytes, count, at);
}

ssize_t write(int fd, const void *bytes, size_t count) {
    struct file *file = file_of(fd);
    if (!file) return REAL(write)(fd, bytes, count);
    off_t at = lseek(fd, 0, fcntl(fd, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR);
    ssize_t done = write_at(file, fd, bytes, count, at);
    if (done > 0) lseek(fd, at + done, SEEK_SET);
    return done;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (!file_of(fd)) return REAL(writev)(fd, parts, count);
    ssize_t done = 0;
    for (int part = 0; part < count; part++) {
        ssize_t one = write(fd, parts[part].iov_base, parts[part].iov_len);
        if (one < 0) return done > 0 ? done : one;
        done += one;
        if ((size_t)one < parts[part].iov_len) break;
    }
    return done;
}

static int sync_names(int fd, int (*sync)(int)) {
    pthread_mutex_lock(&lock);
    const char *what = ordered("names");
    int error = error_of(what), result = -1;
    if (is_cut(what)) power_cut(what);
    if (error) {
        errno = error;
    } else if ((result = sync(fd)) == 0) {
        for (; name_count > 0; name_count--)
            if (*names[name_count - 1].kept) REAL(unlink)(names[name_count - 1].kept);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

static int sync_file(struct file *file, int fd, int (*sync)(int)) {
    pthread_mutex_lock(&lock);
    const char *what = ordered("sync");
    int error = error_of(what), result = -1;
    if (is_cut(what)) power_cut(what);
    if (error) {
        drop_pending(file);
        file->differs = 1;
        if (!strcmp(what, "lost")) cut(file, "dropped");
        errno = error;
    } else if ((result = sync(fd)) == 0) {
        make_durable(file);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

static int sync_any(int fd, int (*sync)(int)) {
    struct file *file = file_of(fd);
    if (file) return sync_file(file, fd, sync);
    if (fd >= 0 && fd < DESCRIPTORS && atomic_load(&kind[fd]) == FOLDER) return sync_names(fd, sync);
    return sync(fd);
}

int fsync(int fd) { return sync_any(fd, REAL(fsync)); }
int fdatasync(int fd) { return sync_any(fd, REAL(fdatasync)); }

int rename(const char *from, const char *to) {
    char gone[PATH_MAX], made[PATH_MAX];
    if (!is_below(AT_FDCWD, from, gone) || !is_below(AT_FDCWD, to, made))
        return REAL(rename)(from, to);
    pthread_mutex_lock(&lock);
    change_name(made, gone, made);
    int result = REAL(rename)(from, to);
    if (result != 0) name_count--;
    pthread_mutex_unlock(&lock);
    return result;
}

int unlink(const char *path) {
    char gone[PATH_MAX];
    if (!is_below(AT_FDCWD, path, gone)) return REAL(unlink)(path);
    pthread_mutex_lock(&lock);
    change_name("", "", gone);
    int result = REAL(unlink)(path);
    if (result != 0) name_count--;
    pthread_mutex_unlock(&lock);
    return result;
}
