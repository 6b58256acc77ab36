/** What the processes of the benchmark tell each other: plain data. */
import type { LatencyPoint } from '../load/plan.ts';
import type { StoreLayout } from './store/store-file.ts';

/** Where a process finds the store and what is asked for. */
export interface StorePlan {
  readonly path: string;
  readonly layout: StoreLayout;
  /** The workload's name, and how far it is reduced. */
  readonly workload: string;
  readonly objectsMax: number;
  readonly requestsMax: number;
}

export type Protocol = 'tcp' | 'udp';

export type ServerCommand =
  | {
      readonly kind: 'prepare';
      readonly store: StorePlan;
      readonly slot: number;
      readonly serializer: string;
      /** From which size on a hybrid one references; NEVER_BYTES of the measurement for never. */
      readonly referenceBytesMin: number;
    }
  /** Answers requests over the simulated NIC for so long, in this process alone. */
  | { readonly kind: 'simulate'; readonly seconds: number }
  /** Answers requests over a kernel transport until the process is ended. */
  | { readonly kind: 'serve'; readonly transport: 'uring' | 'epoll'; readonly protocol: Protocol };

export type ServerReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'simulated'; readonly result: RunNumbers }
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'failed'; readonly code: string; readonly text: string };

/** One run of one contestant. */
export interface RunNumbers {
  readonly requests: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly lost: number;
  readonly latency: readonly LatencyPoint[];
}

export type LoadCommand =
  | { readonly kind: 'prepare'; readonly store: StorePlan }
  | { readonly kind: 'check'; readonly target: LoadTarget; readonly requests: number }
  | {
      readonly kind: 'run';
      readonly target: LoadTarget;
      readonly connections: number;
      readonly depth: number;
      readonly rampSeconds: number;
      readonly seconds: number;
      /** Requests arriving at random at this rate; 0 for a closed loop. */
      readonly ratePerSecond: number;
    };

/** A server, whose slot has the requests in its serializer's format. */
export interface LoadTarget {
  readonly protocol: Protocol;
  readonly port: number;
  readonly slot: number;
  readonly serializer: string;
  readonly pid: number;
}

export type LoadReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'checked' }
  | { readonly kind: 'result'; readonly result: RunNumbers }
  | { readonly kind: 'failed'; readonly code: string; readonly text: string };
