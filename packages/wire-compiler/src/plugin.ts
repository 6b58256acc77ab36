/**
 * The protoc plugin. Around the plugin framework it adds what a person needs: TypeScript as the default target,
 * and errors that name file and line, in the way that protoc and buf show them.
 */
import { create, maximumEdition, minimumEdition } from '@bufbuild/protobuf';
import {
  type CodeGeneratorRequest,
  type CodeGeneratorResponse,
  CodeGeneratorResponse_Feature,
  CodeGeneratorResponseSchema,
} from '@bufbuild/protobuf/wkt';
import { createEcmaScriptPlugin, type Plugin } from '@bufbuild/protoplugin';
import { emitFile } from './emit/emit-file.ts';
import { transpile } from './emit/transpile.ts';
import { CompilerError } from './errors.ts';
import { checkSupported } from './model/check-supported.ts';
import { neededFiles } from './model/needed-files.ts';
import { compilerVersion } from './version.ts';

const NAME = 'protoc-gen-larder';
/** Options that are added unless the request has them: what most people want. */
const DEFAULT_OPTIONS: Readonly<Record<string, string>> = { target: 'ts', import_extension: 'js' };

const framework: Plugin = createEcmaScriptPlugin({
  name: NAME,
  version: compilerVersion(),
  generateTs(schema) {
    for (const file of schema.files) emitFile(schema, file);
  },
  transpile,
});

/**
 * The plugin: a request in, generated files out. A schema that cannot be compiled gives a response with
 * `error` set, as the plugin protocol wants it.
 */
export const larderPlugin: Plugin = {
  name: NAME,
  version: framework.version,
  run(request: CodeGeneratorRequest): CodeGeneratorResponse {
    try {
      return runOrThrow(request);
    } catch (error) {
      if (!(error instanceof CompilerError)) throw error;
      return create(CodeGeneratorResponseSchema, {
        error: error.message,
        supportedFeatures: BigInt(
          CodeGeneratorResponse_Feature.PROTO3_OPTIONAL | CodeGeneratorResponse_Feature.SUPPORTS_EDITIONS,
        ),
        // They are claimed, so that it is this plugin that refuses them, with the place.
        minimumEdition,
        maximumEdition,
      });
    }
  },
};

/** As `larderPlugin.run`, but throws `CompilerError`. */
export function runOrThrow(request: CodeGeneratorRequest): CodeGeneratorResponse {
  const fileToGenerate = neededFiles(request.fileToGenerate, request.protoFile);
  for (const file of request.protoFile) {
    if (fileToGenerate.includes(file.name)) checkSupported(file);
  }
  try {
    return framework.run({ ...request, fileToGenerate, parameter: withDefaults(request.parameter) });
  } catch (error) {
    if (!isOptionError(error)) throw error;
    throw new CompilerError('OPTION', error.message, undefined, { cause: error });
  }
}

/** The framework's word for an option that does not exist, or has a wrong value; its class is not public. */
function isOptionError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'PluginOptionError';
}

function withDefaults(parameter: string): string {
  const given = parameter.split(',').filter((option) => option !== '');
  const names = new Set(given.map((option) => option.split('=')[0]));
  const added = Object.entries(DEFAULT_OPTIONS).filter(([name]) => !names.has(name));
  return [...added.map(([name, value]) => `${name}=${value}`), ...given].join(',');
}
