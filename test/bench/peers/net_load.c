// net_load copy PORT MEGABYTES: sends so much over one connection, in blocks of 64 kB, reads all of it back, and prints
//                               the bytes a second.
// net_load accept PORT COUNT:   opens so many connections one after the other, each until the server closes it.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { block = 64 * 1024 };

static int connected(int port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int tries = 0; tries < 500; ++tries) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (void*)&a, sizeof a) == 0) return fd;
    close(fd);
    usleep(10000);
  }
  perror("connect");
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static struct {
  int fd;
  long long bytes;
} job;

static void* send_all(void* unused) {
  static char data[block];
  for (long long left = job.bytes; left > 0;) {
    ssize_t n = send(job.fd, data, left < block ? left : block, 0);
    if (n <= 0) exit(1);
    left -= n;
  }
  return NULL;
}

static int copy(int port, long long bytes) {
  static char data[block];
  pthread_t sender;
  job.fd = connected(port);
  job.bytes = bytes;
  double begin = now();
  pthread_create(&sender, NULL, send_all, NULL);
  for (long long left = bytes; left > 0;) {
    ssize_t n = recv(job.fd, data, sizeof data, 0);
    if (n <= 0) return 1;
    left -= n;
  }
  printf("%.0f\n", bytes / (now() - begin));
  return 0;
}

static int accept_all(int port, int count) {
  for (int i = 0; i < count; ++i) {
    char end;
    int fd = connected(port);
    if (recv(fd, &end, 1, 0) != 0) return 1;
    struct linger reset = {1, 0};  // else ports run out
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
  }
  return 0;
}

int main(int count, char** words) {
  if (count != 4) return 2;
  if (strcmp(words[1], "copy") == 0) return copy(atoi(words[2]), atoll(words[3]) << 20);
  return accept_all(atoi(words[2]), atoi(words[3]));
}
