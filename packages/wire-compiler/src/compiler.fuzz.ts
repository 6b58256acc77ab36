/** Malformed schemas: mutations of good ones. The compiler answers with code or `CompilerError`, and soon. */
import { runMalformedSchemas } from './testing/malformed-schemas.ts';

runMalformedSchemas(200_000);
