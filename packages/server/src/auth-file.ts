/**
 * The file of `-Y`: one `user:password` per line, as memcached's. Read once at start; nothing of it appears
 * in an error or a log.
 */
import { readFileSync, statSync } from 'node:fs';
import { ServerError } from './errors.ts';
import { AUTH_ENTRIES_MAX, AUTH_FILE_BYTES_MAX } from './limits.ts';

const OPTION = '-Y/--auth-file';

export function readAuthFile(path: string): string[] {
  let text: string;
  try {
    const { size } = statSync(path);
    if (size > AUTH_FILE_BYTES_MAX) throw problem(`${path} is longer than ${AUTH_FILE_BYTES_MAX} bytes`);
    // Passwords are compared as the bytes that a client sends; Latin-1 keeps each byte.
    text = readFileSync(path, 'latin1');
  } catch (error) {
    if (error instanceof ServerError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'ERROR';
    throw new ServerError(code, `${OPTION}: cannot read ${path}: ${code}`, { option: OPTION, cause: error });
  }
  return parseAuthLines(path, text);
}

/** The tokens of a file's text; blank lines are skipped. */
export function parseAuthLines(path: string, text: string): string[] {
  const tokens: string[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line === '') continue;
    const colon = line.indexOf(':');
    if (colon <= 0 || colon === line.length - 1)
      throw problem(`${path}: line ${index + 1} is not user:password`);
    tokens.push(line);
  }
  if (tokens.length === 0) throw problem(`${path} holds no user:password line`);
  if (tokens.length > AUTH_ENTRIES_MAX) throw problem(`${path} holds more than ${AUTH_ENTRIES_MAX} users`);
  return tokens;
}

function problem(text: string): ServerError {
  return new ServerError('OPTION', `${OPTION}: ${text}`, { option: OPTION });
}
