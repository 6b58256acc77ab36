/** The contestants by name. Only the one that is asked for is loaded. */
import { BenchError } from '../../errors.ts';
import type { Serializer, SerializerMemory } from './serializer.ts';

type Make = (memory: SerializerMemory, referenceBytesMin: number) => Promise<Serializer>;

/** Buffers above this are referenced by 'none', which counts nothing: where a reference begins to be cheaper. */
const RAW_COPY_BYTES_MAX = 512;

const PEERS: Readonly<Record<string, Make>> = {
  'protobuf-es': async (memory) => new (await import('./protobuf-es.ts')).ProtobufEsSerializer(memory),
  protobufjs: async (memory) => new (await import('./protobufjs.ts')).ProtobufjsSerializer(memory),
  'protobufjs-finish': async (memory) =>
    new (await import('./protobufjs-finish.ts')).ProtobufjsFinishSerializer(memory),
  flatbuffers: async (memory) => new (await import('./flatbuffers.ts')).FlatbuffersSerializer(memory),
  'capnp-es': async (memory) => new (await import('./capnp-es.ts')).CapnpEsSerializer(memory),
  msgpackr: async (memory) => new (await import('./msgpackr.ts')).MsgpackrSerializer(memory),
  json: async (memory) => new (await import('./json.ts')).JsonSerializer(memory),
};

/** Hybrid; both halves alone; and hybrid without serialize-and-send. */
const OWN: Readonly<Record<string, Make>> = {
  larder: (memory, referenceBytesMin) => makeLarder('larder', memory, referenceBytesMin),
  'larder-references': (memory) => makeLarder('larder-references', memory, 1),
  'larder-copies': (memory) => makeLarder('larder-copies', memory, Number.POSITIVE_INFINITY),
  'larder-list': async (memory, referenceBytesMin) =>
    new (await import('./larder.ts')).LarderListSerializer('larder-list', memory, referenceBytesMin),
};

async function makeLarder(
  name: string,
  memory: SerializerMemory,
  referenceBytesMin: number,
): Promise<Serializer> {
  const { LarderSerializer } = await import('./larder.ts');
  return new LarderSerializer(name, memory, referenceBytesMin);
}

const LIMIT: Readonly<Record<string, Make>> = {
  none: async (memory) => new (await import('./none.ts')).NoSerializer(memory, RAW_COPY_BYTES_MAX),
};

/** Serializers that a TypeScript user would pick instead. */
export const OWN_NAMES: readonly string[] = Object.keys(OWN);
export const PEER_NAMES: readonly string[] = Object.keys(PEERS);
export const NO_SERIALIZER: string = 'none';

/** `referenceBytesMin` is for those of ours that are hybrid. */
export function makeSerializer(
  name: string,
  memory: SerializerMemory,
  referenceBytesMin: number,
): Promise<Serializer> {
  const make = OWN[name] ?? PEERS[name] ?? LIMIT[name];
  if (make === undefined) throw new BenchError('USAGE', `no serializer is called "${name}"`);
  return make(memory, referenceBytesMin);
}
