/** What can be wrong with erasure-coded files. */

export type ErasureFileErrorCode =
  /** A manifest that cannot be read, is damaged, or contradicts itself. */
  | 'MANIFEST'
  /** A shard is missing, damaged, or another one's. */
  | 'SHARD'
  /** More is lost than the code rebuilds. */
  | 'LOST'
  /** What was restored is not what the manifest promises. */
  | 'MISMATCH'
  /** A file is there already. */
  | 'EXISTS'
  /** A file cannot be read or written, or changed meanwhile. */
  | 'FILE'
  /** A flag or argument that makes no sense. */
  | 'OPTION';

/** One line for people; `code` is stable. */
export class ErasureFileError extends Error {
  override readonly name: string = 'ErasureFileError';
  readonly code: ErasureFileErrorCode;

  constructor(code: ErasureFileErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The system's own error codes, such as ENOENT. */
function systemCode(error: unknown): string | undefined {
  const code = (error as { readonly code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
  ENOSPC: 'no space left on the device',
  ENOTDIR: 'a part of the path is not a directory',
};

/** Any failure of reading or writing `path`, in words. */
export function fileFailure(path: string, doing: string, cause: unknown): ErasureFileError {
  if (cause instanceof ErasureFileError) return cause;
  const code = systemCode(cause);
  const reason = REASONS[code ?? ''] ?? (cause instanceof Error ? cause.message : String(cause));
  return new ErasureFileError('FILE', `cannot ${doing} ${path}: ${reason}`, { cause });
}
