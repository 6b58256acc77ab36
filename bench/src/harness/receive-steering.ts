/**
 * Two machines on one: a network namespace of its own whose loopback steers received packets to the CPU of the
 * process that receives them (RPS and RFS, Linux's Documentation/networking/scaling).
 *
 * On plain loopback the sender's CPU also does the receiver's work: it takes every packet up to the receiving
 * socket. That work is the same for all servers and hides what differs between them. Between two machines each
 * pays for its own receiving, and so it is here.
 *
 * Needs root. One setting is the whole machine's, net.core.rps_sock_flow_entries: it has no effect on interfaces
 * without steering and is put back at the end.
 */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { BenchError } from '../errors.ts';

const INSIDE_VARIABLE = 'LARDER_BENCH_STEERED';
const FLOW_ENTRIES_FILE = '/proc/sys/net/core/rps_sock_flow_entries';
const FLOW_ENTRIES = '32768';
/** All CPUs may receive; which one does follows the flow. */
const SCRIPT = `set -e
ip link set lo up
mount -t sysfs none /sys
printf %x $(( (1 << $(nproc)) - 1 )) > /sys/class/net/lo/queues/rx-0/rps_cpus
echo 4096 > /sys/class/net/lo/queues/rx-0/rps_flow_cnt
exec "$@"`;
const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM'];

/** Whether this process runs inside such a namespace. */
export function isSteered(): boolean {
  return process.env[INSIDE_VARIABLE] !== undefined;
}

/** Runs this process's command line again inside a namespace; returns its exit status. */
export async function runSteered(): Promise<number> {
  const before = readFlowEntries();
  try {
    writeFileSync(FLOW_ENTRIES_FILE, FLOW_ENTRIES);
    return await runInside();
  } catch (error) {
    throw new BenchError(
      'MISSING',
      `--receive-steering needs root on Linux: ${BenchError.from(error).message}`,
    );
  } finally {
    writeFileSync(FLOW_ENTRIES_FILE, before);
  }
}

function readFlowEntries(): string {
  try {
    return readFileSync(FLOW_ENTRIES_FILE, 'latin1');
  } catch {
    throw new BenchError('MISSING', '--receive-steering needs a Linux kernel with RPS');
  }
}

function runInside(): Promise<number> {
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  return new Promise((resolve, reject) => {
    const child = spawn('unshare', ['--net', '--mount', 'sh', '-c', SCRIPT, 'sh', ...command], {
      stdio: 'inherit',
      env: { ...process.env, [INSIDE_VARIABLE]: '1' },
    });
    // A terminal's Ctrl-C reaches the child by itself; this process stays to put the setting back.
    const forward = (signal: NodeJS.Signals): void => {
      if (signal !== 'SIGINT') child.kill(signal);
    };
    for (const signal of SIGNALS) process.on(signal, forward);
    child.on('error', reject);
    child.on('exit', (code) => {
      for (const signal of SIGNALS) process.off(signal, forward);
      resolve(code ?? 1);
    });
  });
}
