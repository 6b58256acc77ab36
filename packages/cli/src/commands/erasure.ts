/** `larder erasure …`: which subcommands there are, what their help says, and what they print. */
import type { Command } from 'commander';
import picocolors from 'picocolors';
import { addCodeFlags, type CodeFlags, codeFromFlags, wholeNumber } from '../erasure/code-flags.ts';
import { type Decoded, decodeFile } from '../erasure/decode-file.ts';
import { encodeFile } from '../erasure/encode-file.ts';
import { ErasureFileError } from '../erasure/errors.ts';
import { MANIFEST_SUFFIX, readManifest } from '../erasure/manifest.ts';
import type { Damage } from '../erasure/shard-set.ts';
import { verifyFile } from '../erasure/verify-file.ts';
import { addCodesCommand, addPlanCommand } from './erasure-plan.ts';

const HELP = `
Examples:
  larder erasure codes                                     the codes and their parameters
  larder erasure plan --code star --p 13 --lost 0          what to read for a lost node
  larder erasure encode film.mkv --code rdp --p 7          8 shards beside the file, any 2 may be lost
  larder erasure verify film.mkv${MANIFEST_SUFFIX}              every shard against its checksum
  larder erasure decode film.mkv${MANIFEST_SUFFIX} --repair     the file, and the lost shards anew

Environment:
  LARDER_XOR   wasm-simd, wasm or reference: which kernels compute (the best there is, otherwise)
  NO_COLOR     any value: no colours

Exit codes: 0 all is well, 1 damaged or failed, 2 wrong usage.`;

const ENCODE_HELP = `
Writes NAME.00.shard, NAME.01.shard, … and NAME${MANIFEST_SUFFIX}. Put the shards where they fail one by one, and
keep the manifest with each of them. Files of any size: a stripe at a time is in memory. Nothing is replaced
without --force, and an encoding that fails leaves nothing behind.

Examples:
  larder erasure encode film.mkv                                  crs, k = 6, m = 3: 9 shards, any 3 may be lost
  larder erasure encode film.mkv --code crs --k 10 --m 4          14 shards, any 4 may be lost
  larder erasure encode a.tar b.tar --code star --p 7 -o /backup`;

const DECODE_HELP = `
FILE is a manifest (or the name it was made from). Every shard that is read and the restored file are checked;
the file appears only when all of it is right. Damaged shards are rebuilt as if they were lost.

Examples:
  larder erasure decode film.mkv${MANIFEST_SUFFIX}
  larder erasure decode film.mkv${MANIFEST_SUFFIX} -o restored.mkv
  larder erasure decode film.mkv${MANIFEST_SUFFIX} --force --repair`;

const VERIFY_HELP = `
FILE is a manifest (or the name it was made from). Reads all shards and writes nothing. Exit code 1 when
anything is lost or damaged, also when the file can still be restored.

Examples:
  larder erasure verify film.mkv${MANIFEST_SUFFIX}
  larder erasure verify *${MANIFEST_SUFFIX} --json`;

const DEFAULT_CODE = 'crs';
const DEFAULT_PARAMETERS = { k: 6, m: 3 };

/** Adds `erasure` and its subcommands; returns them all, for settings that every command shares. */
export function addErasureCommand(program: Command): Command[] {
  const erasure = program
    .command('erasure')
    .summary('erasure codes: plans for lost nodes; encode, decode and verify files')
    .description('XOR erasure codes on files, and recovery plans that read the least.')
    .addHelpText('after', HELP);
  const encode = addCodeFlags(erasure.command('encode <file...>'), DEFAULT_CODE)
    .summary('cut files into shards with checksums')
    .description('Cuts each FILE into one shard per node of the code, and writes a manifest.')
    .option('-o, --out <folder>', "folder of the shards (default: the file's)")
    .option('--symbol <bytes>', 'bytes of a symbol, a multiple of 64 (default: 65536, less for small files)')
    .option('-f, --force', 'replace shards and manifests that are there', false)
    .addHelpText('after', ENCODE_HELP)
    .action((files: string[], flags: EncodeFlags) => encodeFiles(files, flags));
  const decode = erasure
    .command('decode <file...>')
    .summary('restore files from what is left of their shards')
    .description('Restores each file from its manifest and enough of its shards.')
    .option('-o, --out <path>', 'path of the restored file (one FILE only)')
    .option('-f, --force', 'replace a file that is there', false)
    .option('--repair', 'also write shards that are lost or damaged anew', false)
    .addHelpText('after', DECODE_HELP)
    .action((files: string[], flags: DecodeFlags) => decodeFiles(files, flags));
  const verify = erasure
    .command('verify <file...>')
    .summary('check every shard and what they make together')
    .description('Checks the shards of each manifest, their parities, and that they make the file.')
    .option('--json', 'print the result as JSON', false)
    .addHelpText('after', VERIFY_HELP)
    .action((files: string[], flags: { json: boolean }) => verifyFiles(files, flags));
  return [erasure, addCodesCommand(erasure), addPlanCommand(erasure), encode, decode, verify];
}

interface EncodeFlags extends CodeFlags {
  readonly out?: string;
  readonly symbol?: string;
  readonly force: boolean;
}

async function encodeFiles(files: readonly string[], flags: EncodeFlags): Promise<void> {
  const code = codeFromFlags(flags, flags.code === DEFAULT_CODE ? DEFAULT_PARAMETERS : {});
  for (const path of files) {
    const { manifest, manifestPath } = await encodeFile(path, {
      code,
      isForced: flags.force,
      ...(flags.out === undefined ? {} : { folder: flags.out }),
      ...(flags.symbol === undefined ? {} : { symbolBytes: wholeNumber('--symbol', flags.symbol) }),
    });
    print(
      `${path}: ${manifest.bytes} bytes in ${code.nodes} shards of ${code.id}, any ${code.tolerance} may be lost; ${manifestPath}`,
    );
  }
}

interface DecodeFlags {
  readonly out?: string;
  readonly force: boolean;
  readonly repair: boolean;
}

async function decodeFiles(files: readonly string[], flags: DecodeFlags): Promise<void> {
  if (flags.out !== undefined && files.length > 1) {
    throw new ErasureFileError('OPTION', '-o/--out names one file, but several are to be restored');
  }
  for (const path of files) {
    const restored = await decodeFile(await readManifest(manifestPathOf(path)), {
      isForced: flags.force,
      isRepair: flags.repair,
      ...(flags.out === undefined ? {} : { target: flags.out }),
    });
    printRestored(restored);
  }
}

function printRestored({ target, bytes, damages, notes, repaired }: Decoded): void {
  for (const note of notes) warn(note);
  for (const damage of damages) warn(describe(damage));
  for (const path of repaired) print(`${path}: written anew`);
  const lost = damages.length === 0 ? 'no shard lost' : `${damages.length} shards lost or damaged`;
  print(`${target}: ${bytes} bytes restored and checked (${lost})`);
}

async function verifyFiles(files: readonly string[], flags: { readonly json: boolean }): Promise<void> {
  const results = [];
  for (const path of files) {
    const manifestPath = manifestPathOf(path);
    const read = await readManifest(manifestPath);
    const { damages, notes, contradictions, isRestorable } = await verifyFile(read);
    const isWhole = damages.length === 0 && contradictions.length === 0;
    if (!isWhole) process.exitCode = 1;
    results.push({
      manifest: manifestPath,
      whole: isWhole,
      restorable: isRestorable,
      damages,
      contradictions,
    });
    if (flags.json) continue;
    for (const text of [...notes, ...contradictions]) warn(text);
    for (const damage of damages) warn(describe(damage));
    if (isWhole) print(`${manifestPath}: all ${read.code.nodes} shards are right`);
    else if (contradictions.length > 0) print(`${manifestPath}: the manifest is wrong`);
    else {
      const outcome = isRestorable ? 'the file can be restored' : 'the file CANNOT be restored';
      print(
        `${manifestPath}: ${damages.length} of ${read.code.nodes} shards are lost or damaged; ${outcome}`,
      );
    }
  }
  if (flags.json) print(JSON.stringify(files.length === 1 ? results[0] : results, undefined, 2));
}

/** The manifest itself, or that of the file which is named. */
function manifestPathOf(path: string): string {
  return path.endsWith(MANIFEST_SUFFIX) ? path : `${path}${MANIFEST_SUFFIX}`;
}

function describe({ node, path, reason }: Damage): string {
  return `shard ${node} (${path}): ${reason}`;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function warn(text: string): void {
  const colors = picocolors.createColors(process.stderr.isTTY === true && process.env.NO_COLOR === undefined);
  process.stderr.write(`${colors.yellow('!')} ${text}\n`);
}
