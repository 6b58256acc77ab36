/*
 * Jerasure beside Larder, encoding with the same bit matrix:
 *
 *   jerasure <k> <m> <w> <symbol bytes> <matrix: m*w rows of k*w digits 0 or 1>
 *
 * Both of its schedules (dumb and smart) are tried with every packet size that
 * divides the symbol, and the fastest pair is what is measured.
 */
#include <jerasure.h>

#include "xor-peers.h"

enum { NODES_MAX = 64, PACKET_BYTES_MIN = 256, TRIAL_MS = 30 };

static char *data[NODES_MAX], *coding[NODES_MAX];
static int k, m, w, packet_bytes;
static int **schedule;
static long node_bytes;

static void round_encode(void) {
  jerasure_schedule_encode(k, m, w, schedule, data, coding, (int)node_bytes, packet_bytes);
}

static int operations(int **list) {
  int count = 0;
  while (list[count][0] != -1) count++;
  return count;
}

/* With one packet per symbol the layout is Larder's: only then can results be compared. */
static uint32_t hash_of_parities(void) {
  packet_bytes = (int)(node_bytes / w);
  round_encode();
  uint32_t hash = 2166136261u;
  for (int i = 0; i < m; i++) hash = hash_region(hash, (uint32_t *)coding[i], (size_t)node_bytes);
  return hash;
}

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  k = atoi(argv[1]);
  m = atoi(argv[2]);
  w = atoi(argv[3]);
  long symbol_bytes = atol(argv[4]);
  size_t bits = (size_t)k * m * w * w;
  if (k < 1 || m < 1 || k + m > NODES_MAX || symbol_bytes % 64 != 0 || strlen(argv[5]) != bits) return 2;
  node_bytes = symbol_bytes * w;
  int *matrix = malloc(bits * sizeof(int));
  for (size_t i = 0; i < bits; i++) matrix[i] = argv[5][i] - '0';
  for (int i = 0; i < k; i++) {
    data[i] = page_aligned((size_t)node_bytes);
    fill_region((uint32_t *)data[i], (size_t)node_bytes, (uint32_t)i);
  }
  for (int i = 0; i < m; i++) {
    coding[i] = page_aligned((size_t)node_bytes);
    memset(coding[i], 0, (size_t)node_bytes);
  }
  int **schedules[2] = {jerasure_dumb_bitmatrix_to_schedule(k, m, w, matrix),
                        jerasure_smart_bitmatrix_to_schedule(k, m, w, matrix)};
  schedule = schedules[1];
  uint32_t hash = hash_of_parities();
  double best = 1e300;
  int best_schedule = 0, best_packet = 0;
  for (int s = 0; s < 2; s++) {
    for (long packet = PACKET_BYTES_MIN; packet <= symbol_bytes; packet *= 2) {
      if (symbol_bytes % packet != 0) continue;
      schedule = schedules[s];
      packet_bytes = (int)packet;
      double taken = time_rounds(round_encode, TRIAL_MS);
      if (taken >= best) continue;
      best = taken;
      best_schedule = s;
      best_packet = packet_bytes;
    }
  }
  schedule = schedules[best_schedule];
  packet_bytes = best_packet;
  printf("ready %u Jerasure, %s schedule of %d operations, packets of %d bytes\n", hash,
         best_schedule ? "smart" : "dumb", operations(schedule), packet_bytes);
  fflush(stdout);
  serve_runs(round_encode);
  return 0;
}
