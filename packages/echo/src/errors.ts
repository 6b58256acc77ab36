/**
 * The error class of this package. Beside the codes of its parent (an errno name, `OPTION`, `UNAVAILABLE`) it has:
 *
 * - `MISSING_PACKAGE`: the serializer's library is not installed
 * - `MALFORMED`: bytes that are no message of the serializer
 * - `CLOSED`: the server ended the connection; `STALLED`: it stopped answering
 */
import { errorFacts, HostError } from '@larder/host';

export class EchoError extends HostError {
  override readonly name: string = 'EchoError';

  static override from(error: unknown): EchoError {
    return error instanceof EchoError ? error : new EchoError(...errorFacts(error));
  }
}
