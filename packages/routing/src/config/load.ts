/**
 * From a configuration's text to the document that it stands for: parsed, what it imports fetched, macros expanded.
 *
 * ```
 *   text ─▶ parse ─▶ expand ─┬─ an import is not there yet ─▶ fetch it ─┐
 *                      ▲     └─▶ document                               │
 *                      └────────────────────────────────────────────────┘
 * ```
 */
import type { Random } from '../clock.ts';
import { RoutingError } from '../errors.ts';
import { CONFIG_IMPORTS_MAX } from '../limits.ts';
import { parseDocument } from './document.ts';
import { expandDocument, ImportNeeded } from './macros/expand-document.ts';
import type { ConfigSource } from './source.ts';

/** Texts by the paths that they are imported by; undefined for what is not there. */
export type Imports = ReadonlyMap<string, string | undefined>;

export interface LoadedDocument {
  readonly document: unknown;
  readonly imports: Imports;
}

/** Throws a RoutingError CONFIG or CONFIG_SOURCE. */
export async function loadDocument(
  text: string,
  source: ConfigSource,
  random: Random,
): Promise<LoadedDocument> {
  const parsed = parseDocument(text);
  const imports = new Map<string, string | undefined>();
  for (;;) {
    try {
      return { document: expandDocument(parsed, { imports, random }), imports };
    } catch (error) {
      if (!(error instanceof ImportNeeded)) throw error;
      if (imports.size >= CONFIG_IMPORTS_MAX) {
        throw new RoutingError('CONFIG', `more than ${CONFIG_IMPORTS_MAX} imports (CONFIG_IMPORTS_MAX)`);
      }
      imports.set(error.path, await fetchImport(error.path, source));
    }
  }
}

/** Whether any of them says something else now. One that cannot be read just now says what it said. */
export async function haveImportsChanged(imports: Imports, source: ConfigSource): Promise<boolean> {
  for (const [path, text] of imports) {
    try {
      if ((await fetchImport(path, source)) !== text) return true;
    } catch {
      // It is being replaced, or whoever has it is not there: what is in use stays in use.
    }
  }
  return false;
}

function fetchImport(path: string, source: ConfigSource): Promise<string | undefined> {
  if (source.readImport === undefined) {
    throw new RoutingError('CONFIG', `@import(${path}): ${source.label} has no documents to import`);
  }
  return source.readImport(path);
}
