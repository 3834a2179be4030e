// Preloaded into a service (LD_PRELOAD), this makes the system refuse what a test chooses, and tells
// another time. It does what the words of a small shared file say, so that a test may change its mind
// while the service runs; tests/faults.py writes that file and knows its layout.
//
// VITRINA_FAULT_CONTROL  the shared file
// VITRINA_FAULT_PATH     only files whose path contains this are touched

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { WRITE = 1, SYNC = 2, OPEN = 4, RENAME = 8, UNLINK = 16, TRUNCATE = 32, SHORT = 64 };

struct control {
    _Atomic int64_t operations; // which of the above are refused
    _Atomic int64_t number;     // with which errno
    _Atomic int64_t skip;       // so many go well first
    _Atomic int64_t times;      // and so many are refused then
    _Atomic int64_t refused;    // so many were
    _Atomic int64_t clock_s;    // what is added to the time
};

static struct control idle;
static struct control *control = &idle;
static const char *part = "";

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("VITRINA_FAULT_CONTROL");
    if (getenv("VITRINA_FAULT_PATH")) part = getenv("VITRINA_FAULT_PATH");
    if (!path) return;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    void *shared = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (shared != MAP_FAILED) control = shared;
    close(fd);
}

static int refuses(int operation) {
    if (!(atomic_load(&control->operations) & operation)) return 0;
    if (atomic_fetch_sub(&control->skip, 1) > 0) return 0;
    if (atomic_fetch_sub(&control->times, 1) <= 0) return 0;
    atomic_fetch_add(&control->refused, 1);
    errno = (int)atomic_load(&control->number);
    return 1;
}

static int on_path(int operation, const char *path) {
    return path && strstr(path, part) && refuses(operation);
}

static int on_fd(int operation, int fd) {
    if (!(atomic_load(&control->operations) & operation)) return 0;
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return on_path(operation, path);
}

#define REAL(name) \
    static typeof(&name) real; \
    if (!real) real = (typeof(&name))dlsym(RTLD_NEXT, #name)

static int short_writes(void) { return (atomic_load(&control->operations) & SHORT) != 0; }

ssize_t write(int fd, const void *data, size_t size) {
    REAL(write);
    if (on_fd(WRITE, fd)) return -1;
    return real(fd, data, size);
}

#define PWRITE(name, offset_type) \
    ssize_t name(int fd, const void *data, size_t size, offset_type offset) { \
        REAL(name); \
        if (on_fd(WRITE, fd)) { \
            int number = errno; \
            if (short_writes() && size > 1) (void)!real(fd, data, size / 2, offset); \
            errno = number; \
            return -1; \
        } \
        return real(fd, data, size, offset); \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define ON_FD(name, operation) \
    int name(int fd) { \
        REAL(name); \
        return on_fd(operation, fd) ? -1 : real(fd); \
    }
ON_FD(fsync, SYNC)
ON_FD(fdatasync, SYNC)

#define FTRUNCATE(name, size_type) \
    int name(int fd, size_type size) { \
        REAL(name); \
        return on_fd(TRUNCATE, fd) ? -1 : real(fd, size); \
    }
FTRUNCATE(ftruncate, off_t)
FTRUNCATE(ftruncate64, off64_t)

// Only those who open to write are refused: reading goes on.
#define OPENS(name) \
    int name(const char *path, int flags, ...) { \
        REAL(name); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = va_arg(rest, mode_t); \
        va_end(rest); \
        if ((flags & O_ACCMODE) != O_RDONLY && on_path(OPEN, path)) return -1; \
        return real(path, flags, mode); \
    }
OPENS(open)
OPENS(open64)

int rename(const char *source, const char *target) {
    REAL(rename);
    return on_path(RENAME, target) ? -1 : real(source, target);
}

int unlink(const char *path) {
    REAL(unlink);
    return on_path(UNLINK, path) ? -1 : real(path);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    REAL(clock_gettime);
    int result = real(clock, now);
    if (result == 0 && clock == CLOCK_REALTIME) now->tv_sec += atomic_load(&control->clock_s);
    return result;
}
