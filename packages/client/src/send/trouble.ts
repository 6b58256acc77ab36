/** Failed replies as errors of this package. */
import { RESULT_NAMES, type Reply, Result } from '@larder/routing';
import { CacheError, CacheErrorCode } from '../errors.ts';

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

/** Whether there was no answer at all, which is what makes the flow-control window smaller. */
export function isLoss(result: Result): boolean {
  return result === Result.timeout || result === Result.aborted || result === Result.connectTimeout;
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
