/* A stand-in that costs the clients nothing: epoll, keep-alive, one thread. Every task is answered in 364 bytes.
 *
 *   server DELAY_MS [CERTIFICATE KEY]
 *
 * It prints the ports of four listeners on the loopback: plain at once, plain after the delay, and the same over TLS
 * (0 when it was built without OpenSSL), and ends when its standard input does.
 *
 *   POST /...takes-MS...                   a new task, which completes that many milliseconds later, else at once
 *   GET  /...predictions/ID/result         that task: the id says when it completes, so that nothing is kept here
 *   GET  /count                            how many requests came before this one
 */

#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef WITH_TLS
#include <openssl/err.h>
#include <openssl/ssl.h>
#endif

enum { REQUEST = 4096, ANSWER = 1024, BODY = 364, MOST = 65536, LISTENERS = 4 };

struct connection {
    int open, delayed, length;
    unsigned number; /* a file descriptor is used again: an answer that waits belongs to one connection */
#ifdef WITH_TLS
    SSL *tls;
    int greeted;
#endif
    char request[REQUEST + 1];
};

struct waiting {
    long long due;
    int fd, length;
    unsigned number;
    char answer[ANSWER];
};

static struct connection *connections[MOST];
static struct waiting *queue; /* a ring: the delay is the same for all, so the first to come is the first to go */
static size_t queue_head, queue_tail;
static int listeners[LISTENERS], epoll;
static unsigned connection_number, task_number;
static unsigned long long requests;
#ifdef WITH_TLS
static SSL_CTX *tls_context;
#endif

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static long long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void watch(int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
}

static int listen_on_loopback(int *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, 16384) < 0) fail("listen");
    getsockname(fd, (struct sockaddr *)&address, &length);
    *port = ntohs(address.sin_port);
    watch(fd);
    return fd;
}

static void hang_up(int fd) {
    struct connection *connection = connections[fd];
    connection->open = 0;
#ifdef WITH_TLS
    if (connection->tls) SSL_free(connection->tls);
    connection->tls = NULL;
#endif
    close(fd);
}

static void take_connections(int which) {
    int fd, on = 1;
    while ((fd = accept4(listeners[which], NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        if (fd >= MOST) {
            close(fd);
            continue;
        }
        struct connection *connection = connections[fd];
        if (!connection) connection = connections[fd] = calloc(1, sizeof *connection);
        if (!connection) fail("calloc");
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        connection->open = 1;
        connection->length = 0;
        connection->delayed = which % 2;
        connection->number = ++connection_number;
#ifdef WITH_TLS
        connection->greeted = 0;
        connection->tls = NULL;
        if (which >= 2) {
            connection->tls = SSL_new(tls_context);
            SSL_set_fd(connection->tls, fd);
            SSL_set_accept_state(connection->tls);
        }
#endif
        watch(fd);
    }
}

/* Bytes read or written, 0 for "later", -1 for the end. */
static int transfer(int fd, char *bytes, int length, int writing) {
#ifdef WITH_TLS
    SSL *tls = connections[fd]->tls;
    if (tls) {
        ERR_clear_error(); /* another connection's error would be taken for this one's */
        int done = writing ? SSL_write(tls, bytes, length) : SSL_read(tls, bytes, length);
        if (done > 0) return done;
        int error = SSL_get_error(tls, done);
        return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
    }
#endif
    ssize_t done = writing ? send(fd, bytes, length, MSG_NOSIGNAL) : recv(fd, bytes, length, 0);
    if (done > 0) return (int)done;
    return done < 0 && errno == EAGAIN ? 0 : -1;
}

/* One answer is on its way at a time, so the socket's buffer always takes all of it. */
static void send_answer(int fd, char *answer, int length) {
    if (transfer(fd, answer, length, 1) != length) hang_up(fd);
}

static int write_answer(char *answer, const char *request) {
    char body[ANSWER], id[64];
    const char *status = "created", *outputs = "", *place;
    int length, posted = !strncmp(request, "POST ", 5);
    if (!posted && !strncmp(request, "GET /count ", 11)) {
        length = snprintf(body, sizeof body, "{\"count\":%llu}", requests);
    } else {
        if (posted) {
            long long takes = (place = strstr(request, "takes-")) ? atoll(place + 6) : 0;
            snprintf(id, sizeof id, "t%013lld-%010u", now_ms() + takes, ++task_number);
        } else {
            place = strstr(request, "predictions/");
            snprintf(id, sizeof id, "%.25s", place ? place + 12 : "");
            status = place && atoll(id + 1) > now_ms() ? "processing" : "completed";
            outputs = *status == 'c' ? "\"https://example.com/1.png\"" : "";
        }
        length = snprintf(body, sizeof body,
                          "{\"code\":200,\"message\":\"success\",\"data\":{\"id\":\"%s\",\"model\":\"wavespeed-ai/flux-dev\","
                          "\"status\":\"%s\",\"outputs\":[%s],\"urls\":{\"get\":\"https://api.wavespeed.ai/api/v3/predictions/"
                          "%s/result\"},\"created_at\":\"2026-11-22T10:00:00.000Z\",\"error\":\"\",\"timings\":{\"inference\":0}",
                          id, status, outputs, id);
        while (length < BODY - 2) body[length++] = ' ';
        body[length++] = '}';
        body[length++] = '}';
    }
    return snprintf(answer, ANSWER,
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%.*s", length,
                    length, body);
}

static void answer_or_queue(int fd, const char *request) {
    struct connection *connection = connections[fd];
    struct waiting *last = &queue[queue_tail % MOST];
    last->length = write_answer(last->answer, request);
    requests++;
    if (!connection->delayed) {
        send_answer(fd, last->answer, last->length);
        return;
    }
    last->due = now_ms();
    last->fd = fd;
    last->number = connection->number;
    queue_tail++;
    if (queue_tail - queue_head == MOST) fail("too many requests wait");
}

static void read_requests(int fd) {
    struct connection *connection = connections[fd];
#ifdef WITH_TLS
    if (connection->tls && !connection->greeted) {
        ERR_clear_error();
        int done = SSL_accept(connection->tls);
        if (done != 1) {
            int error = SSL_get_error(connection->tls, done);
            if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) hang_up(fd);
            return;
        }
        connection->greeted = 1;
    }
#endif
    for (;;) {
        int room = REQUEST - connection->length;
        int done = transfer(fd, connection->request + connection->length, room, 0);
        if (done < 0) hang_up(fd);
        if (done <= 0) return;
        connection->length += done;
        connection->request[connection->length] = 0;
        char *end = strstr(connection->request, "\r\n\r\n"), *field;
        if (end) {
            *end = 0; /* so that the search for the field ends with the head */
            field = strcasestr(connection->request, "\r\ncontent-length:");
            int whole = (int)(end + 4 - connection->request) + (field ? atoi(field + 17) : 0);
            if (connection->length >= whole) {
                connection->length = 0; /* nobody sends a second request before the first is answered */
                answer_or_queue(fd, connection->request);
                if (!connection->open) return;
                continue;
            }
            *end = '\r';
        }
        if (connection->length == REQUEST) {
            hang_up(fd);
            return;
        }
    }
}

static int answer_what_is_due(long long delay) {
    while (queue_head != queue_tail) {
        struct waiting *first = &queue[queue_head % MOST];
        long long left = first->due + delay - now_ms();
        if (left > 0) return (int)left;
        struct connection *connection = connections[first->fd];
        if (connection->open && connection->number == first->number) send_answer(first->fd, first->answer, first->length);
        queue_head++;
    }
    return -1;
}

static int which_listener(int fd) {
    for (int which = 0; which < LISTENERS; which++)
        if (listeners[which] == fd) return which;
    return -1;
}

static void raise_file_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int main(int count, char **arguments) {
    struct epoll_event events[256];
    int ports[LISTENERS] = {0}, last = 2;
    long long delay = count > 1 ? atoll(arguments[1]) : 0;
    signal(SIGPIPE, SIG_IGN);
    raise_file_limit();
    queue = calloc(MOST, sizeof *queue);
    epoll = epoll_create1(0);
    if (!queue || epoll < 0) fail("start");
#ifdef WITH_TLS
    if (count > 3) {
        tls_context = SSL_CTX_new(TLS_server_method());
        if (!tls_context || SSL_CTX_use_certificate_chain_file(tls_context, arguments[2]) != 1 ||
            SSL_CTX_use_PrivateKey_file(tls_context, arguments[3], SSL_FILETYPE_PEM) != 1)
            fail("TLS");
        last = LISTENERS;
    }
#endif
    for (int which = 0; which < LISTENERS; which++) listeners[which] = -1;
    for (int which = 0; which < last; which++) listeners[which] = listen_on_loopback(&ports[which]);
    watch(STDIN_FILENO);
    printf("%d %d %d %d\n", ports[0], ports[1], ports[2], ports[3]);
    fflush(stdout);
    for (;;) {
        int ready = epoll_wait(epoll, events, 256, answer_what_is_due(delay));
        for (int number = 0; number < ready; number++) {
            int fd = events[number].data.fd, which = which_listener(fd);
            if (fd == STDIN_FILENO) return 0;
            if (which >= 0) take_connections(which);
            else if (connections[fd]->open) read_requests(fd);
        }
    }
}
