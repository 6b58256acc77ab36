/**
 * How the end of a reply is found: which form the reply to a request has.
 *
 * ```
 *   line        STORED\r\n                                      every command but the ones below
 *   values      (VALUE … \r\n<data>\r\n)* END\r\n               get, gets, gat, gats
 *   leases      (VALUE … | LVALUE … | NOT_FOUND_HOT)* END\r\n   lease-get
 *   meta        VA <bytes> <flag>*\r\n<data>\r\n | <line>       mg, ma; also ms, md, mn
 *   statistics  (STAT … \r\n)* END\r\n                          stats
 * ```
 *
 * Any of them may be an error line instead: ERROR, CLIENT_ERROR text, SERVER_ERROR text.
 */
export const ReplyShape: {
  readonly line: 0;
  readonly values: 1;
  readonly leases: 2;
  readonly meta: 3;
  readonly statistics: 4;
} = { line: 0, values: 1, leases: 2, meta: 3, statistics: 4 };
export type ReplyShape = (typeof ReplyShape)[keyof typeof ReplyShape];
