/** The entry point of `protoc-gen-larder`: a request on standard input, the generated files on standard output. */
import { runNodeJs } from '@bufbuild/protoplugin';
import { larderPlugin } from './plugin.ts';

runNodeJs(larderPlugin);
