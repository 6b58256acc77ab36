/**
 * Memcache classic text, meta text, the binary protocol and UDP frames over an arena: bytes to requests and back. No sockets, no
 * state outside instances; keys are offsets, never strings.
 */
export {
  BINARY_HEADER_BYTES,
  BINARY_REQUEST_MAGIC,
  BinaryOpcode,
  BinaryRequest,
  BinaryStatus,
  writeBinaryHeader,
} from './binary/header.ts';
export * from './bytes/ascii.ts';
export { base64Decode, base64Encode, base64Length } from './bytes/base64.ts';
export {
  digitsOf,
  isDigit,
  NOT_A_NUMBER,
  readSigned,
  readU32,
  readUnsigned,
  WideDecimal,
  writeU32,
} from './bytes/decimal.ts';
export { ByteScanner } from './bytes/scan.ts';
export { LineTokens } from './bytes/tokens.ts';
export { ByteWriter } from './bytes/writer.ts';
export { FlushRequest, NumberRequest } from './classic/admin.ts';
export { ArithmeticRequest, composeArithmetic } from './classic/arithmetic.ts';
export { Command, CommandTable } from './classic/command.ts';
export { composeDelete, DeleteRequest, HOLDOFF_SECONDS_MAX } from './classic/delete.ts';
export { composeGet, composeGetAndTouch, composeKey, KeyList, KeyStep } from './classic/get.ts';
export { composeLeaseSet, LeaseSetRequest } from './classic/lease.ts';
export { ClassicReply, ReplyKind } from './classic/reply.ts';
export { RequestStatus, STATUS_TEXTS } from './classic/status.ts';
export { composeCas, composeStore, NOREPLY, StoreRequest } from './classic/store.ts';
export { composeTouch, TouchRequest } from './classic/touch.ts';
export * from './limits.ts';
export { MetaArithmeticRequest } from './meta/arithmetic.ts';
export { MetaDebugRequest } from './meta/debug.ts';
export { MetaDeleteRequest } from './meta/delete.ts';
export * from './meta/flags.ts';
export { composeMeta, composeMetaKey, MetaGetRequest } from './meta/get.ts';
export { composeMetaNoop } from './meta/noop.ts';
export {
  composeMetaSet,
  MetaSetRequest,
  SET_MODE_ADD,
  SET_MODE_APPEND,
  SET_MODE_PREPEND,
  SET_MODE_REPLACE,
  SET_MODE_SET,
} from './meta/set.ts';
export { ReplyFault, ReplyItem, ReplyReader, readWide } from './replies/reply-reader.ts';
export { isInPlace, isLast, ReplyScanner } from './replies/reply-scanner.ts';
export { ReplyShape } from './replies/reply-shape.ts';
export {
  addKey,
  beginRetrieval,
  putArithmetic,
  putDelete,
  putLeaseSet,
  putMeta,
  putStore,
  putTouch,
  REQUEST_LINE_BYTES_MAX,
  RETRIEVAL_KEY_BYTES_MAX,
} from './requests/compose.ts';
export {
  putBytes,
  putKey,
  putLineEnd,
  putNumber,
  putSpace,
  putWide,
  putWord,
  putWords,
  wordBytes,
} from './requests/put.ts';
export { FrameHeader, writeFrameHeader } from './udp/frame.ts';
export { Reassembly, type ReassemblyOptions, ReassemblyOutcome } from './udp/reassembly.ts';
