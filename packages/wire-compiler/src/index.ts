/**
 * The schema compiler: .proto files to TypeScript for `@larder/wire`.
 *
 * `generate` compiles files on disk; `larderPlugin` is the same as a protoc plugin.
 */
export { CompilerError, type CompilerErrorCode, type SourcePlace } from './errors.ts';
export { type GeneratedSource, type GenerateOptions, generate, generateFrom } from './generate.ts';
export { type GenerateFilesOptions, generateFiles } from './generate-files.ts';
export type { SourceReader } from './parser/load.ts';
export { larderPlugin } from './plugin.ts';
