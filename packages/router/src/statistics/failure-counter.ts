/** Which counter a failed request goes to. */
import { Result } from '@larder/routing';
import {
  FAILED_ABORTED,
  FAILED_BUSY,
  FAILED_CONNECT,
  FAILED_OTHER,
  FAILED_TIMEOUT,
  FAILED_TKO,
} from './counters.ts';

export function failureCounter(result: Result): number {
  switch (result) {
    case Result.timeout:
      return FAILED_TIMEOUT;
    case Result.connectError:
    case Result.connectTimeout:
      return FAILED_CONNECT;
    case Result.tko:
      return FAILED_TKO;
    case Result.busy:
      return FAILED_BUSY;
    case Result.aborted:
      return FAILED_ABORTED;
    default:
      return FAILED_OTHER;
  }
}
