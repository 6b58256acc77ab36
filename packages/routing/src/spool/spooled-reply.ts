/**
 * The answer to a delete that could not be delivered and is in the spool now: not found, as mcrouter answers.
 * `failure` is what really happened, for a failover above that wants to tell the gutter as well.
 */
import { Reply, Result } from '../reply.ts';

export class SpooledReply extends Reply {
  readonly failure: Result;

  constructor(reply: Reply) {
    super(Result.miss);
    this.failure = reply.result;
    this.destination = reply.destination;
  }
}
