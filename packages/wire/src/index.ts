/** Zero-copy serialization: builders' and views' runtime, sending, and counted buffers. */
export { copyOf } from './decode/copy-of.ts';
export { BytesListView, MessageListView, StringListView, type ViewClass } from './decode/lists.ts';
export { MapView } from './decode/map-view.ts';
export { Memory } from './decode/memory.ts';
export { type ByteRange, Message, type MessageHolder } from './decode/message.ts';
export * from './decode/packed.ts';
export { popcount } from './decode/popcount.ts';
export type { FieldShape, PairShape, Shape, ShapedClass } from './decode/shape.ts';
export { View } from './decode/view.ts';
export { BytesListBuilder } from './encode/bytes-list-builder.ts';
export { Encoder, type ReferenceTarget } from './encode/encoder.ts';
export type { LivePlaces } from './encode/live-places.ts';
export { MapBuilder, MessageMapBuilder } from './encode/map-builder.ts';
export { MessageListBuilder } from './encode/message-list-builder.ts';
export * from './encode/numbers.ts';
export * from './encode/peek.ts';
export { adopt } from './encode/relay.ts';
export type { WireObject } from './encode/wire-object.ts';
export { WireError, WireErrorCode } from './errors.ts';
export * from './limits.ts';
export * from './map-codecs.ts';
export { CopyOnWrite } from './memory/copy-on-write.ts';
export { setDevelopmentMode } from './memory/development.ts';
export { type Leak, leakReport, RcBuf, trackLeaks } from './memory/rc-buf.ts';
export { ReferencePolicy, type ReferencePolicyOptions } from './memory/reference-policy.ts';
export { type BufferOwners, SendMemory, type SendMemoryOptions } from './memory/send-memory.ts';
export { WriteGuard, type WriteViolation } from './memory/write-guard.ts';
export {
  type FrameHandler,
  FrameReader,
  type FrameReaderOptions,
  StreamReader,
} from './receive/frame-reader.ts';
export { GatherBudget, type GatherBudgetOptions } from './receive/gather-budget.ts';
export { type DatagramHandler, Reassembler, type ReassemblerOptions } from './receive/reassembler.ts';
export { ReceiveHolds } from './receive/receive-holds.ts';
export { type DatagramTarget, sendDatagrams, sendToDatagram } from './send/datagram.ts';
export { putFrameHeader } from './send/frame.ts';
export { type SendTarget, sendObject } from './send/send-object.ts';
export * from './send/serialize.ts';
export { writeToSocket } from './send/socket.ts';
