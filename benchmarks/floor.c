/* The kernel's floor: the least that a server can do for the same listeners (DESIGN §4.4).
 *
 * floor PORT BYTES PHASES — accepts connections, answers each request with a head, then writes BYTES to every
 * connection once a second, spread over PHASES batches. No parsing, no state, no laggards: what it costs is
 * what the system calls cost. Prints nothing; measured from outside.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX = 20000 };
static int listeners[16][MAX], count[16], next_phase;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  int port = atoi(argv[1]), size = atoi(argv[2]), phases = atoi(argv[3]), on = 1, room = 64 * 1024;
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int door = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(door, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  setsockopt(door, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (bind(door, (void *)&address, sizeof address) || listen(door, 65535)) return 1;
  int poll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = door}, events[512];
  epoll_ctl(poll, EPOLL_CTL_ADD, door, &event);
  char *chunk = malloc(size), request[4096];
  memset(chunk, 'x', size);
  const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: audio/webm\r\n\r\n";
  double due = now() + 1.0 / phases;
  for (int phase = 0;;) {
    double left = due - now();
    if (left <= 0) {
      for (int i = 0; i < count[phase]; i++)
        if (write(listeners[phase][i], chunk, size) < 0 && errno != EAGAIN) {
          close(listeners[phase][i]);
          listeners[phase][i--] = listeners[phase][--count[phase]];
        }
      phase = (phase + 1) % phases;
      due += 1.0 / phases;
      continue;
    }
    int ready = epoll_wait(poll, events, 512, left * 1000 + 1);
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (fd == door) {
        for (int n = 0; n < 64 && (fd = accept4(door, 0, 0, SOCK_NONBLOCK)) >= 0; n++) {
          struct epoll_event one = {.events = EPOLLIN, .data.fd = fd};
          epoll_ctl(poll, EPOLL_CTL_ADD, fd, &one);
        }
      } else if (read(fd, request, sizeof request) <= 0) {
        epoll_ctl(poll, EPOLL_CTL_DEL, fd, 0);
      } else {
        epoll_ctl(poll, EPOLL_CTL_DEL, fd, 0);
        if (write(fd, head, sizeof head - 1) > 0) listeners[next_phase][count[next_phase]++] = fd;
        next_phase = (next_phase + 1) % phases;
      }
    }
  }
}
