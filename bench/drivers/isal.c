/*
 * ISA-L beside Larder:
 *
 *   isal xor <sources> <bytes>        xor_gen: one region as the XOR of others
 *   isal rs <k> <m> <bytes>           ec_encode_data: Reed-Solomon over GF(2^8)
 */
#include <isa-l.h>

#include "xor-peers.h"

enum { REGIONS_MAX = 64 };

static unsigned char *regions[REGIONS_MAX];
static unsigned char tables[32 * REGIONS_MAX * REGIONS_MAX];
static int sources, parities;
static size_t bytes;

static void round_xor(void) { xor_gen(sources + 1, (int)bytes, (void **)regions); }

static void round_rs(void) {
  ec_encode_data((int)bytes, sources, parities, tables, regions, regions + sources);
}

int main(int argc, char **argv) {
  int is_xor = argc == 4 && strcmp(argv[1], "xor") == 0;
  int is_rs = argc == 5 && strcmp(argv[1], "rs") == 0;
  if (!is_xor && !is_rs) return 2;
  sources = atoi(argv[2]);
  parities = is_xor ? 1 : atoi(argv[3]);
  bytes = (size_t)atol(argv[argc - 1]);
  if (sources < 2 || parities < 1 || sources + parities > REGIONS_MAX || bytes % 64 != 0) return 2;
  for (int i = 0; i < sources + parities; i++) {
    regions[i] = page_aligned(bytes);
    fill_region((uint32_t *)regions[i], bytes, (uint32_t)i);
  }
  if (is_rs) {
    static unsigned char matrix[REGIONS_MAX * REGIONS_MAX];
    gf_gen_cauchy1_matrix(matrix, sources + parities, sources);
    ec_init_tables(sources, parities, matrix + sources * sources, tables);
  }
  void (*round)(void) = is_xor ? round_xor : round_rs;
  round();
  uint32_t hash = hash_region(2166136261u, (uint32_t *)regions[sources], bytes);
  printf("ready %u ISA-L %s\n", is_xor ? hash : 0, is_xor ? "xor_gen" : "ec_encode_data");
  fflush(stdout);
  serve_runs(round);
  return 0;
}
