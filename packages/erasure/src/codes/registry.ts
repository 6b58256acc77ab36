/**
 * Codes by name and parameters, for the command line, manifests and tests.
 */
import { illegalParameters } from '../errors.ts';
import { blaumRoth } from './blaum-roth.ts';
import { crs, crsOriginal } from './cauchy.ts';
import { type CodeName, type CodeParameters, codeNames, type ErasureCode } from './code.ts';
import { evenodd } from './evenodd.ts';
import { hdp } from './hdp.ts';
import { liber8tion } from './liber8tion.ts';
import { liberation } from './liberation.ts';
import { rdp } from './rdp.ts';
import { rs } from './reed-solomon.ts';
import { star } from './star.ts';
import { xcode } from './xcode.ts';

export interface CodeFamily {
  readonly name: CodeName;
  readonly title: string;
  readonly required: readonly string[];
  readonly optional: readonly string[];
  /** What the parameters must satisfy, and what the code has of nodes and rows, in words. */
  readonly rules: string;
  readonly create: (parameters: CodeParameters) => ErasureCode;
}

type Create = (...values: (number | undefined)[]) => ErasureCode;

function family(
  name: CodeName,
  title: string,
  required: readonly string[],
  optional: readonly string[],
  rules: string,
  create: Create,
): CodeFamily {
  const known = [...required, ...optional];
  return {
    name,
    title,
    required,
    optional,
    rules,
    create: (parameters) => {
      for (const key of Object.keys(parameters)) {
        if (!known.includes(key)) throw illegalParameters(`${name} takes ${known.join(', ')}, not ${key}`);
      }
      for (const key of required) {
        if (parameters[key] === undefined)
          throw illegalParameters(`${name} needs ${required.join(', ')}: no ${key}`);
      }
      return create(...known.map((key) => parameters[key]));
    },
  };
}

/** All codes, in the order in which they are listed to people. */
export const codeFamilies: readonly CodeFamily[] = [
  family('rdp', 'RDP', ['p'], ['k'], 'p prime ≥ 3, k ≤ p−1; n = k+2, ω = p−1', (p, k) => rdp(p!, k)),
  family('evenodd', 'EVENODD', ['p'], ['k'], 'p prime ≥ 3, k ≤ p; n = k+2, ω = p−1', (p, k) =>
    evenodd(p!, k),
  ),
  family('xcode', 'X-Code', ['p'], [], 'p prime ≥ 3; n = p, ω = p, parities on all nodes', (p) => xcode(p!)),
  family('hdp', 'HDP', ['p'], [], 'p prime ≥ 5; n = p−1, ω = p−1, parities on all nodes', (p) => hdp(p!)),
  family('star', 'STAR', ['p'], ['k'], 'p prime ≥ 3, k ≤ p; n = k+3, ω = p−1', (p, k) => star(p!, k)),
  family('crs', 'Cauchy Reed-Solomon (good)', ['k', 'm'], ['w'], 'k+m ≤ 2^w; n = k+m, ω = w', (k, m, w) =>
    crs(k!, m!, w),
  ),
  family('crs-original', 'Cauchy Reed-Solomon', ['k', 'm'], ['w'], 'k+m ≤ 2^w; n = k+m, ω = w', (k, m, w) =>
    crsOriginal(k!, m!, w),
  ),
  family('liberation', 'Liberation', ['k', 'w'], [], 'w prime ≥ 3, k ≤ w; n = k+2, ω = w', (k, w) =>
    liberation(k!, w!),
  ),
  family('liber8tion', 'Liber8tion', ['k'], [], 'k ≤ 8; n = k+2, ω = 8', (k) => liber8tion(k!)),
  family('blaum-roth', 'Blaum-Roth', ['k', 'w'], [], 'w+1 prime, k ≤ w; n = k+2, ω = w', (k, w) =>
    blaumRoth(k!, w!),
  ),
  family('rs', 'Reed-Solomon over GF(2^8)', ['k', 'm'], [], 'k+m ≤ 255; n = k+m, ω = 8', (k, m) =>
    rs(k!, m!),
  ),
];

/** Creates a code from its name and parameters; throws what is wrong with them. */
export function createCode(name: string, parameters: CodeParameters): ErasureCode {
  const found = codeFamilies.find((candidate) => candidate.name === name);
  if (!found) throw illegalParameters(`unknown code "${name}": the codes are ${codeNames.join(', ')}`);
  return found.create(parameters);
}
