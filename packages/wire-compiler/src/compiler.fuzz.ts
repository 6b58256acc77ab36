/**
 * Malformed schemas: mutations of good ones, from another seed every time. The compiler answers with code or
 * `CompilerError`, and soon.
 */
import { runMalformedSchemas } from './testing/malformed-schemas.ts';

runMalformedSchemas(5_000_000, Date.now() % 0x7fff_ffff);
