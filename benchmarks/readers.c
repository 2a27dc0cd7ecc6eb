/* Listeners that cost as little as possible: connect, ask, read everything, look at what matters.
 *
 * readers PORT N RATE_HZ SECONDS MODE ASK [SECOND] — N connections to 127.0.0.1:PORT, RATE_HZ a second, until SECONDS
 * after the last of them was begun. MODE
 *   bytes   counts what comes after the head of the answer;
 *   frames  checks that MEDIA sequence numbers rise by one (docs/protocol.md §3); SECOND, if given, is a join that is
 *           asked first on the same connection, and its ticket stands for the word TICKET in ASK, as the player does;
 *   visit   is frames, and leaves at the first MEDIA: a stampede that may last longer than descriptors do;
 *   poll    sends ASK and SECOND once a second over keep-alive; who still waits for an answer skips a turn (`late`).
 * Prints one line of JSON, earlier if it is asked to end (SIGTERM). What is steady is counted from STEADY_S after the
 * last connection on.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTING, JOINING, HEAD, BODY, GONE, LEFT };
enum { PER_ADDRESS = 5000, BATCH = 64, EVENTS = 1024, BUFFER = 256 * 1024, STEADY_S = 5 };
struct listener {
  double began, first, last, longest;
  uint64_t bytes, steady;
  int64_t seq;
  uint32_t left, gaps, polls;
  int fd;
  unsigned char state, filled, match, head, frame[8];
};
static struct listener *all;
static const char *ask, *second;
static int framed, visiting, polling, port, crowd, refused, failed;
static uint64_t answer_bytes;
static double steady_from, arrived_until;

static volatile sig_atomic_t over;

static void stop(int number) { over = number; }

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static struct sockaddr_in server(void) {
  return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* --- what is read --------------------------------------------------------------------------------- */

static void frames(struct listener *l, const unsigned char *data, size_t size, double at) {
  while (size) {
    if (l->left) {
      size_t some = l->left < size ? l->left : size;
      l->left -= some, data += some, size -= some;
      continue;
    }
    l->frame[l->filled++] = *data++, size--;
    int need = l->frame[0] == 2 ? 8 : 4;
    if (l->filled < need) continue;
    uint32_t length = l->frame[1] << 16 | l->frame[2] << 8 | l->frame[3];
    if (need == 8) {
      int64_t seq = (int64_t)l->frame[4] << 24 | l->frame[5] << 16 | l->frame[6] << 8 | l->frame[7];
      if (l->seq >= 0 && seq != l->seq + 1) l->gaps++;
      if (!l->first) l->first = at;
      l->seq = seq, length -= 4;
    }
    l->left = length, l->filled = 0;
  }
}

static void leave(struct listener *l, int as) {
  close(l->fd);
  l->state = as;
}

/* The join's answer is one write of the edge, far below the loopback's segment: it comes in one piece. */
static void use_ticket(struct listener *l, char *data) {
  static const char key[] = "\"ticket\":\"";
  const char *ticket = strstr(data, key), *gap = strstr(ask, "TICKET");
  const char *end = ticket ? strchr(ticket += sizeof key - 1, '"') : NULL;
  if (!end || !gap) {
    refused++, leave(l, GONE);
    return;
  }
  char request[2048];
  int size = snprintf(request, sizeof request, "%.*s%.*s%s", (int)(gap - ask), ask, (int)(end - ticket), ticket, gap + 6);
  if (write(l->fd, request, size) != size) failed++, leave(l, GONE);
  else l->state = HEAD;
}

static void take(struct listener *l, unsigned char *data, ssize_t size, double at) {
  if (l->state == JOINING) {
    data[size] = 0;
    use_ticket(l, (char *)data);
    return;
  }
  if (polling && l->state == HEAD) l->state = BODY; /* heads count as bytes there */
  if (l->state == HEAD) {
    static const char end[] = "\r\n\r\n";
    ssize_t i = 0;
    for (; i < size && l->match < 4; i++) {
      if (l->head < 255 && ++l->head == 10 && data[i] != '2') { /* HTTP/1.1 2xx */
        refused++, leave(l, GONE);
        return;
      }
      l->match = data[i] == end[l->match] ? l->match + 1 : data[i] == '\r';
    }
    if (l->match < 4) return;
    l->state = BODY, data += i, size -= i;
  }
  if (!size) return;
  if (!l->first && !framed) l->first = at;
  if (steady_from && at > steady_from) {
    if (l->last > steady_from && at - l->last > l->longest) l->longest = at - l->last;
    l->steady += size;
  }
  l->last = at, l->bytes += size;
  if (framed) frames(l, data, size, at);
  if (visiting && l->first) leave(l, LEFT);
}

/* --- what is asked -------------------------------------------------------------------------------- */

/* Addresses 127.x.y.z of this process's own: neither ports nor those that TIME_WAIT holds run out. */
static void join(int poll, int i) {
  struct listener *l = &all[i];
  uint32_t network = 0x7f000000 | (getpid() & 0xffff) << 8;
  struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(network + 2 + i / PER_ADDRESS % 250)}, to = server();
  int on = 1;
  l->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  l->seq = -1, l->began = now();
  setsockopt(l->fd, IPPROTO_IP, 24 /* IP_BIND_ADDRESS_NO_PORT */, &on, sizeof on);
  struct epoll_event event = {.events = EPOLLOUT, .data.u32 = i};
  if (l->fd < 0 || bind(l->fd, (void *)&from, sizeof from) ||
      (connect(l->fd, (void *)&to, sizeof to) && errno != EINPROGRESS) || epoll_ctl(poll, EPOLL_CTL_ADD, l->fd, &event))
    failed++, leave(l, GONE);
}

static void connected(int poll, int i) {
  struct listener *l = &all[i];
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
  const char *words = second && framed ? second : ask;
  epoll_ctl(poll, EPOLL_CTL_MOD, l->fd, &event);
  l->state = second && framed ? JOINING : HEAD;
  if (polling) return; /* its turn comes */
  if (write(l->fd, words, strlen(words)) < 0) failed++, leave(l, GONE);
}

/* How much the two answers of a poll are together, heads and all. */
static uint64_t weigh(void) {
  struct sockaddr_in to = server();
  struct timeval patience = {.tv_usec = 300000};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  static char buffer[65536];
  ssize_t size, sum = 0;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (connect(fd, (void *)&to, sizeof to) || write(fd, ask, strlen(ask)) < 0 || write(fd, second, strlen(second)) < 0) exit(1);
  while ((size = read(fd, buffer, sizeof buffer)) > 0) sum += size;
  close(fd);
  return sum;
}

static long late;

static void ask_again(void) { /* one second's polls, spread over the second */
  static double began;
  static int asked;
  if (!began || (asked == crowd && now() - began >= 1)) began = now(), asked = 0;
  int until = (now() - began) * crowd;
  for (; asked < until && asked < crowd; asked++) {
    struct listener *l = &all[asked];
    if (l->state != BODY && l->state != HEAD) continue;
    if (l->bytes < l->polls * answer_bytes) {
      late++;
      continue;
    }
    l->polls++;
    if (write(l->fd, ask, strlen(ask)) < 0 || write(l->fd, second, strlen(second)) < 0) failed++, leave(l, GONE);
  }
}

/* --- what is told --------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void tell(double asked_hz) {
  double *first = calloc(crowd, sizeof *first), *sound = calloc(crowd, sizeof *sound), longest = 0, until = now(), steady_s = until - steady_from;
  int heard = 0, lost = 0, gaps = 0;
  uint64_t least = UINT64_MAX, most = 0, sum = 0;
  int64_t newest = -1, oldest = INT64_MAX;
  for (int i = 0; i < crowd; i++) {
    struct listener *l = &all[i];
    if (l->first) sound[heard] = l->first - all[0].began, first[heard++] = (l->first - l->began) * 1000;
    gaps += l->gaps;
    if (!l->first || l->state == GONE) lost++;
    if (l->state != BODY) continue;
    if (until - l->last > l->longest) l->longest = until - l->last; /* who hears nothing any more */
    if (l->steady < least) least = l->steady;
    if (l->steady > most) most = l->steady;
    sum += l->steady;
    if (l->longest > longest) longest = l->longest;
    if (l->seq > newest) newest = l->seq;
    if (l->seq < oldest) oldest = l->seq;
  }
  qsort(first, heard, sizeof *first, compare);
  qsort(sound, heard, sizeof *sound, compare);
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  double cpu_s = used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
  printf("{\"listeners\": %d, \"heard\": %d, \"lost\": %d, \"refused\": %d, \"failed\": %d, \"gaps\": %d, ", crowd, heard, lost,
         refused, failed, gaps);
  printf("\"asked_hz\": %.0f, \"heard_hz\": %.0f, ", asked_hz, arrived_until > all[0].began ? heard / (arrived_until - all[0].began) : 0);
  printf("\"first_p50_ms\": %.1f, \"first_p99_ms\": %.1f, ", heard ? first[heard / 2] : -1, heard ? first[heard * 99L / 100] : -1);
  printf("\"sound_s\": {"); /* when so many of a hundred have had sound, since the first of them came */
  for (int percent = 1; heard && percent < 100; percent++)
    printf("\"%d\": %.4f%s", percent, sound[heard * (long)percent / 100], percent < 99 ? ", " : "");
  printf("}, \"bytes_least\": %lu, \"bytes_most\": %lu, \"bytes_mean\": %.0f, \"chunks_behind\": %ld, \"longest_silence_ms\": %.0f, ",
         (unsigned long)(most ? least : 0), (unsigned long)most, heard ? sum / (double)heard : 0, framed && newest >= 0 ? (long)(newest - oldest) : 0, longest * 1000);
  printf("\"polls_hz\": %.1f, \"late\": %ld, \"steady_s\": %.2f, \"cpu_s\": %.2f}\n",
         polling ? sum / (double)answer_bytes / steady_s : 0, late, steady_s, cpu_s);
}

int main(int argc, char **argv) {
  if (argc < 7) return 2;
  double rate = atof(argv[3]), seconds = atof(argv[4]);
  port = atoi(argv[1]), crowd = atoi(argv[2]), ask = argv[6], second = argc > 7 ? argv[7] : NULL;
  visiting = !strcmp(argv[5], "visit"), framed = visiting || !strcmp(argv[5], "frames"), polling = !strcmp(argv[5], "poll");
  if (polling) answer_bytes = weigh();
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  all = calloc(crowd, sizeof *all);
  int poll = epoll_create1(0), joined = 0;
  static unsigned char buffer[BUFFER + 1];
  struct epoll_event events[EVENTS];
  double began = now(), end = 0, asked_hz = 0;
  signal(SIGTERM, stop);
  while (!over && (!end || now() < end)) {
    int due = (now() - began) * rate + 1;
    for (int batch = 0; joined < crowd && joined < due && batch < BATCH; batch++) join(poll, joined++);
    if (joined == crowd && !end) {
      end = now() + seconds, steady_from = now() + STEADY_S;
      asked_hz = crowd / (now() - began);
    }
    if (polling && end) ask_again();
    int ready = epoll_wait(poll, events, EVENTS, joined < crowd || polling ? 1 : 20);
    for (int i = 0; i < ready; i++) {
      struct listener *l = &all[events[i].data.u32];
      if (l->state == CONNECTING) {
        connected(poll, events[i].data.u32);
        continue;
      }
      ssize_t size = read(l->fd, buffer, BUFFER);
      double at = now();
      int silent = !l->first;
      if (size > 0) take(l, buffer, size, at);
      else if (size == 0 || errno != EAGAIN) leave(l, GONE);
      if (silent && l->first) arrived_until = at;
    }
  }
  tell(asked_hz);
}
