/*
 * What the drivers share: the clock, memory with a known content, and a hash of
 * results that the benchmark compares with Larder's own.
 *
 * A driver is started once per case with the case as its arguments, prints
 * "ready <hash> <text>", and then for every line "run <milliseconds>" on
 * standard input prints the nanoseconds that one round took on average.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *page_aligned(size_t bytes) {
  void *region = NULL;
  if (posix_memalign(&region, 4096, bytes) != 0) {
    fprintf(stderr, "no memory\n");
    exit(1);
  }
  return region;
}

/* The content of region `number`: a linear congruential generator's upper bits, 32 at a time. */
static void fill_region(uint32_t *region, size_t bytes, uint32_t number) {
  uint32_t state = number * 2654435761u + 1;
  for (size_t i = 0; i < bytes / 4; i++) {
    state = state * 1664525u + 1013904223u;
    region[i] = state ^ (state >> 16);
  }
}

/* FNV-1a over 32-bit words. */
static uint32_t hash_region(uint32_t hash, const uint32_t *region, size_t bytes) {
  for (size_t i = 0; i < bytes / 4; i++) hash = (hash ^ region[i]) * 16777619u;
  return hash;
}

/* Runs rounds until the time is over; nanoseconds per round. */
static double time_rounds(void (*round)(void), double milliseconds) {
  double begun = now_seconds(), end = begun;
  long rounds = 0;
  while (end - begun < milliseconds * 1e-3) {
    round();
    rounds++;
    end = now_seconds();
  }
  return (end - begun) * 1e9 / (double)rounds;
}

static void serve_runs(void (*round)(void)) {
  double milliseconds;
  while (scanf(" run %lf", &milliseconds) == 1) {
    printf("%.1f\n", time_rounds(round, milliseconds));
    fflush(stdout);
  }
}
