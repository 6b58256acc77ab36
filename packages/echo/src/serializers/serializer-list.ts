/**
 * The serializers by name, without loading any. An import of its own (`@larder/echo/serializer-list`), so that a
 * command's help can list them and cost nothing.
 */

export interface SerializerEntry {
  readonly name: string;
  /** How it is used, in one line. */
  readonly summary: string;
  /** The package of npm that must be installed, with the version that it is tested with. */
  readonly package?: string;
}

/** In the order of the papers' comparisons: ours, the peers, the limit. */
export const SERIALIZERS: readonly SerializerEntry[] = [
  { name: 'larder', summary: 'hybrid: short fields are copied, long ones referenced' },
  { name: 'larder-references', summary: 'every field is referenced' },
  { name: 'larder-copies', summary: 'every field is copied' },
  { name: 'larder-list', summary: 'hybrid, without serialize-and-send' },
  { name: 'protobuf-es', summary: '@bufbuild/protobuf; the reply is copied to the send buffer' },
  { name: 'protobufjs', summary: 'written straight into the send buffer', package: 'protobufjs@8.8.1' },
  { name: 'protobufjs-finish', summary: 'as its documentation shows it', package: 'protobufjs@8.8.1' },
  { name: 'flatbuffers', summary: 'one builder, used again', package: 'flatbuffers@25.9.23' },
  { name: 'capnp-es', summary: "Cap'n Proto, one segment", package: 'capnp-es@0.0.16' },
  { name: 'msgpackr', summary: 'records, written straight into the send buffer', package: 'msgpackr@2.1.3' },
  { name: 'json', summary: 'JSON.parse and JSON.stringify, bytes in base64' },
  { name: 'none', summary: 'no serialization, the upper limit: the message goes back as it came' },
];
