/** Reads and checks the certificate and key of TLS in the main thread, so that a mistake is told at start. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ServerError } from './errors.ts';
import type { TlsOptions } from './options/server-options.ts';

export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
}

export function readTlsFiles(tls: TlsOptions): TlsMaterial {
  const cert = readPem('--tls-cert', tls.certFile);
  const key = readPem('--tls-key', tls.keyFile);
  const certificate = check('--tls-cert', tls.certFile, 'a PEM certificate', () => new X509Certificate(cert));
  const privateKey = check('--tls-key', tls.keyFile, 'an unencrypted PEM private key', () =>
    createPrivateKey(key),
  );
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new ServerError('OPTION', `--tls-key: ${tls.keyFile} is not the key of ${tls.certFile}`, {
      option: '--tls-key',
    });
  }
  return { cert, key };
}

function readPem(option: string, path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (cause) {
    const { code } = ServerError.from(cause);
    throw new ServerError(code, `${option}: cannot read ${path}: ${code}`, { option, cause });
  }
}

function check<T>(option: string, path: string, expected: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new ServerError('OPTION', `${option}: ${path} does not hold ${expected}`, { option, cause });
  }
}
