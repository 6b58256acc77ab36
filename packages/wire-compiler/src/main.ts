/**
 * The entry point of `protoc-gen-larder`. Without arguments it is a plugin: a request on standard input, the
 * generated files on standard output. With arguments it compiles the files that they name.
 */
import process from 'node:process';
import { runNodeJs } from '@bufbuild/protoplugin';
import { runCommandLine } from './command-line.ts';
import { larderPlugin } from './plugin.ts';

const args = process.argv.slice(2);
if (args.length === 0) runNodeJs(larderPlugin);
else
  process.exitCode = runCommandLine(
    args,
    (text) => process.stdout.write(text),
    (text) => process.stderr.write(text),
  );
