/**
 * Which results make a failover: `failover_errors` of FailoverRoute, FailoverWithExptimeRoute and LatestRoute, a
 * list for everything or an object with a list each for `gets`, `updates` and `deletes`. Without it every error
 * does but a request's own fault.
 */
import { z } from 'zod';
import { isFailover, Result } from '../reply.ts';
import { isDelete, isRetrieval, type Operation } from '../request.ts';

/** mcrouter's names of errors; those that cannot happen here are accepted and never match. */
const ERRORS: Readonly<Record<string, readonly Result[]>> = {
  aborted: [Result.aborted],
  bad_cas_id: [],
  bad_command: [],
  bad_exptime: [],
  bad_flags: [],
  bad_key: [],
  bad_lease_id: [],
  bad_value: [],
  busy: [Result.busy],
  client_error: [Result.clientError],
  connect_error: [Result.connectError],
  connect_timeout: [Result.connectTimeout],
  deadline_exceeded: [],
  local_error: [Result.localError],
  ooo: [],
  remote_error: [Result.serverError],
  server_error: [Result.serverError],
  shutdown: [Result.shutdown],
  timeout: [Result.timeout],
  tko: [Result.tko],
  try_again: [],
  unknown: [],
};

const list: z.ZodType<readonly string[]> = z.array(z.enum(Object.keys(ERRORS)));
export type FailoverErrorsJson =
  | readonly string[]
  | {
      readonly gets?: readonly string[] | undefined;
      readonly updates?: readonly string[] | undefined;
      readonly deletes?: readonly string[] | undefined;
    };
export const failoverErrorsJson: z.ZodType<FailoverErrorsJson> = z.union(
  [list, z.strictObject({ gets: list.optional(), updates: list.optional(), deletes: list.optional() })],
  {
    error: `expected a list of errors, or an object with such lists as gets, updates, deletes; errors: ${Object.keys(ERRORS).join(', ')}`,
  },
);

export class FailoverErrors {
  readonly #gets: ReadonlySet<Result> | undefined;
  readonly #updates: ReadonlySet<Result> | undefined;
  readonly #deletes: ReadonlySet<Result> | undefined;

  constructor(json: FailoverErrorsJson | undefined) {
    const lists = json === undefined || isList(json) ? { gets: json, updates: json, deletes: json } : json;
    this.#gets = setOf(lists.gets);
    this.#updates = setOf(lists.updates);
    this.#deletes = setOf(lists.deletes);
  }

  /** Whether another child should be asked after this result. */
  matches(result: Result, operation: Operation): boolean {
    const results = isRetrieval(operation) ? this.#gets : isDelete(operation) ? this.#deletes : this.#updates;
    return results === undefined ? isFailover(result) : results.has(result);
  }
}

function isList(json: FailoverErrorsJson): json is readonly string[] {
  return Array.isArray(json);
}

function setOf(names: readonly string[] | undefined): ReadonlySet<Result> | undefined {
  return names === undefined ? undefined : new Set(names.flatMap((name) => ERRORS[name] ?? []));
}
