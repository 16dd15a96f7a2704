/* The floor of an order path on this machine: two hops over TCP, and a journal's writes between.
 *
 * A client sends a message of a fixed size to a relay, the relay appends a record to a file and
 * passes the message on to a venue, which sends it back; the relay appends another record and
 * passes the answer to the client. No trading logic, no encoding, blocking reads.
 *
 *     orders ROUNDS none|write|fdatasync FILE      prints quantiles in nanoseconds, one a line
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGE_BYTES = 64, RECORD_BYTES = 96, WARMUP = 500, FILE_BYTES = 64 << 20 };

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Connect two ends through a listener, so that the bytes go through the whole stack. */
static void connect_pair(int *near_end, int *far_end)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int one = 1;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener < 0 || bind(listener, (void *)&address, size) || listen(listener, 1))
        fail("listen");
    getsockname(listener, (void *)&address, &size);
    *near_end = socket(AF_INET, SOCK_STREAM, 0);
    if (*near_end < 0 || connect(*near_end, (void *)&address, size))
        fail("connect");
    *far_end = accept(listener, NULL, NULL);
    if (*far_end < 0)
        fail("accept");
    close(listener);
    setsockopt(*near_end, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(*far_end, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static int receive(int end, char *message)
{
    ssize_t got = recv(end, message, MESSAGE_BYTES, MSG_WAITALL);
    return got == MESSAGE_BYTES;
}

static int transmit(int end, const char *message)
{
    return send(end, message, MESSAGE_BYTES, MSG_NOSIGNAL) == MESSAGE_BYTES;
}

static void append(int file, int is_flushed)
{
    static char record[RECORD_BYTES] = {1};
    if (file >= 0 && write(file, record, sizeof record) != (ssize_t)sizeof record)
        fail("write");
    if (file >= 0 && is_flushed && fdatasync(file))
        fail("fdatasync");
}

/* A file of zeros to write into: a flush then writes data alone. */
static int open_journal(const char *path)
{
    static char zeros[1 << 20];
    int file = open(path, O_CREAT | O_TRUNC | O_RDWR, 0600);
    if (file < 0)
        fail("open");
    for (int i = 0; i < FILE_BYTES / (int)sizeof zeros; i++)
        if (write(file, zeros, sizeof zeros) != (ssize_t)sizeof zeros)
            fail("write");
    if (fsync(file) || lseek(file, 0, SEEK_SET))
        fail("fsync");
    return file;
}

static int compare(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
    char message[MESSAGE_BYTES] = {0};
    int client, relay_in, relay_out, venue, file = -1;
    if (argc != 4)
        return 2;
    int rounds = atoi(argv[1]);
    int is_flushed = !strcmp(argv[2], "fdatasync");
    if (strcmp(argv[2], "none"))
        file = open_journal(argv[3]);
    connect_pair(&client, &relay_in);
    connect_pair(&relay_out, &venue);
    if (!fork()) {
        close(client);
        close(venue);
        while (receive(relay_in, message)) {
            append(file, is_flushed);
            if (!transmit(relay_out, message) || !receive(relay_out, message))
                break;
            append(file, is_flushed);
            if (!transmit(relay_in, message))
                break;
        }
        _exit(0);
    }
    if (!fork()) {
        close(client);
        close(relay_in);
        close(relay_out);
        while (receive(venue, message) && transmit(venue, message)) {
        }
        _exit(0);
    }
    close(relay_in);
    close(relay_out);
    close(venue);
    uint64_t *times = malloc(sizeof *times * (size_t)rounds);
    for (int i = -WARMUP; i < rounds; i++) {
        uint64_t begun = now_ns();
        if (!transmit(client, message) || !receive(client, message))
            fail("round");
        if (i >= 0)
            times[i] = now_ns() - begun;
    }
    qsort(times, (size_t)rounds, sizeof *times, compare);
    printf("%llu\n%llu\n%llu\n", (unsigned long long)times[rounds / 2],
           (unsigned long long)times[(size_t)(rounds * 0.99)],
           (unsigned long long)times[(size_t)(rounds * 0.999)]);
    close(client);
    while (wait(NULL) > 0) {
    }
    return 0;
}
