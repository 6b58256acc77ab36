/** Failed replies as errors of this package. */
import { RESULT_NAMES, type Reply, Result } from '@larder/routing';
import { CacheError, CacheErrorCode } from '../errors.ts';
import { WindowOutcome } from '../flow/window.ts';

function codeOf(result: Result): CacheErrorCode {
  switch (result) {
    case Result.timeout:
    case Result.connectTimeout:
      return CacheErrorCode.timeout;
    case Result.tko:
    case Result.busy:
    case Result.localError:
      return CacheErrorCode.unavailable;
    case Result.shutdown:
      return CacheErrorCode.closed;
    case Result.clientError:
    case Result.serverError:
      return CacheErrorCode.server;
    default:
      return CacheErrorCode.connection;
  }
}

/** What a result says about the network, for the flow-control window. */
export function windowOutcome(result: Result): WindowOutcome {
  switch (result) {
    case Result.timeout:
    case Result.aborted:
    case Result.connectTimeout:
      return WindowOutcome.lost;
    case Result.tko:
    case Result.busy:
    case Result.connectError:
    case Result.shutdown:
    case Result.localError:
      return WindowOutcome.refused;
    default:
      return WindowOutcome.answered;
  }
}

export function troubleOf(result: Result, message: string, server: string, key: string): CacheError {
  const name = RESULT_NAMES[result] ?? 'unknown';
  const text = message === '' ? name.replace('_', ' ') : message;
  const at = server === '' ? '' : ` (${server})`;
  return new CacheError(codeOf(result), `${text}${at}`, { key, server });
}

export function troubleOfReply(reply: Reply, key: string): CacheError {
  return troubleOf(reply.result, reply.message, reply.destination?.label ?? '', key);
}
