/** The machine a result was measured on. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, cpus, release, totalmem } from 'node:os';

export interface Machine {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGigabytes: number;
  readonly kernel: string;
  readonly system: string;
  readonly architecture: string;
  readonly node: string;
  readonly memcached: string;
}

/** The same, for benchmarks without memcached. */
export type BenchMachine = Omit<Machine, 'memcached'>;

export function describeBenchMachine(): BenchMachine {
  const { memcached: _, ...machine } = describeMachine('memcached');
  return machine;
}

/** `memcached` is the program that is compared with. */
export function describeMachine(memcached: string): Machine {
  const all = cpus();
  return {
    date: new Date().toISOString(),
    cpu: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    system: systemName(),
    architecture: arch(),
    node: process.version,
    memcached: spawnSync(memcached, ['-V'], { encoding: 'latin1' }).stdout?.trim() || 'not installed',
  };
}

function systemName(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'latin1'))?.[1] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}
