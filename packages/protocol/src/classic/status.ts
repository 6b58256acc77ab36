/**
 * What parsing a request line comes to, and memcached's words for it. A status other than `ok` is answered
 * with its text; whether the data block of a storage command is known and must be thrown away is the
 * parser's to say (`valueBytes >= 0`).
 */
export const RequestStatus: {
  readonly ok: 0;
  readonly error: 1;
  readonly badFormat: 2;
  readonly badExptime: 3;
  readonly badDelta: 4;
  readonly badDelete: 5;
  readonly duplicateFlag: 6;
  readonly invalidFlag: 7;
  readonly badToken: 8;
  readonly badKeyEncoding: 9;
  readonly badModeLength: 10;
  readonly badSetMode: 11;
  readonly badArithmeticMode: 12;
  readonly badInitial: 13;
  readonly badMetaDelta: 14;
  readonly opaqueTooLong: 15;
  readonly flagsTooMany: 16;
  readonly invalidOrDuplicateFlag: 17;
  readonly setFlagsTooMany: 18;
} = {
  ok: 0,
  error: 1,
  badFormat: 2,
  badExptime: 3,
  badDelta: 4,
  badDelete: 5,
  duplicateFlag: 6,
  invalidFlag: 7,
  badToken: 8,
  badKeyEncoding: 9,
  badModeLength: 10,
  badSetMode: 11,
  badArithmeticMode: 12,
  badInitial: 13,
  badMetaDelta: 14,
  opaqueTooLong: 15,
  flagsTooMany: 16,
  invalidOrDuplicateFlag: 17,
  setFlagsTooMany: 18,
};
export type RequestStatus = (typeof RequestStatus)[keyof typeof RequestStatus];

/** The reply line (without its terminator) for each status. */
export const STATUS_TEXTS: readonly string[] = [
  '',
  'ERROR',
  'CLIENT_ERROR bad command line format',
  'CLIENT_ERROR invalid exptime argument',
  'CLIENT_ERROR invalid numeric delta argument',
  'CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]',
  'CLIENT_ERROR duplicate flag',
  'CLIENT_ERROR invalid flag',
  'CLIENT_ERROR bad token in command line format',
  'CLIENT_ERROR error decoding key',
  'CLIENT_ERROR incorrect length for M token',
  'CLIENT_ERROR invalid mode for ms M token',
  'CLIENT_ERROR invalid mode for ma M token',
  'CLIENT_ERROR invalid numeric initial value',
  'CLIENT_ERROR invalid numeric delta value',
  'CLIENT_ERROR opaque token too long',
  'CLIENT_ERROR options flags are too long',
  'CLIENT_ERROR invalid or duplicate flag',
  'CLIENT_ERROR options flags too long',
];
