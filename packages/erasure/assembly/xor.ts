/**
 * The XOR kernels, in AssemblyScript. Compiled twice: with SIMD (128-bit
 * vectors) and without (64-bit words); `src/kernels/testing/build-kernels.ts`
 * does it and writes the bytes into `src/kernels/xor-kernel-bytes.ts`.
 *
 * Lengths are multiples of 64 bytes. Sources are summed four at a time over
 * blocks of 4 KB: the target's block stays in the L1 cache between the groups,
 * and four streams leave room in it even when all sources begin at the same
 * offset of a page, where a dozen streams would push one another out.
 */

const BLOCK_BYTES: usize = 4096;
const STEP_BYTES: usize = 64;

/**
 * target = XOR of `count` sources, whose addresses stand in `table` (32 bits
 * each). `count` is at least 1; the target may be the first of the sources.
 */
export function xor(target: usize, table: usize, count: i32, bytes: usize): void {
  for (let offset: usize = 0; offset < bytes; offset += BLOCK_BYTES) {
    const length = min(BLOCK_BYTES, bytes - offset);
    const to = target + offset;
    let taken = min(4, count);
    sum(to, address(table, 0) + offset, table, 1, taken - 1, offset, length);
    while (taken < count) {
      const group = min(3, count - taken);
      sum(to, to, table, taken, group, offset, length);
      taken += group;
    }
  }
}

function address(table: usize, index: i32): usize {
  return load<u32>(table + ((<usize>index) << 2)) as usize;
}

/** to = first XOR `more` (0 to 3) sources of the table. */
function sum(
  to: usize,
  first: usize,
  table: usize,
  index: i32,
  more: i32,
  offset: usize,
  length: usize,
): void {
  const a = first;
  const b = more > 0 ? address(table, index) + offset : a;
  const c = more > 1 ? address(table, index + 1) + offset : a;
  const d = more > 2 ? address(table, index + 2) + offset : a;
  if (more === 3) {
    for (let i: usize = 0; i < length; i += STEP_BYTES) {
      if (ASC_FEATURE_SIMD) {
        const p = v128.xor(
          v128.xor(v128.load(a + i), v128.load(b + i)),
          v128.xor(v128.load(c + i), v128.load(d + i)),
        );
        const q = v128.xor(
          v128.xor(v128.load(a + i, 16), v128.load(b + i, 16)),
          v128.xor(v128.load(c + i, 16), v128.load(d + i, 16)),
        );
        const r = v128.xor(
          v128.xor(v128.load(a + i, 32), v128.load(b + i, 32)),
          v128.xor(v128.load(c + i, 32), v128.load(d + i, 32)),
        );
        const s = v128.xor(
          v128.xor(v128.load(a + i, 48), v128.load(b + i, 48)),
          v128.xor(v128.load(c + i, 48), v128.load(d + i, 48)),
        );
        v128.store(to + i, p);
        v128.store(to + i, q, 16);
        v128.store(to + i, r, 32);
        v128.store(to + i, s, 48);
      } else {
        for (let j: usize = i; j < i + STEP_BYTES; j += 16) {
          const p = load<u64>(a + j) ^ load<u64>(b + j) ^ load<u64>(c + j) ^ load<u64>(d + j);
          const q = load<u64>(a + j, 8) ^ load<u64>(b + j, 8) ^ load<u64>(c + j, 8) ^ load<u64>(d + j, 8);
          store<u64>(to + j, p);
          store<u64>(to + j, q, 8);
        }
      }
    }
  } else if (more === 0) {
    memory.copy(to, a, length);
  } else {
    few(to, a, b, c, more, length);
  }
}

/** to = a XOR b, or a XOR b XOR c. */
function few(to: usize, a: usize, b: usize, c: usize, more: i32, length: usize): void {
  if (more === 1) {
    for (let i: usize = 0; i < length; i += 32) {
      if (ASC_FEATURE_SIMD) {
        const p = v128.xor(v128.load(a + i), v128.load(b + i));
        const q = v128.xor(v128.load(a + i, 16), v128.load(b + i, 16));
        v128.store(to + i, p);
        v128.store(to + i, q, 16);
      } else {
        for (let j: usize = i; j < i + 32; j += 16) {
          const p = load<u64>(a + j) ^ load<u64>(b + j);
          const q = load<u64>(a + j, 8) ^ load<u64>(b + j, 8);
          store<u64>(to + j, p);
          store<u64>(to + j, q, 8);
        }
      }
    }
    return;
  }
  for (let i: usize = 0; i < length; i += 32) {
    if (ASC_FEATURE_SIMD) {
      const p = v128.xor(v128.xor(v128.load(a + i), v128.load(b + i)), v128.load(c + i));
      const q = v128.xor(v128.xor(v128.load(a + i, 16), v128.load(b + i, 16)), v128.load(c + i, 16));
      v128.store(to + i, p);
      v128.store(to + i, q, 16);
    } else {
      for (let j: usize = i; j < i + 32; j += 16) {
        const p = load<u64>(a + j) ^ load<u64>(b + j) ^ load<u64>(c + j);
        const q = load<u64>(a + j, 8) ^ load<u64>(b + j, 8) ^ load<u64>(c + j, 8);
        store<u64>(to + j, p);
        store<u64>(to + j, q, 8);
      }
    }
  }
}

/** 1 when all bytes are zero, otherwise 0. */
export function isZero(region: usize, bytes: usize): i32 {
  for (let offset: usize = 0; offset < bytes; offset += STEP_BYTES) {
    const at = region + offset;
    if (ASC_FEATURE_SIMD) {
      const low = v128.or(v128.load(at), v128.load(at, 16));
      const high = v128.or(v128.load(at, 32), v128.load(at, 48));
      if (v128.any_true(v128.or(low, high))) return 0;
    } else {
      const low = load<u64>(at) | load<u64>(at, 8) | load<u64>(at, 16) | load<u64>(at, 24);
      const high = load<u64>(at, 32) | load<u64>(at, 40) | load<u64>(at, 48) | load<u64>(at, 56);
      if (low | high) return 0;
    }
  }
  return 1;
}
