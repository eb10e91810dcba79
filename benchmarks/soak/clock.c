/* Preloaded into the processes of a host: moves their wall clock by the seconds in $SOAK_CLOCK.

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

__attribute__((constructor)) static void find(void)
{
    true_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    true_timedwait = dlsym(RTLD_NEXT, "sem_timedwait");
}

static long current_offset(void)
{
    struct timespec now;
    char text[32];
    if (!true_gettime)
        find();
    true_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec == read_at)
        return offset;
    read_at = now.tv_sec;
    const char *name = getenv("SOAK_CLOCK");
    int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (file >= 0) {
        ssize_t length = read(file, text, sizeof text - 1);
        close(file);
        if (length > 0) {
            text[length] = 0;
            offset = atol(text);
        }
    }
    return offset;
}

static int is_wall(clockid_t id)
{
    return id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE;
}

int clock_gettime(clockid_t id, struct timespec *found)
{
    long moved = is_wall(id) ? current_offset() : 0;
    if (!true_gettime)
        find();
    int result = true_gettime(id, found);
    if (!result)
        found->tv_sec += moved;
    return result;
}

int gettimeofday(struct timeval *restrict found, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    int result = clock_gettime(CLOCK_REALTIME, &now);
    found->tv_sec = now.tv_sec;
    found->tv_usec = now.tv_nsec / 1000;
    return result;
}

time_t time(time_t *found)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (found)
        *found = now.tv_sec;
    return now.tv_sec;
}

/* The kernel compares the deadline with the true clock. */
int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until)
{
    struct timespec moved = *until;
    moved.tv_sec -= current_offset();
    if (!true_timedwait)
        find();
    return true_timedwait(semaphore, &moved);
}
