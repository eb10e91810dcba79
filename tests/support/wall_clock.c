/* Loaded into a process with LD_PRELOAD. Moves its wall clock by the seconds that the file
   $WALL_CLOCK_OFFSET holds, and reads them again after a tenth of a second.

   The monotonic clock stays true, as when an administrator or NTP steps the clock. libfaketime
   cannot do that on current systems, where it breaks clock_nanosleep. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int (*true_gettime)(clockid_t, struct timespec *);
static int (*true_timedwait)(sem_t *, const struct timespec *);
static volatile long offset, read_at = -1;

__attribute__((constructor)) static void find(void) {
    true_gettime = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    true_timedwait = (int (*)(sem_t *, const struct timespec *))dlsym(RTLD_NEXT, "sem_timedwait");
}

static long current_offset(void) {
    struct timespec now;
    if (!true_gettime) find();
    true_gettime(CLOCK_MONOTONIC, &now);
    long moment = now.tv_sec * 10 + now.tv_nsec / 100000000;
    if (moment == read_at) return offset;
    read_at = moment;
    const char *path = getenv("WALL_CLOCK_OFFSET");
    char text[32] = "";
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return offset;
    if (read(file, text, sizeof text - 1) > 0) offset = atol(text);
    close(file);
    return offset;
}

static int is_wall(clockid_t clock) {
    return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    long moved = is_wall(clock) ? current_offset() : 0;
    if (!true_gettime) find();
    int result = true_gettime(clock, now);
    if (result == 0) now->tv_sec += moved;
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec precise;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &precise) != 0) return -1;
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *seconds) {
    struct timespec precise;
    if (clock_gettime(CLOCK_REALTIME, &precise) != 0) return -1;
    if (seconds) *seconds = precise.tv_sec;
    return precise.tv_sec;
}

/* The kernel compares the deadline with the true clock. */
int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until) {
    struct timespec moved = *until;
    moved.tv_sec -= current_offset();
    if (!true_timedwait) find();
    return true_timedwait(semaphore, &moved);
}
