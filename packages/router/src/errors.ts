/** The one error class of this package. `code` is stable: `OPTION`, `CONFIG`, `CONFIG_SOURCE`, `WORKER`, or an errno name such as `EADDRINUSE`. */
import { errorFacts, HostError } from '@larder/host';

export class RouterError extends HostError {
  override readonly name: string = 'RouterError';

  static override from(error: unknown): RouterError {
    return error instanceof RouterError ? error : new RouterError(...errorFacts(error));
  }
}
