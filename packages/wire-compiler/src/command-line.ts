/**
 * `protoc-gen-larder schema.proto …`: the compiler without protoc or buf. (Without arguments it is their
 * plugin.)
 */
import { parseArgs } from 'node:util';
import { CompilerError } from './errors.ts';
import { generateFiles } from './generate-files.ts';
import { compilerVersion } from './version.ts';

const USAGE = `usage: protoc-gen-larder [-I folder]... [-o folder] [--no-imports] [--option name=value]... schema.proto...
       (without arguments: a plugin of protoc and buf)
`;
const USAGE_EXIT_CODE = 2;

/** Runs the command; returns its exit code. */
export function runCommandLine(
  args: readonly string[],
  print: (text: string) => void,
  printError: (text: string) => void,
): number {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    printError(`protoc-gen-larder: ${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return USAGE_EXIT_CODE;
  }
  const { values, positionals } = parsed;
  if (values.version === true) {
    print(`protoc-gen-larder ${compilerVersion()}\n`);
    return 0;
  }
  if (values.help === true || positionals.length === 0) {
    (values.help === true ? print : printError)(USAGE);
    return values.help === true ? 0 : USAGE_EXIT_CODE;
  }
  try {
    const paths = generateFiles({
      schemas: positionals,
      importFolders: values['import-folder'] ?? [],
      imports: values['no-imports'] !== true,
      parameter: (values.option ?? []).join(','),
      out: values.out,
    });
    print(`${paths.join('\n')}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof CompilerError)) throw error;
    printError(`${error.message}\n`);
    return 1;
  }
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      'import-folder': { type: 'string', short: 'I', multiple: true },
      out: { type: 'string', short: 'o' },
      'no-imports': { type: 'boolean' },
      option: { type: 'string', multiple: true },
      version: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
}
