/**
 * The one error class of this package. `code` is stable: an errno name such as `EADDRINUSE` when the system
 * refused something, or `OPTION` (an option's value makes no sense), `UNAVAILABLE` (the machine cannot do what was
 * asked for), `WORKER` (a worker thread died).
 */
import { errorFacts, HostError } from '@larder/host';

export class ServerError extends HostError {
  override readonly name: string = 'ServerError';

  static override from(error: unknown): ServerError {
    return error instanceof ServerError ? error : new ServerError(...errorFacts(error));
  }
}
