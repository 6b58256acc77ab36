/** Every kernel at every level against the plain reference. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { legalCodes } from '../codes/catalogue.ts';
import { decode, encode, encodeSchedule, update, verify } from '../codes/codec.ts';
import { createCode } from '../codes/registry.ts';
import { plan } from '../planners/planner.ts';
import { allocateSlots } from '../schedule/allocate-slots.ts';
import { executeSchedule, type XorSchedule, type XorStep } from '../schedule/xor-schedule.ts';
import { KernelMemory } from './kernel-memory.ts';
import { isZeroRegion, runSchedule, xorRegions } from './run-schedule.ts';
import { compileKernels } from './testing/build-kernels.ts';
import { CodeWriter } from './wasm-binary.ts';
import { isLevelAvailable, selectXorLevel, xorLevel, xorLevels } from './xor-level.ts';
import { XorProgram } from './xor-program.ts';

const seed = 77;
const kernelLevels = ['wasm-simd', 'wasm'] as const;

function filler(seedValue: number): (region: Uint8Array) => void {
  let state = seedValue | 1;
  return (region) => {
    for (let i = 0; i < region.length; i++) {
      state = (Math.imul(state, 69_069) + 1) >>> 0;
      region[i] = state >>> 23;
    }
  };
}

test('the compiled kernels are those of assembly/xor.ts', async () => {
  const stored = readFileSync(new URL('./xor-kernel-bytes.ts', import.meta.url), 'utf8');
  assert.equal(stored, await compileKernels(), 'run src/kernels/testing/build-kernels.ts');
});

test('XOR of any number of sources, also in place, writes the target and nothing else', () => {
  for (const level of kernelLevels) {
    assert.ok(isLevelAvailable(level));
    for (const bytes of [64, 128, 4032, 4096, 4160, 8256]) {
      const memory = new KernelMemory(1 << 20);
      for (const count of [1, 2, 3, 4, 5, 6, 7, 8, 11, 13, 20]) {
        const regions = Array.from({ length: count }, () => memory.allocate(bytes));
        const around = memory.allocate(bytes + 128);
        const target = around.subarray(64, 64 + bytes);
        regions.forEach(filler(count * bytes));
        const expected = new Uint8Array(bytes);
        for (const region of regions) for (const [i, byte] of region.entries()) expected[i]! ^= byte;
        around.fill(0xaa);
        xorRegions(target, regions, level);
        assert.deepEqual(target, expected, `${level}, ${count} sources of ${bytes} bytes`);
        assert.ok(around.subarray(0, 64).every((byte) => byte === 0xaa));
        assert.ok(around.subarray(64 + bytes).every((byte) => byte === 0xaa));
        xorRegions(regions[0]!, regions, level);
        assert.deepEqual(regions[0], expected, 'in place');
        for (const region of [...regions, around]) memory.free(region);
      }
    }
  }
});

test('sums of regions anywhere, of any length, and of none', () => {
  for (const level of xorLevels) {
    for (const bytes of [0, 1, 3, 64, 67, 1000]) {
      for (const shift of [0, 1, 4]) {
        const space = Array.from({ length: 4 }, () => new Uint8Array(bytes + 8));
        space.forEach(filler(bytes + shift));
        const regions = space.map((region) => region.subarray(shift, shift + bytes));
        const [target, a, b, c] = regions as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
        const expected = a.map((byte, i) => byte ^ b[i]! ^ c[i]!);
        xorRegions(target, [a, b, c], level);
        assert.deepEqual(target, expected);
        xorRegions(target, [], level);
        assert.ok(target.every((byte) => byte === 0));
      }
    }
    assert.throws(() => xorRegions(new Uint8Array(4), [new Uint8Array(5)], level), /differ in length/);
  }
});

test('a region is zero only when every bit is', () => {
  const memory = new KernelMemory(1 << 16);
  const region = memory.allocate(192);
  for (const level of xorLevels) {
    for (const view of [region, new Uint8Array(67)]) {
      view.fill(0);
      assert.ok(isZeroRegion(view, level));
      for (let i = 0; i < view.length; i++) {
        view[i] = 1 << (i % 8);
        assert.equal(isZeroRegion(view, level), false, `${level} byte ${i}`);
        view[i] = 0;
      }
    }
  }
});

/** A random schedule: every output and temporary from anything that is set before it. */
const schedules: fc.Arbitrary<XorSchedule> = fc
  .record({
    inputs: fc.integer({ min: 1, max: 20 }),
    outputs: fc.integer({ min: 1, max: 6 }),
    picks: fc.array(fc.array(fc.nat(), { maxLength: 30 }), { minLength: 1, maxLength: 10 }),
  })
  .map(({ inputs, outputs, picks }) => {
    const temporaries = Math.max(0, picks.length - outputs);
    const order = [
      ...Array.from({ length: temporaries }, (_, i) => inputs + outputs + i),
      ...Array.from({ length: outputs }, (_, i) => inputs + i),
    ];
    const steps: XorStep[] = [];
    const ready = Array.from({ length: inputs }, (_, i) => i);
    for (const [i, target] of order.entries()) {
      steps.push({ target, sources: (picks[i] ?? [i]).map((pick) => ready[pick % ready.length]!) });
      ready.push(target);
    }
    return { inputs, outputs, temporaries, steps, xors: 0 };
  });

test('compiled, step by step and reference give the same bytes for any schedule', () => {
  const lengths = fc.constantFrom(64, 192, 4096, 4160, 12_352);
  fc.assert(
    fc.property(schedules, lengths, fc.nat(), (schedule, bytes, fill) => {
      const memory = new KernelMemory(2 << 20);
      const make = (count: number) => Array.from({ length: count }, () => memory.allocate(bytes));
      const inputs = make(schedule.inputs);
      inputs.forEach(filler(fill));
      const kept = inputs.map((input) => input.slice());
      const expected = Array.from({ length: schedule.outputs }, () => new Uint8Array(bytes));
      executeSchedule(schedule, inputs, expected);
      const outputs = make(schedule.outputs);
      for (const level of kernelLevels) {
        for (const compileFromBytes of [0, Number.POSITIVE_INFINITY]) {
          const program = new XorProgram(schedule, level, { compileFromBytes });
          for (const output of outputs) output.fill(0x99);
          program.run(inputs, outputs);
          assert.equal(program.isCompiled, compileFromBytes === 0);
          for (const [i, output] of outputs.entries()) {
            assert.ok(Buffer.compare(output, expected[i]!) === 0, `${level} output ${i}`);
          }
          for (const [i, input] of inputs.entries()) assert.ok(Buffer.compare(input, kept[i]!) === 0);
        }
      }
    }),
    { seed, numRuns: 60 },
  );
});

test('every code up to ten nodes, and plans for its nodes, compiled and by the reference', () => {
  const memory = new KernelMemory(4 << 20);
  const bytes = 128;
  for (const code of legalCodes({ nodesMax: 10, shortened: 'tightest', extraBits: 0, parityNodesMax: 4 })) {
    const lost = code.nodes >>> 1;
    for (const schedule of [encodeSchedule(code), plan({ code, lostNode: lost }).schedule]) {
      const regions = Array.from({ length: schedule.inputs + schedule.outputs }, () =>
        memory.allocate(bytes),
      );
      regions.forEach(filler(schedule.xors));
      const [inputs, outputs] = [regions.slice(0, schedule.inputs), regions.slice(schedule.inputs)];
      const expected = outputs.map(() => new Uint8Array(bytes));
      executeSchedule(schedule, inputs, expected);
      for (const level of kernelLevels) {
        new XorProgram(schedule, level, { compileFromBytes: 0 }).run(inputs, outputs);
        for (const [i, output] of outputs.entries()) {
          assert.ok(Buffer.compare(output, expected[i]!) === 0, `${code.id}, ${level}`);
        }
      }
      for (const region of regions) memory.free(region);
    }
  }
});

test('a program is compiled once it has been used enough, and goes on giving the same', () => {
  const schedule = encodeSchedule(createCode('crs', { k: 3, m: 2 }));
  const memory = new KernelMemory(1 << 20);
  const regions = Array.from({ length: schedule.inputs + schedule.outputs }, () => memory.allocate(4096));
  regions.forEach(filler(3));
  const [inputs, outputs] = [regions.slice(0, schedule.inputs), regions.slice(schedule.inputs)];
  const program = new XorProgram(schedule, 'wasm-simd', { compileFromBytes: 10_000 });
  const results = [1, 2, 3, 4].map(() => {
    for (const output of outputs) output.fill(0);
    program.run(inputs, outputs);
    return { isCompiled: program.isCompiled, bytes: Buffer.concat(outputs).toString('base64') };
  });
  assert.deepEqual(
    results.map((result) => result.isCompiled),
    [false, false, true, true],
  );
  assert.equal(new Set(results.map((result) => result.bytes)).size, 1);
});

test('regions that a program cannot take are refused', () => {
  const schedule = allocateSlots(2, 1, [{ operand: 2, sources: [0, 1] }]);
  const program = new XorProgram(schedule, 'wasm-simd');
  const memory = new KernelMemory(1 << 16);
  const [a, b, c] = [memory.allocate(640), memory.allocate(640), memory.allocate(640)];
  const cut = (region: Uint8Array, bytes: number) => region.subarray(0, bytes);
  assert.throws(
    () => program.run([cut(a, 63), cut(b, 63)], [cut(c, 63)]),
    /multiple of 64 bytes long, not 63/,
  );
  assert.throws(() => program.run([a, b], [cut(c, 64)]), /differ in length: 64 and 640/);
  assert.throws(() => program.run([a], [c]), /2 inputs and 1 outputs, not 1 and 1/);
  assert.throws(() => program.run([a, b], [a]), /overlaps/);
  assert.throws(() => program.run([a, b], [new Uint8Array(640)]), /one kernel memory/);
  const other = new KernelMemory(1 << 16).allocate(640);
  assert.throws(() => program.run([a, other], [c]), /one kernel memory/);
  program.run([a, a], [c]);
  assert.ok(isZeroRegion(c), 'the same input twice is allowed');
});

test('encode, decode, update and verify agree with the reference at every length, in kernel memory and out of it', () => {
  const codes = [...legalCodes({ nodesMax: 8, shortened: 'tightest', extraBits: 0, parityNodesMax: 3 })];
  const lengths = fc.constantFrom(1, 63, 64, 320, 4160, 20_001);
  fc.assert(
    fc.property(fc.nat(), lengths, fc.nat(), fc.boolean(), (pick, symbolBytes, fill, isInMemory) => {
      const code = codes[pick % codes.length]!;
      const bytes = symbolBytes * code.rows;
      const memory = isInMemory ? new KernelMemory(code.nodes * (bytes + 1024) + (1 << 20)) : undefined;
      const make = () =>
        Array.from({ length: code.nodes }, () => memory?.allocate(bytes) ?? new Uint8Array(bytes));
      const shards = make();
      shards.forEach(filler(fill));
      const expected = shards.map((shard) => shard.slice());
      const region = (symbol: number) => {
        const at = (symbol % code.rows) * symbolBytes;
        return expected[Math.floor(symbol / code.rows)]!.subarray(at, at + symbolBytes);
      };
      executeSchedule(
        encodeSchedule(code),
        Array.from(code.dataSymbols, region),
        Array.from(code.paritySymbols, region),
      );
      encode(code, shards);
      const same = (what: string) => {
        for (const [node, shard] of shards.entries()) {
          assert.ok(Buffer.compare(shard, expected[node]!) === 0, `${code.id}: ${what}, node ${node}`);
        }
      };
      same('encode');
      assert.ok(verify(code, shards).consistent);
      const lost = [fill % code.nodes];
      for (const node of lost) shards[node]!.fill(0xdd);
      assert.equal(verify(code, shards).consistent, false);
      decode(code, shards, { nodes: lost });
      same('decode');
      const symbol = code.dataSymbols[fill % code.dataSymbols.length]!;
      const fresh = memory?.allocate(symbolBytes) ?? new Uint8Array(symbolBytes);
      filler(fill + 1)(fresh);
      update(code, shards, symbol, fresh);
      region(symbol).set(fresh);
      executeSchedule(
        encodeSchedule(code),
        Array.from(code.dataSymbols, region),
        Array.from(code.paritySymbols, region),
      );
      same('update');
    }),
    { seed, numRuns: 60 },
  );
});

test('staged regions of every length and place', () => {
  const schedule = encodeSchedule(createCode('evenodd', { p: 5 }));
  for (const level of kernelLevels) {
    for (const bytes of [1, 64, 16_384, 16_385, 50_000]) {
      const space = Array.from(
        { length: schedule.inputs + schedule.outputs },
        () => new Uint8Array(bytes + 1),
      );
      space.forEach(filler(bytes));
      const regions = space.map((region, i) => region.subarray(i % 2, bytes + (i % 2)));
      const [inputs, outputs] = [regions.slice(0, schedule.inputs), regions.slice(schedule.inputs)];
      const expected = outputs.map((output) => output.slice());
      executeSchedule(schedule, inputs, expected);
      // Twice: step by step first, and beyond a megabyte compiled.
      for (let round = 0; round < Math.ceil((1 << 20) / bytes / 20) && round < 5; round++) {
        runSchedule(schedule, inputs, outputs, level);
        for (const [i, output] of outputs.entries()) assert.ok(Buffer.compare(output, expected[i]!) === 0);
      }
    }
    assert.throws(
      () => runSchedule(schedule, [new Uint8Array(3)], [], level),
      /15 inputs and 8 outputs|20 inputs and 8 outputs/,
    );
  }
});

test('one place selects the level, and LARDER_XOR forces it', () => {
  const all = () => true;
  assert.equal(selectXorLevel(undefined, all), 'wasm-simd');
  assert.equal(
    selectXorLevel('', (level) => level !== 'wasm-simd'),
    'wasm',
  );
  for (const level of xorLevels) assert.equal(selectXorLevel(level, all), level);
  assert.throws(
    () => selectXorLevel('avx512', all),
    /LARDER_XOR is wasm-simd, wasm, reference, not "avx512"/,
  );
  assert.throws(() => selectXorLevel('wasm', (level) => level === 'reference'), /no such kernels/);
  const index = fileURLToPath(new URL('../index.ts', import.meta.url));
  const script = `import { xorLevel } from ${JSON.stringify(index)}; process.stdout.write(xorLevel());`;
  for (const level of ['reference', 'wasm']) {
    const { stdout } = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', script], {
      env: { ...process.env, LARDER_XOR: level },
      encoding: 'utf8',
    });
    assert.equal(stdout, level);
  }
  assert.ok(xorLevels.includes(xorLevel()));
});

test('numbers are written as LEB128', () => {
  const written = (write: (code: CodeWriter) => void): number[] => {
    const code = new CodeWriter();
    write(code);
    return [...code.finish()];
  };
  assert.deepEqual(
    written((code) => code.unsigned(624_485)),
    [0xe5, 0x8e, 0x26],
  );
  assert.deepEqual(
    written((code) => code.signed(-123_456)),
    [0xc0, 0xbb, 0x78],
  );
  assert.deepEqual(
    written((code) => code.signed(64)),
    [0xc0, 0x00],
  );
  assert.deepEqual(
    written((code) => code.unsigned(2 ** 32 - 1)),
    [0xff, 0xff, 0xff, 0xff, 0x0f],
  );
});
