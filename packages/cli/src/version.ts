/** The command's own version. */
import { createRequire } from 'node:module';

/** The version in this package's package.json. */
export function larderVersion(): string {
  const found: unknown = createRequire(import.meta.url)('../package.json');
  return (found as { version: string }).version;
}
