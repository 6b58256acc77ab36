/** Loads a serializer. Only the one that is asked for is loaded, since the peers' libraries need not be there. */
import { EchoError } from '../errors.ts';
import type { EchoSerializer } from './serializer.ts';
import { SERIALIZERS } from './serializer-list.ts';

type Load = () => Promise<EchoSerializer>;

const LOADERS: Readonly<Record<string, Load>> = {
  larder: async () => (await import('./larder.ts')).larder,
  'larder-references': async () => (await import('./larder.ts')).larderReferences,
  'larder-copies': async () => (await import('./larder.ts')).larderCopies,
  'larder-list': async () => (await import('./larder.ts')).larderList,
  'protobuf-es': async () => (await import('./protobuf-es.ts')).protobufEs,
  protobufjs: async () => (await import('./protobufjs.ts')).protobufjs,
  'protobufjs-finish': async () => (await import('./protobufjs.ts')).protobufjsFinish,
  flatbuffers: async () => (await import('./flatbuffers.ts')).flatbuffersEcho,
  'capnp-es': async () => (await import('./capnp-es.ts')).capnpEs,
  msgpackr: async () => (await import('./msgpackr.ts')).msgpackr,
  json: async () => (await import('./json.ts')).json,
  none: async () => (await import('./none.ts')).none,
};

/**
 * The serializer of that name. Throws `OPTION` when there is none, and `MISSING_PACKAGE`, with the command that
 * installs it, when its library is not there.
 */
export async function loadSerializer(name: string): Promise<EchoSerializer> {
  const entry = SERIALIZERS.find((each) => each.name === name);
  const load = LOADERS[name];
  if (entry === undefined || load === undefined) {
    const names = SERIALIZERS.map((each) => each.name).join(', ');
    throw new EchoError('OPTION', `no serializer is called ${JSON.stringify(name)}; there are ${names}`, {
      option: '--serializer',
    });
  }
  try {
    return await load();
  } catch (cause) {
    if (entry.package === undefined || !isMissing(cause)) throw cause;
    throw new EchoError(
      'MISSING_PACKAGE',
      `the serializer ${name} needs a package that is not installed: npm install ${entry.package}`,
      { cause },
    );
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
}
