/** What an empty cache answers: gets miss, stores are not stored, deletes find nothing. */
import { Reply, Result } from '../reply.ts';
import { isStore, Operation, type Request } from '../request.ts';

export function defaultReply(request: Request): Reply {
  const { operation } = request;
  if (isStore(operation)) return new Reply(Result.notStored);
  return new Reply(operation >= Operation.flushAll ? Result.ok : Result.miss);
}
