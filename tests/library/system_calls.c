/* Records, and counts, what a process does to the files below a folder: loaded with LD_PRELOAD by system_calls.py.

   SYSTEM_CALLS_ROOT  only paths that begin with this are looked at
   SYSTEM_CALLS_LOG   records go here: a letter, then length-prefixed fields
   SYSTEM_CALLS_KILL  the process kills itself before the call of this number, counted from 1 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *root;
static size_t root_length;
static int log_fd = -1;
static long kill_at, count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("SYSTEM_CALLS_LOG"), *kill = getenv("SYSTEM_CALLS_KILL");
    root = getenv("SYSTEM_CALLS_ROOT");
    root_length = root ? strlen(root) : 0;
    kill_at = kill ? atol(kill) : 0;
    if (root && path) log_fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

static int below(const char *path) {
    return root && !strncmp(path, root, root_length) && (path[root_length] == '/' || !path[root_length]);
}

static int path_of(int fd, char *out) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    long n = syscall(SYS_readlinkat, AT_FDCWD, link, out, PATH_MAX - 1);
    if (n < 0) return 0;
    out[n] = 0;
    return below(out);
}

static int path_at(int dir, const char *name, char *out) {
    if (name[0] == '/') snprintf(out, PATH_MAX, "%s", name);
    else if (dir == AT_FDCWD) {
        char here[PATH_MAX];
        if (syscall(SYS_getcwd, here, PATH_MAX) < 0) return 0;
        snprintf(out, PATH_MAX, "%.2000s/%.2000s", here, name);
    } else {
        char base[PATH_MAX];
        path_of(dir, base);
        snprintf(out, PATH_MAX, "%.2000s/%.2000s", base, name);
    }
    return below(out);
}

static void put(const void *data, size_t length) {
    const char *at = data;
    while (length) {
        long n = syscall(SYS_write, log_fd, at, length);
        if (n <= 0) return;
        at += n;
        length -= (size_t)n;
    }
}

static void record(char what, const char *path, const char *other, int64_t offset, const void *data, size_t length) {
    pthread_mutex_lock(&lock);
    count++;
    if (kill_at && count >= kill_at) syscall(SYS_kill, (long)getpid(), SIGKILL);
    if (log_fd >= 0) {
        uint32_t lengths[2] = {(uint32_t)strlen(path), (uint32_t)strlen(other)};
        uint64_t size = length;
        put(&what, 1);
        put(lengths, sizeof lengths);
        put(&offset, 8);
        put(&size, 8);
        put(path, lengths[0]);
        put(other, lengths[1]);
        put(data, length);
    }
    pthread_mutex_unlock(&lock);
}

#define REAL(type, name, ...) static type (*real)(__VA_ARGS__); if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static void opening(int dir, const char *name, int flags) {
    char path[PATH_MAX];
    struct stat found;
    if (!(flags & (O_CREAT | O_TRUNC)) || !path_at(dir, name, path)) return;
    int missing = syscall(SYS_newfstatat, AT_FDCWD, path, &found, 0) < 0;
    if (missing && (flags & O_CREAT)) record('c', path, "", 0, "", 0);
    else if (!missing && (flags & O_TRUNC)) record('t', path, "", 0, "", 0);
}

static int open_mode(int flags, va_list rest) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, int) : 0; }

static int opened(int dir, const char *path, int flags, int mode) {
    opening(dir, path, flags);
    return (int)syscall(SYS_openat, dir, path, flags, mode);
}
int open(const char *path, int flags, ...) {
    va_list rest; va_start(rest, flags); int mode = open_mode(flags, rest); va_end(rest);
    return opened(AT_FDCWD, path, flags, mode);
}
int open64(const char *path, int flags, ...) {
    va_list rest; va_start(rest, flags); int mode = open_mode(flags, rest); va_end(rest);
    return opened(AT_FDCWD, path, flags, mode);
}
int openat(int dir, const char *path, int flags, ...) {
    va_list rest; va_start(rest, flags); int mode = open_mode(flags, rest); va_end(rest);
    return opened(dir, path, flags, mode);
}
int openat64(int dir, const char *path, int flags, ...) {
    va_list rest; va_start(rest, flags); int mode = open_mode(flags, rest); va_end(rest);
    return opened(dir, path, flags, mode);
}

ssize_t write(int fd, const void *data, size_t length) {
    REAL(ssize_t, "write", int, const void *, size_t);
    char path[PATH_MAX];
    if (root && path_of(fd, path)) record('w', path, "", lseek(fd, 0, SEEK_CUR), data, length);
    return real(fd, data, length);
}
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    char path[PATH_MAX];
    if (root && path_of(fd, path)) record('w', path, "", at, data, length);
    return real(fd, data, length, at);
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t at) { return pwrite64(fd, data, length, at); }
int ftruncate64(int fd, off64_t length) {
    REAL(int, "ftruncate64", int, off64_t);
    char path[PATH_MAX];
    if (root && path_of(fd, path)) record('l', path, "", length, "", 0);
    return real(fd, length);
}
int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }
int fsync(int fd) {
    REAL(int, "fsync", int);
    char path[PATH_MAX];
    if (root && path_of(fd, path)) record('f', path, "", 0, "", 0);
    return real(fd);
}
int fdatasync(int fd) {
    REAL(int, "fdatasync", int);
    char path[PATH_MAX];
    if (root && path_of(fd, path)) record('f', path, "", 0, "", 0);
    return real(fd);
}
int rename(const char *from, const char *to) {
    REAL(int, "rename", const char *, const char *);
    char a[PATH_MAX], b[PATH_MAX];
    if (root && path_at(AT_FDCWD, from, a) && path_at(AT_FDCWD, to, b)) record('r', a, b, 0, "", 0);
    return real(from, to);
}
int unlink(const char *name) {
    REAL(int, "unlink", const char *);
    char path[PATH_MAX];
    if (root && path_at(AT_FDCWD, name, path) && !faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW))
        record('u', path, "", 0, "", 0);
    return real(name);
}
int unlinkat(int dir, const char *name, int flags) {
    REAL(int, "unlinkat", int, const char *, int);
    char path[PATH_MAX];
    if (root && path_at(dir, name, path)) record(flags & AT_REMOVEDIR ? 'd' : 'u', path, "", 0, "", 0);
    return real(dir, name, flags);
}
int rmdir(const char *name) {
    REAL(int, "rmdir", const char *);
    char path[PATH_MAX];
    if (root && path_at(AT_FDCWD, name, path)) record('d', path, "", 0, "", 0);
    return real(name);
}
int mkdir(const char *name, mode_t mode) {
    REAL(int, "mkdir", const char *, mode_t);
    char path[PATH_MAX];
    int ok = root && path_at(AT_FDCWD, name, path) && faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW);
    if (ok) record('m', path, "", 0, "", 0);
    return real(name, mode);
}
